package cluster

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"tidemark.test/kubernetes/process"
)

// Names of a node's processes; those of the second node are kubelet-2 and containerd-2, and so on.
const (
	Kubelet    = "kubelet"
	Containerd = "containerd"
)

// MostNodes is how many fit: each has a few addresses and ports.
const MostNodes = 9

// Images that a node has. Nothing can be pulled, so pods need `imagePullPolicy: Never`.
const (
	WorkerImage = "localhost/worker:1"
	pauseImage  = "localhost/pause:1"
)

// A node is one kubelet with one containerd. All nodes of a bed share its network namespace, each with an address on lo,
// and its mounts. The first one has its files where every node has them: the programs find each other there, and CSI
// drivers and agents find the kubelet.
type node int

func (b *Bed) nodes() []node {
	var all []node
	for number := 1; number <= b.options.Nodes; number++ {
		all = append(all, node(number))
	}
	return all
}

// For the first node the name as it is, with a number for the others.
func (n node) of(name string) string {
	if n == 1 {
		return name
	}
	return fmt.Sprintf("%s-%d", name, n)
}

func (n node) name() string    { return fmt.Sprintf("node-%d", n) }
func (n node) user() string    { return n.name() } // of its certificate
func (n node) address() string { return fmt.Sprintf("10.99.0.%d", n) }
func (n node) pods() string    { return fmt.Sprintf("10.244.%d.0/24", n) }
func (n node) cgroup(bed string) string {
	return bed + "/" + n.name()
}

// Paths inside the bed. Those below /run are short, for sockets are there, and gone with the bed.
func (n node) kubeletRoot() string     { return n.of("/var/lib/kubelet") }
func (n node) containerdRoot() string  { return n.of("/var/lib/containerd") }
func (n node) podLogs() string         { return n.of("/var/log/pods") }
func (n node) containerdState() string { return n.of("/run/containerd") }
func (n node) socket() string          { return n.containerdState() + "/containerd.sock" }

const kubeletPort = 10250 // at the node's address

func (n node) healthPort() int { return 11247 + int(n) }

// Node is the folder of a node's files: its configuration, and what it keeps in /var/lib and /var/log inside.
func (f Folder) node(n node) string { return f.path(n.name()) }

func (f Folder) ofNode(n node, name string) string { return filepath.Join(f.node(n), name) }

// The empty folder where what the bed's programs write into /run, /var/lib and /var/log is kept in memory.
func (f Folder) memory() string { return f.path("memory") }

func (o *Options) containerd(program string) string {
	return filepath.Join(o.Programs, "containerd", program)
}
func (o *Options) worker(program string) string { return filepath.Join(o.Programs, "worker", program) }
func (o *Options) cni() string                  { return filepath.Join(o.Programs, "cni") }

// Says what is missing for nodes.
func (o *Options) checkNodes() error {
	if o.Nodes == 0 {
		return nil
	}
	if o.Nodes < 0 || o.Nodes > MostNodes {
		return fmt.Errorf("%d nodes: there can be up to %d", o.Nodes, MostNodes)
	}
	if o.OnlyEtcd {
		return errors.New("--only-etcd leaves Kubernetes out, and a node is part of it")
	}
	if os.Geteuid() != 0 {
		return errors.New("a node needs root: containers are mounts, devices and cgroups")
	}
	for _, program := range []string{
		o.kubernetes(Kubelet), o.containerd("containerd"), o.containerd("containerd-shim-runc-v2"), o.containerd("ctr"),
		o.worker("worker"), o.worker("pause"), filepath.Join(o.cni(), "bridge"), filepath.Join(o.cni(), "host-local"),
	} {
		if info, err := os.Stat(program); err != nil || info.Mode()&0o111 == 0 {
			return fmt.Errorf("the program %s is missing: build it with testbed/kubernetes/build kubelet and testbed/node/build", program)
		}
	}
	if registrar := filepath.Join(o.Programs, "csi", CSIRegistrar); o.CSI && !exists(registrar) {
		return fmt.Errorf("the program %s is missing: build it with testbed/csi/build", registrar)
	}
	_, err := o.runc()
	return err
}

func (o *Options) runc() (string, error) {
	path, err := exec.LookPath("runc")
	if err != nil {
		return "", fmt.Errorf("a node needs runc: install Debian's package runc (%w)", err)
	}
	return filepath.Abs(path)
}

func (b *Bed) containerd(n node) process.Spec {
	return process.Spec{
		Name: n.of(Containerd), Path: b.options.containerd("containerd"),
		Args: append([]string{"--config=" + b.folder.ofNode(n, "containerd.toml")}, b.options.flagsOf(Containerd)...),
	}
}

func (b *Bed) kubelet(n node) program {
	spec := b.kubernetes(Kubelet, []string{
		"--config=" + b.folder.ofNode(n, "kubelet.json"),
		"--kubeconfig=" + b.folder.inside(n.user()),
		"--root-dir=" + n.kubeletRoot(),
		"--cert-dir=" + n.kubeletRoot() + "/pki",
		"--hostname-override=" + n.name(),
		"--node-ip=" + n.address(),
	})
	spec.Name = n.of(Kubelet)
	return program{Spec: spec, port: n.healthPort(), health: fmt.Sprintf("http://127.0.0.1:%d/healthz", n.healthPort())}
}
