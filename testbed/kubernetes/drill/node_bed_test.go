package drill

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"tidemark.test/kubernetes/cgroup"
	"tidemark.test/kubernetes/needs"
)

// Where a kubelet, containerd and their like leave things on a machine that is theirs; a bed's may not.
var places = []string{
	"/run/containerd", "/run/netns", "/run/cni", "/run/nri", "/var/lib/kubelet", "/var/lib/containerd", "/var/lib/cni",
	"/var/log/pods", "/var/log/containers", "/etc/cni", "/opt/containerd", "/sys/class/net/pods-1",
}

var settings = []string{"vm/overcommit_memory", "vm/panic_on_oom", "kernel/panic", "kernel/panic_on_oops", "net/ipv4/ip_forward"}

// The state of the machine that a node must not change.
func machine() map[string]string {
	state := map[string]string{}
	for _, place := range places {
		entries, err := os.ReadDir(place)
		state[place] = fmt.Sprint(entries, err)
	}
	for _, setting := range settings {
		text, _ := os.ReadFile(filepath.Join("/proc/sys", setting))
		state[setting] = string(text)
	}
	return state
}

// Starts a bed with nodes in the folder; says what it left behind when the test is over.
func startNodes(t *testing.T, folder string, args ...string) *drilled {
	t.Helper()
	needs.Root(t, "a node")
	before := machine()
	bed := &drilled{T: t, dir: filepath.Join(folder, "bed"), temporary: folder}
	t.Cleanup(func() {
		for what, was := range before {
			if is := machine()[what]; is != was {
				t.Errorf("%s was %q and is %q", what, was, is)
			}
		}
		if left := cgroup.Left(cgroup.Name(bed.dir)); len(left) > 0 {
			t.Errorf("cgroups are left: %v", left)
		}
	})
	bed.whenOver()
	bed.up(args...)
	return bed
}

// The same bed, for a part of its test that works in a namespace of its own.
func (b *drilled) in(t *testing.T, namespace string) *drilled {
	t.Helper()
	part := b.of(t)
	part.namespace = namespace
	part.k("create", "namespace", namespace)
	part.until("the account of the namespace", func() bool {
		return part.k("get", "serviceaccount", "default", "--ignore-not-found", "-o", "name") != ""
	})
	return part
}

func (b *drilled) k(args ...string) string {
	b.Helper()
	output, err := b.kubectl(b.ready.Kubeconfig, args...)
	if err != nil {
		b.Fatalf("kubectl %s: %v", strings.Join(args, " "), err)
	}
	return strings.TrimSpace(output)
}

func (b *drilled) create(manifest string) {
	b.Helper()
	path := filepath.Join(b.TempDir(), "manifest.yaml")
	if err := os.WriteFile(path, []byte(manifest), 0o644); err != nil {
		b.Fatal(err)
	}
	b.k("apply", "--validate=false", "-f", path)
}

// Says how long a step of the drill took.
func (b *drilled) timed(what string, do func()) {
	b.Helper()
	started := time.Now()
	do()
	b.Logf("%5.1f s  %s", time.Since(started).Seconds(), what)
}

// The number, outside, of a container's process: one in the bed's cgroup with these words in its command line.
func (b *drilled) contained(words string) int {
	b.Helper()
	paths, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, path := range paths {
		line, _ := os.ReadFile(path)
		groups, _ := os.ReadFile(filepath.Join(filepath.Dir(path), "cgroup"))
		if bytes.Contains(bytes.ReplaceAll(line, []byte{0}, []byte(" ")), []byte(words)) &&
			bytes.Contains(groups, []byte(cgroup.Name(b.dir))) {
			number, _ := strconv.Atoi(strings.Split(path, "/")[2])
			return number
		}
	}
	b.Fatalf("no process '%s' in a container", words)
	return 0
}

func (b *drilled) restarts(pod string) string {
	return b.k("get", "pod", pod, "-o", "jsonpath={.status.containerStatuses[0].restartCount}")
}

func (b *drilled) check(pod, file string) int {
	b.Helper()
	last, err := strconv.Atoi(b.k("exec", pod, "--", "worker", "check", file))
	if err != nil {
		b.Fatal(err)
	}
	return last
}
