package drill

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"tidemark.test/kubernetes/cgroup"
	"tidemark.test/kubernetes/cluster"
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

// Starts a bed with nodes; says what it left behind when the test is over.
func startNodes(t *testing.T, args ...string) *drilled {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("a node needs root")
	}
	before := machine()
	bed := &drilled{T: t, dir: filepath.Join(t.TempDir(), "bed")}
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

func (b *drilled) k(args ...string) string {
	b.Helper()
	output, err := b.kubectl(b.ready.Kubeconfig, args...)
	if err != nil && strings.TrimSpace(err.Error()) != "" && strings.Contains(err.Error(), "exit status") {
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
	b.k("apply", "-f", path)
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

const deployment = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 5
      containers:
      - name: main
        image: IMAGE
        imagePullPolicy: Never
        args: [count, /data/counters, 20ms]
        readinessProbe: {exec: {command: [worker, check, /data/counters]}, periodSeconds: 1}
        resources: {limits: {memory: 64Mi, cpu: 500m}}
        volumeMounts: [{name: data, mountPath: /data}]
      volumes: [{name: data, emptyDir: {}}]
`

const statefulSet = `
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: store}
spec:
  replicas: 2
  serviceName: store
  selector: {matchLabels: {app: store}}
  template:
    metadata: {labels: {app: store}}
    spec:
      terminationGracePeriodSeconds: 5
      hostNetwork: true
      containers:
      - name: main
        image: IMAGE
        imagePullPolicy: Never
        args: [count, /host/$(NAME), 20ms]
        env: [{name: NAME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]
        volumeMounts: [{name: host, mountPath: /host}, {name: scratch, mountPath: /scratch}]
      volumes:
      - {name: host, hostPath: {path: HOST, type: DirectoryOrCreate}}
      - {name: scratch, emptyDir: {}}
`

const jobs = `
apiVersion: batch/v1
kind: Job
metadata: {name: once}
spec:
  completions: 3
  parallelism: 2
  template:
    spec:
      restartPolicy: Never
      containers: [{name: main, image: IMAGE, imagePullPolicy: Never, args: [write, /tmp/counters, "200"]}]
---
apiVersion: batch/v1
kind: Job
metadata: {name: fails}
spec:
  backoffLimit: 1
  template:
    spec:
      restartPolicy: Never
      containers: [{name: main, image: IMAGE, imagePullPolicy: Never, args: [exit, "3"]}]
`

func manifest(text string, host string) string {
	return strings.NewReplacer("IMAGE", cluster.WorkerImage, "HOST", host).Replace(text)
}

// What `worker write FILE 200` prints.
func sumOfCounters(count int) string {
	digest := sha256.New()
	for number := 1; number <= count; number++ {
		fmt.Fprintf(digest, "%09d\n", number)
	}
	return fmt.Sprintf("%x", digest.Sum(nil))
}

// Each kind of workload really runs, and does what its users do to it.
func TestANodeRunsWorkloads(t *testing.T) {
	bed := startNodes(t, "--node", "1")
	host := filepath.Join(bed.dir, "host")
	t.Run("Deployment", func(t *testing.T) { bed.of(t).deploys() })
	t.Run("StatefulSet", func(t *testing.T) { bed.of(t).stores(manifest(statefulSet, host)) })
	t.Run("Job", func(t *testing.T) { bed.of(t).works() })
	t.Run("restarts", func(t *testing.T) { bed.of(t).goesOnThroughRestarts() })
	memory, _ := json.Marshal(bed.status().Processes)
	t.Logf("at the end: %s", memory)

	traces := bed.traces()
	bed.timed("down", func() { bed.must("down") })
	bed.expectNothing(traces)
	if _, err := os.Stat(bed.dir); !os.IsNotExist(err) {
		t.Errorf("the folder is still there: %v", err)
	}
}

// The same bed, in a part of its test.
func (b *drilled) of(t *testing.T) *drilled {
	part := *b
	part.T = t
	return &part
}

func (b *drilled) deploys() {
	b.timed("2 replicas are available", func() {
		b.create(manifest(deployment, ""))
		b.k("rollout", "status", "deployment/web", "--timeout=300s")
	})
	for _, replicas := range []string{"4", "1"} {
		b.timed("scaled to "+replicas, func() {
			b.k("scale", "deployment/web", "--replicas", replicas)
			b.k("rollout", "status", "deployment/web", "--timeout=300s")
			b.until("so many pods", func() bool {
				return len(strings.Fields(b.k("get", "pods", "-l", "app=web", "-o", "name"))) == atoi(replicas)
			})
		})
	}
	pod := strings.TrimPrefix(b.k("get", "pods", "-l", "app=web", "-o", "name"), "pod/")
	if ip := b.k("get", "pod", pod, "-o", "jsonpath={.status.podIP}"); !strings.HasPrefix(ip, "10.244.1.") {
		b.Errorf("the pod's address is '%s'", ip)
	}
	b.reachesTheAPI(pod)
	b.timed("a container that was killed runs again", func() {
		before := b.check(pod, "/data/counters")
		_ = syscall.Kill(b.contained("worker count /data/counters"), syscall.SIGKILL)
		b.until("the restart", func() bool { return b.restarts(pod) == "1" })
		b.k("wait", "--for=condition=Ready", "pod/"+pod, "--timeout=300s")
		// The volume is the pod's, and outlives the container.
		if said := b.k("logs", pod); !strings.Contains(said, "goes on after ") || strings.Contains(said, "goes on after 0\n") {
			b.Errorf("it says %q", said)
		}
		if said := b.k("logs", pod, "--previous"); !strings.Contains(said, "goes on after 0") {
			b.Errorf("the one before said %q", said)
		}
		if after := b.check(pod, "/data/counters"); after < before {
			b.Errorf("%d counters after it, %d before", after, before)
		}
	})
}

// By the service account of the pod, which may do nothing but ask who it is.
func (b *drilled) reachesTheAPI(pod string) {
	b.Helper()
	if said := b.k("exec", pod, "--", "worker", "api", "/version"); !strings.Contains(said, `"gitVersion": "v1.`) {
		b.Errorf("from the pod the API server says %s", said)
	}
	_, err := b.kubectl(b.ready.Kubeconfig, "exec", pod, "--", "worker", "api", "/api/v1/namespaces/default/pods")
	if want := "system:serviceaccount:default:default"; !strings.Contains(err.Error(), "403") || !strings.Contains(err.Error(), want) {
		b.Errorf("its service account: %v", err)
	}
}

