package cluster

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"tidemark.test/kubernetes/api"
	"tidemark.test/kubernetes/cgroup"
	"tidemark.test/kubernetes/pki"
)

// Writes a node's configuration and makes its keys.
func (b *Bed) configure(n node) error {
	err := b.folder.Keys().Add(n.user(), pki.Subject{
		Name: "system:node:" + n.name(), Groups: []string{"system:nodes"}, Hosts: []string{n.name(), n.address()},
	})
	if err != nil {
		return err
	}
	if err := b.folder.writeKubeconfig(b.folder.inside(n.user()), fmt.Sprintf("127.0.0.1:%d", apiServerPort), n.user(), ""); err != nil {
		return err
	}
	if err := os.MkdirAll(b.folder.ofNode(n, "cni"), 0o755); err != nil {
		return err
	}
	containerd, err := b.containerdConfig(n)
	if err != nil {
		return err
	}
	kubelet, err := b.kubeletConfig(n)
	if err != nil {
		return err
	}
	network, err := json.MarshalIndent(networkConfig(n), "", "  ")
	if err != nil {
		return err
	}
	for name, text := range map[string]string{
		"containerd.toml":  containerd,
		"kubelet.json":     string(kubelet),
		"cni/bed.conflist": string(network),
		"resolv.conf":      "# there is no name server in a bed\n",
	} {
		if err := os.WriteFile(b.folder.ofNode(n, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

func (b *Bed) containerdConfig(n node) (string, error) {
	runc, err := b.options.runc()
	if err != nil {
		return "", err
	}
	snapshotter := "overlayfs"
	var within unix.Statfs_t
	if err := unix.Statfs(b.folder.node(n), &within); err != nil {
		return "", err
	}
	if within.Type == unix.OVERLAYFS_SUPER_MAGIC {
		snapshotter = "native" // copies; an overlay cannot be written to an overlay
	}
	values := strings.NewReplacer(
		"ROOT", n.containerdRoot(), "STATE", n.containerdState(), "SOCKET", n.socket(), "SNAPSHOTTER", snapshotter,
		"PAUSE", pauseImage, "PLUGINS", b.options.cni(), "NETWORK", b.folder.ofNode(n, "cni"), "RUNC", runc,
		"SHIM", b.options.containerd("containerd-shim-runc-v2"),
	)
	// restrict_oom_score_adj: where the bed may not lower its score, its containers cannot have a lower one.
	// netns_mounts_under_state_dir: /run/netns is where others look for theirs.
	return values.Replace(`version = 3
root = 'ROOT'
state = 'STATE'
disabled_plugins = [
  'io.containerd.nri.v1.nri', 'io.containerd.snapshotter.v1.btrfs', 'io.containerd.snapshotter.v1.devmapper',
  'io.containerd.snapshotter.v1.zfs', 'io.containerd.snapshotter.v1.blockfile', 'io.containerd.snapshotter.v1.erofs',
]
[grpc]
  address = 'SOCKET'
[plugins.'io.containerd.internal.v1.opt']
  path = 'ROOT/opt'
[plugins.'io.containerd.cri.v1.images']
  snapshotter = 'SNAPSHOTTER'
[plugins.'io.containerd.cri.v1.images'.pinned_images]
  sandbox = 'PAUSE'
[plugins.'io.containerd.cri.v1.runtime']
  restrict_oom_score_adj = true
  disable_apparmor = true
  netns_mounts_under_state_dir = true
[plugins.'io.containerd.cri.v1.runtime'.cni]
  bin_dirs = ['PLUGINS']
  conf_dir = 'NETWORK'
  use_internal_loopback = true
[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
  runtime_type = 'io.containerd.runc.v2'
  runtime_path = 'SHIM'
  sandboxer = 'podsandbox'
[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
  BinaryName = 'RUNC'
  Root = 'STATE/runc'
  SystemdCgroup = false
`), nil
}

func (b *Bed) kubeletConfig(n node) ([]byte, error) {
	var files syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files); err != nil {
		return nil, err
	}
	keys := b.folder.Keys()
	return json.MarshalIndent(api.Object{
		"apiVersion": "kubelet.config.k8s.io/v1beta1",
		"kind":       "KubeletConfiguration",

		"address":            n.address(),
		"port":               kubeletPort,
		"readOnlyPort":       0,
		"healthzBindAddress": "127.0.0.1",
		"healthzPort":        n.healthPort(),
		"tlsCertFile":        keys.Certificate(n.user()),
		"tlsPrivateKeyFile":  keys.Key(n.user()),
		"authentication": api.Object{
			"anonymous": api.Object{"enabled": false},
			"webhook":   api.Object{"enabled": true},
			"x509":      api.Object{"clientCAFile": keys.Certificate(pki.CA)},
		},
		"authorization": api.Object{"mode": "Webhook"},

		"containerRuntimeEndpoint": "unix://" + n.socket(),
		"cgroupDriver":             "cgroupfs",
		"cgroupRoot":               "/" + n.cgroup(cgroup.Name(string(b.folder))),
		"failCgroupV1":             false, // the default since 1.35 is to refuse
		"enforceNodeAllocatable":   []string{"none"},
		"failSwapOn":               false,
		"oomScoreAdj":              0,           // a lower one is not everybody's to give
		"maxOpenFiles":             files.Max,   // likewise
		"makeIPTablesUtilChains":   false,       // there may be no iptables
		"podLogsDir":               n.podLogs(), //
		"resolvConf":               b.folder.ofNode(n, "resolv.conf"),
		"volumePluginDir":          n.kubeletRoot() + "/plugins-exec",

		// The machine's disk is not the bed's to watch, and images that are collected could not be had again.
		"localStorageCapacityIsolation": false,
		"imageGCHighThresholdPercent":   100,
		"evictionHard": api.Object{
			"memory.available": "1Mi", "nodefs.available": "0%", "nodefs.inodesFree": "0%", "imagefs.available": "0%",
			"imagefs.inodesFree": "0%",
		},
	}, "", "  ")
}

// Pods get addresses on a bridge, from which they reach the node, the API server and one another; there is nothing else.
func networkConfig(n node) api.Object {
	return api.Object{
		"cniVersion": "1.0.0",
		"name":       "bed",
		"plugins": []api.Object{{
			"type": "bridge", "bridge": fmt.Sprintf("pods-%d", n), "isDefaultGateway": true,
			"ipam": api.Object{
				"type": "host-local", "dataDir": n.of("/run/cni"), "ranges": [][]api.Object{{{"subnet": n.pods()}}},
			},
		}},
	}
}
