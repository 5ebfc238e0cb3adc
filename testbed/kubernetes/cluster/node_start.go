package cluster

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"tidemark.test/kubernetes/cgroup"
	"tidemark.test/kubernetes/image"
	"tidemark.test/kubernetes/process"
	"tidemark.test/kubernetes/space"
)

// What the kubelet wants of the kernel. It would set this for the whole machine.
var kernelSettings = map[string]int{
	"vm/overcommit_memory":      1,
	"vm/panic_on_oom":           0,
	"kernel/panic":              10,
	"kernel/panic_on_oops":      1,
	"kernel/keys/root_maxkeys":  1000000,
	"kernel/keys/root_maxbytes": 25000000,
}

// Makes the bed a machine that nodes can run on, before its first program starts: what these write stays in the bed.
func (b *Bed) prepareNodes() error {
	if b.options.Nodes == 0 {
		return nil
	}
	if err := space.ShareMounts(); err != nil {
		return err
	}
	if err := os.MkdirAll(b.folder.memory(), 0o755); err != nil {
		return err
	}
	if err := space.Shadow(b.folder.memory(), string(b.folder), "/run", "/var/lib", "/var/log"); err != nil {
		return err
	}
	if err := b.hideKernelSettings(); err != nil {
		return err
	}
	for _, n := range b.nodes() {
		if err := cgroup.Make(n.cgroup(cgroup.Name(string(b.folder)))); err != nil {
			return err
		}
		if err := space.AddAddress(n.name(), n.address()); err != nil {
			return err
		}
		for name, at := range map[string]string{
			"kubelet": n.kubeletRoot(), "containerd": n.containerdRoot(), "pods": n.podLogs(),
		} {
			if err := os.MkdirAll(b.folder.ofNode(n, name), 0o755); err != nil {
				return err
			}
			if err := space.Bind(b.folder.ofNode(n, name), at); err != nil {
				return err
			}
		}
	}
	return nil
}

// Shows files of ours in place of the settings, with the values that the kubelet wants: so it changes nothing. To put the
// old values back later would be wrong as soon as two beds run.
func (b *Bed) hideKernelSettings() error {
	for name, value := range kernelSettings {
		setting, ours := filepath.Join("/proc/sys", name), filepath.Join(b.folder.memory(), filepath.Base(name))
		if !exists(setting) {
			continue
		}
		if err := os.WriteFile(ours, []byte(strconv.Itoa(value)+"\n"), 0o644); err != nil {
			return err
		}
		if err := space.Bind(ours, setting); err != nil {
			return err
		}
	}
	return nil
}

// Starts a node and returns when it is Ready.
func (b *Bed) startNode(ctx context.Context, n node) error {
	if err := b.configure(n); err != nil {
		return err
	}
	err := b.step(n.of(Containerd), func() error {
		if err := b.Processes.Start(b.containerd(n)); err != nil {
			return err
		}
		return b.containerdAnswers(ctx, n)
	})
	if err != nil {
		return err
	}
	if err := b.step("images of "+n.name(), func() error { return b.importImages(n) }); err != nil {
		return err
	}
	started := time.Now().Truncate(time.Second) // as times in objects are
	if err := b.step(n.of(Kubelet), func() error { return b.start(ctx, b.kubelet(n)) }); err != nil {
		return err
	}
	return b.step(n.name()+" is Ready", func() error {
		return b.until(ctx, n.of(Kubelet), n.name()+" to be Ready", func() error { return b.isReady(ctx, n, started) })
	})
}

func (b *Bed) containerdAnswers(ctx context.Context, n node) error {
	return b.until(ctx, n.of(Containerd), n.socket()+" to answer", func() error {
		connection, err := net.DialTimeout("unix", n.socket(), time.Second)
		if err != nil {
			return err
		}
		return connection.Close()
	})
}

func (b *Bed) importImages(n node) error {
	packed := b.folder.ofNode(n, "images.tar")
	err := image.Write(packed,
		image.Image{Name: pauseImage, Programs: []string{b.options.worker("pause")}},
		image.Image{Name: WorkerImage, Programs: []string{b.options.worker("worker")}},
	)
	if err != nil {
		return err
	}
	defer os.Remove(packed)
	return b.Processes.Run(process.Spec{
		Name: n.of("ctr"), Path: b.options.containerd("ctr"),
		Args: []string{"--address", n.socket(), "--namespace", "k8s.io", "images", "import", "--local", packed},
	})
}

// What the kubelet of an earlier bed said does not count.
func (b *Bed) isReady(ctx context.Context, n node, since time.Time) error {
	var object struct {
		Status struct {
			Conditions []struct {
				Type, Status, Message string
				LastHeartbeatTime     time.Time
			}
		}
	}
	if err := b.client.Get(ctx, "/api/v1/nodes/"+n.name(), &object); err != nil {
		return err
	}
	for _, condition := range object.Status.Conditions {
		if condition.Type != "Ready" || condition.LastHeartbeatTime.Before(since) {
			continue
		}
		if condition.Status == "True" {
			return nil
		}
		return errors.New(condition.Message)
	}
	return errors.New("the kubelet has not said so yet")
}

// For a process of a node that was restarted: whether it is one, and its answer.
func (b *Bed) nodeAnswers(ctx context.Context, name string) error {
	for _, n := range b.nodes() {
		switch name {
		case n.of(Containerd):
			return b.containerdAnswers(ctx, n)
		case n.of(Kubelet):
			return b.answers(ctx, b.kubelet(n))
		case n.of(CSIRegistrar):
			return b.hasDriver(ctx, n)
		}
	}
	return nil
}

// Sweep removes what no namespace of the bed held. Whoever calls it holds the folder's lock: no process of the bed lives.
func (f Folder) Sweep() error {
	if err := cgroup.Remove(cgroup.Name(string(f)), time.Minute); err != nil {
		return fmt.Errorf("the bed in %s: %w", f, err)
	}
	return nil
}