func atoi(text string) int {
	number, _ := strconv.Atoi(text)
	return number
}

func (b *drilled) stores(manifest string) {
	b.timed("2 replicas, one after the other", func() {
		b.create(manifest)
		b.k("rollout", "status", "statefulset/store", "--timeout=300s")
	})
	if ip := b.k("get", "pod", "store-1", "-o", "jsonpath={.status.podIP}"); ip != "10.99.0.1" {
		b.Errorf("a pod in the node's network has the address '%s'", ip)
	}
	b.reachesTheAPI("store-1")
	b.timed("exec", func() {
		b.k("exec", "store-1", "--", "worker", "put", "/scratch/said", "by exec")
		if said := b.k("exec", "store-1", "--", "worker", "cat", "/scratch/said"); said != "by exec" {
			b.Errorf("it is %q", said)
		}
		want := fmt.Sprintf("%x  /scratch/said", sha256.Sum256([]byte("by exec")))
		if said := b.k("exec", "store-1", "--", "worker", "sum", "/scratch/said"); said != want {
			b.Errorf("the sum is %q", said)
		}
		if _, err := b.kubectl(b.ready.Kubeconfig, "exec", "store-1", "--", "worker", "exit", "7"); !strings.Contains(err.Error(), "exit code 7") {
			b.Errorf("a command that fails: %v", err)
		}
	})
	before := b.check("store-0", "/host/store-0")
	b.timed("a pod that was deleted comes again, with its data on the host", func() {
		uid := b.k("get", "pod", "store-0", "-o", "jsonpath={.metadata.uid}")
		b.k("delete", "pod", "store-0")
		b.until("another pod of the name", func() bool {
			now := b.k("get", "pod", "store-0", "--ignore-not-found", "-o", "jsonpath={.metadata.uid}")
			return now != "" && now != uid
		})
		b.k("wait", "--for=condition=Ready", "pod/store-0", "--timeout=300s")
	})
	if after := b.check("store-0", "/host/store-0"); after < before {
		b.Errorf("%d counters after it, %d before", after, before)
	}
	b.timed("scaled to 0", func() {
		b.k("scale", "statefulset/store", "--replicas=0")
		b.until("no pods", func() bool { return b.k("get", "pods", "-l", "app=store", "-o", "name") == "" })
	})
}

