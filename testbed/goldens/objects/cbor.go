//go:build !no_cbor

package main

// Raw extensions and managed fields whose bytes are CBOR: {"kind": "Inner", "n": [1, -2, 1.5, null, h'00ff']}.
var cborExtensions = [][]byte{
	[]byte("\xd9\xd9\xf7\xa2\x44kind\x45Inner\x41n\x84\x01\x21\xf9\x3e\x00\xf6"),
}

var cborFields = [][]byte{
	[]byte("\xa1\x4af:metadata\xa1\x48f:labels\xa1\x41.\xa0"),
}
