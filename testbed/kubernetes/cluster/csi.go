package cluster

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"tidemark.test/kubernetes/process"
)

// Names of the processes of --csi.
const (
	SnapshotController = "snapshot-controller"
	CSIDriver          = "csi-driver"
	CSIProvisioner     = "csi-provisioner"
	CSISnapshotter     = "csi-snapshotter"
)

// Ports inside, of the sidecars' metrics: what answers there has found the driver.
const (
	snapshotControllerPort = 9101
	csiProvisionerPort     = 9102
	csiSnapshotterPort     = 9103
)

// CSI is the driver's folder; CSISocket is where it serves CSI, CSIControl where its faults are switched.
func (f Folder) CSI() string        { return f.path("csi") }
func (f Folder) CSISocket() string  { return filepath.Join(f.CSI(), "csi.sock") }
func (f Folder) CSIControl() string { return filepath.Join(f.CSI(), "control.sock") }

func (o *Options) csiPrograms() []string {
	if !o.CSI {
		return nil
	}
	return []string{
		filepath.Join(o.Programs, "csi", CSIDriver),
		o.kubernetes(SnapshotController), o.kubernetes(CSIProvisioner), o.kubernetes(CSISnapshotter),
	}
}

// Whether the driver was told to have no snapshots. Such a driver is deployed without csi-snapshotter, which would exit.
func (o *Options) noSnapshots() bool {
	return slices.ContainsFunc(o.flagsOf(CSIDriver), func(flag string) bool {
		return strings.TrimPrefix(strings.TrimPrefix(flag, "-"), "-") == "no-snapshots"
	})
}

func (b *Bed) csiDriver() process.Spec {
	args := []string{
		"--endpoint=unix://" + b.folder.CSISocket(),
		"--control=" + b.folder.CSIControl(),
		"--pool=" + filepath.Join(b.folder.CSI(), "pool"),
	}
	// In a user namespace nobody may mount a disk's file system.
	if text, err := os.ReadFile("/proc/self/uid_map"); err == nil && !strings.Contains(string(text), "4294967295") {
		args = append(args, "--fs=none")
	}
	return process.Spec{
		Name: CSIDriver, Path: filepath.Join(b.options.Programs, "csi", CSIDriver), Args: append(args, b.options.flagsOf(CSIDriver)...),
	}
}

// The three that watch Kubernetes: the cluster's controller, and the driver's sidecars.
func (b *Bed) sidecars() []program {
	sidecar := func(name string, port int, flags ...string) program {
		flags = append([]string{
			"--kubeconfig=" + b.folder.inside("admin"),
			"--leader-election=false",
			"--kube-api-qps=100", "--kube-api-burst=200",
			"--retry-interval-max=5s", // 5 minutes
			fmt.Sprintf("--http-endpoint=127.0.0.1:%d", port),
		}, flags...)
		return program{
			Spec: process.Spec{
				Name: name, Path: b.options.kubernetes(name), Args: append(flags, b.options.flagsOf(name)...),
				Env: []string{"NODE_NAME=node1"},
			},
			port:   port,
			health: fmt.Sprintf("http://127.0.0.1:%d/metrics", port),
		}
	}
	driver := []string{"--csi-address=" + b.folder.CSISocket(), "--extra-create-metadata"}
	const groups = "--feature-gates=CSIVolumeGroupSnapshot=true"
	all := []program{
		// It exits when the definitions do not answer in time, 30 s if not told otherwise.
		sidecar(SnapshotController, snapshotControllerPort, groups, "--retry-crd-interval-max="+patience.String()),
		sidecar(CSIProvisioner, csiProvisionerPort, append(driver, "--feature-gates=Topology=false")...),
	}
	if !b.options.noSnapshots() {
		all = append(all, sidecar(CSISnapshotter, csiSnapshotterPort, append(driver, groups)...))
	}
	return all
}

func (b *Bed) startCSI(ctx context.Context) error {
	const longest = 107 // of a Unix socket's path
	if socket := b.folder.CSIControl(); len(socket) > longest {
		return fmt.Errorf("the path %s is longer than a socket's may be (%d); name a shorter folder by --dir", socket, longest)
	}
	if err := os.MkdirAll(b.folder.CSI(), 0o755); err != nil {
		return err
	}
	err := b.together(map[string]func() error{
		"snapshot definitions": func() error { return b.define(ctx) },
		CSIDriver: func() error {
			if err := b.Processes.Start(b.csiDriver()); err != nil {
				return err
			}
			return b.driverAnswers(ctx)
		},
	})
	if err != nil {
		return err
	}
	b.log.Print(b.Volumes())
	tasks := map[string]func() error{"storage classes": func() error { return b.createClasses(ctx) }}
	for _, program := range b.sidecars() {
		tasks[program.Name] = func() error { return b.start(ctx, program) }
	}
	return b.together(tasks)
}

// Waits for a program of --csi; others are none of its business.
func (b *Bed) csiServes(ctx context.Context, name string) error {
	if !b.options.CSI {
		return nil
	}
	if name == CSIDriver {
		return b.driverAnswers(ctx)
	}
	for _, program := range b.sidecars() {
		if program.Name == name {
			return b.answers(ctx, program)
		}
	}
	return nil
}

func (b *Bed) driverAnswers(ctx context.Context) error {
	client := http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", b.folder.CSIControl())
		},
	}}
	return b.until(ctx, CSIDriver, "its control socket to answer", func() error {
		answer, err := client.Get("http://driver/faults")
		if err != nil {
			return err
		}
		return answer.Body.Close()
	})
}

var poolLine = regexp.MustCompile(`(?m)csi-driver: (.*, pool .*)$`)

// Volumes tells what the volumes lie on: btrfs or xfs, or that this machine has neither and copies. "" without --csi.
func (b *Bed) Volumes() string {
	text, _ := os.ReadFile(b.Processes.Log(CSIDriver))
	if found := poolLine.FindAllSubmatch(text, -1); len(found) > 0 && b.options.CSI {
		return string(found[len(found)-1][1])
	}
	return ""
}
