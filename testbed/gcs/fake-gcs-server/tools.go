//go:build tools

// Package tools pins the Google Cloud Storage look-alike that the tests talk to; ../build builds it.
package tools

import _ "github.com/fsouza/fake-gcs-server"
