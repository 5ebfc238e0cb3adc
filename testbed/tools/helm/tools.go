//go:build tools

// Package tools pins helm, which users keep their releases with; ../build builds it.
package tools

import _ "helm.sh/helm/v3/cmd/helm"
