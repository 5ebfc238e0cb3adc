//go:build tools

// Package tools pins kustomize, which users build their manifests with; ../build builds it.
package tools

import _ "sigs.k8s.io/kustomize/kustomize/v5"
