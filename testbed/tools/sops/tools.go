//go:build tools

// Package tools pins sops, which keeps secrets in git; ../build builds it.
package tools

import _ "github.com/getsops/sops/v3/cmd/sops"
