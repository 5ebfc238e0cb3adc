//go:build no_cbor

package main

// Releases before 1.32 know no CBOR.
var cborExtensions, cborFields [][]byte
