// Command csi-registrar tells a kubelet of a CSI driver. See ../../README.md.
package main

import (
	"os"

	"tidemark.test/csi/internal/registrar"
)

func main() { os.Exit(registrar.Main(os.Args[1:])) }
