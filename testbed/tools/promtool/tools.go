//go:build tools

// Package tools pins promtool, which checks metrics and alerts; ../build builds it.
package tools

import _ "github.com/prometheus/prometheus/cmd/promtool"
