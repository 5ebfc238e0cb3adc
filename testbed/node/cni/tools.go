//go:build tools

// Package tools pins the programs that connect pods to the node's network; ../build builds them.
package tools

import (
	_ "github.com/containernetworking/plugins/plugins/ipam/host-local"
	_ "github.com/containernetworking/plugins/plugins/main/bridge"
)
