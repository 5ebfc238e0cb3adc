package cluster

import (
	"context"
	"fmt"
	"path/filepath"

	"tidemark.test/kubernetes/process"
)

// CSIRegistrar tells a node's kubelet of the driver, so that pods get volumes.
const CSIRegistrar = "csi-registrar"

// All nodes of a bed have one driver, for they have one kernel and the same mounts.
func (b *Bed) registrar(n node) process.Spec {
	return process.Spec{
		Name: n.of(CSIRegistrar), Path: filepath.Join(b.options.Programs, "csi", CSIRegistrar),
		Args: append([]string{
			"--kubelet-root=" + n.kubeletRoot(), "--driver=" + CSIName, "--endpoint=" + b.folder.CSISocket(),
		}, b.options.flagsOf(CSIRegistrar)...),
	}
}

// As soon as it can be, for pods of an earlier bed wait for their volumes, twice as long after each attempt.
func (b *Bed) startRegistrar(ctx context.Context, n node) error {
	if err := b.Processes.Start(b.registrar(n)); err != nil {
		return err
	}
	return b.hasDriver(ctx, n)
}

// Whether the kubelet has told of the driver.
func (b *Bed) hasDriver(ctx context.Context, n node) error {
	return b.until(ctx, n.of(CSIRegistrar), n.name()+" to have the driver", func() error {
		var object struct {
			Spec struct{ Drivers []struct{ Name string } }
		}
		if err := b.client.Get(ctx, "/apis/storage.k8s.io/v1/csinodes/"+n.name(), &object); err != nil {
			return err
		}
		for _, driver := range object.Spec.Drivers {
			if driver.Name == CSIName {
				return nil
			}
		}
		return fmt.Errorf("it has %v", object.Spec.Drivers)
	})
}
