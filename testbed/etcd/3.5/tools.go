//go:build tools

// Package tools pins the programs of etcd 3.5 that the tests run; ../build builds them.
package tools

import (
	_ "go.etcd.io/etcd/etcdctl/v3"
	_ "go.etcd.io/etcd/etcdutl/v3"
	_ "go.etcd.io/etcd/server/v3"
)