func (b *drilled) works() {
	b.timed("3 completions, and one that fails", func() {
		b.create(manifest(jobs, ""))
		b.k("wait", "--for=condition=Complete", "job/once", "--timeout=300s")
		b.k("wait", "--for=condition=Failed", "job/fails", "--timeout=300s")
	})
	said := b.k("logs", "-l", "job-name=once", "--prefix=false")
	if count := strings.Count(said, sumOfCounters(200)+"  /tmp/counters"); count != 3 {
		b.Errorf("the sum is there %d times: %s", count, said)
	}
	exit := b.k("get", "pods", "-l", "job-name=fails", "-o", "jsonpath={.items[*].status.containerStatuses[0].state.terminated.exitCode}")
	if exit != "3 3" {
		b.Errorf("exit codes of the one that fails: '%s'", exit)
	}
}

// Containers do not end with the programs that watch over them.
func (b *drilled) goesOnThroughRestarts() {
	pod := strings.TrimPrefix(b.k("get", "pods", "-l", "app=web", "-o", "name"), "pod/")
	restarts, process := b.restarts(pod), b.contained("worker count /data/counters")
	for _, name := range []string{cluster.Kubelet, cluster.Containerd} {
		b.timed(name+" restarted, paused, resumed", func() {
			b.must("restart", name)
			b.must("pause", name)
			b.must("resume", name)
			b.until("an answer through "+name, func() bool {
				_, err := b.kubectl(b.ready.Kubeconfig, "exec", pod, "--", "worker", "sum", "/data/counters")
				return !strings.Contains(err.Error(), "exit status")
			})
		})
	}
	if now := b.contained("worker count /data/counters"); now != process || b.restarts(pod) != restarts {
		b.Errorf("process %d was %d, restarts %s were %s", now, process, b.restarts(pod), restarts)
	}
}

// SIGKILL of the outer process, while pods run.
func TestANodeThatIsKilledLeavesNothing(t *testing.T) {
	bed := startNodes(t, "--node", "1")
	bed.create(manifest(deployment, ""))
	bed.k("rollout", "status", "deployment/web", "--timeout=300s")
	traces := bed.traces()
	if len(cgroup.Left(cgroup.Name(bed.dir))) == 0 {
		t.Error("a node that runs has a cgroup")
	}
	if err := syscall.Kill(bed.outer(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	bed.expectNothing(traces)
	bed.until("the cgroups to be gone", func() bool { return len(cgroup.Left(cgroup.Name(bed.dir))) == 0 })
}

// Down with --keep and up with --again is a machine that is switched off and on: its pods run again.
func TestANodeAgain(t *testing.T) {
	bed := startNodes(t, "--node", "2")
	bed.create(manifest(statefulSet, filepath.Join(bed.dir, "host")))
	bed.k("rollout", "status", "statefulset/store", "--timeout=300s")
	before := bed.check("store-0", "/host/store-0")
	nodes := strings.Fields(bed.k("get", "pods", "-o", "jsonpath={.items[*].spec.nodeName}"))
	if len(nodes) != 2 || nodes[0] == nodes[1] {
		t.Errorf("two pods on two nodes run on %v", nodes)
	}
	bed.must("down", "--keep")
	bed.up("--node", "2", "--again")
	bed.timed("pods run again", func() {
		bed.until("the containers' second start", func() bool { return bed.restarts("store-0") == "1" && bed.restarts("store-1") == "1" })
		bed.k("rollout", "status", "statefulset/store", "--timeout=300s")
	})
	if after := bed.check("store-0", "/host/store-0"); after < before {
		t.Errorf("%d counters after it, %d before", after, before)
	}
}

// A bed whose folder is below /run, of which its programs see a copy: what it writes there is seen outside all the same.
func TestANodeBelowRun(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("a node needs root")
	}
	folder, err := os.MkdirTemp("/run", "bed-drill-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	t.Setenv("TMPDIR", folder)
	bed := startNodes(t, "--node", "1")
	bed.create(manifest(jobs, ""))
	bed.k("wait", "--for=condition=Complete", "job/once", "--timeout=300s")
	if logs, _ := filepath.Glob(filepath.Join(bed.dir, "node-1", "pods", "*", "*", "*.log")); len(logs) < 3 {
		t.Errorf("the pods' logs are not there: %v", logs)
	}
}
