//go:build tools

// Package tools pins the bbolt command line that the tests check databases with; ../build builds it.
package tools

import _ "go.etcd.io/bbolt/cmd/bbolt"
