// Command csi-driver serves CSI volumes and snapshots with real data from a pool of its own. See ../../README.md.
package main

import (
	"os"

	"tidemark.test/csi/internal/role"
	"tidemark.test/csi/internal/serve"
)

func main() {
	role.Run()
	os.Exit(serve.Main(os.Args[1:]))
}
