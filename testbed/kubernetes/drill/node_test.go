package drill

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"tidemark.test/kubernetes/cgroup"
	"tidemark.test/kubernetes/cluster"
	"tidemark.test/kubernetes/needs"
)

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
        args: [count, /data/web, 20ms]
        readinessProbe: {exec: {command: [worker, check, /data/web]}, periodSeconds: 1}
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
      topologySpreadConstraints:
      - maxSkew: 1
        topologyKey: kubernetes.io/hostname
        whenUnsatisfiable: DoNotSchedule
        labelSelector: {matchLabels: {app: store}}
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

const once = `
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
`

const fails = `
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

// Two nodes, with volumes, and all that pods do there. What does not disturb the rest runs at once, in a namespace of its
// own; then the programs below the pods are restarted, and at last the machine is switched off and on.
func TestPodsOnNodes(t *testing.T) {
	t.Parallel()
	options := []string{"--node", "2", "--csi"}
	bed := startNodes(t, t.TempDir(), options...)
	host := filepath.Join(bed.dir, "host")
	bed.timed("all workloads", func() {
		t.Run("at once", func(t *testing.T) {
			for name, part := range map[string]func(*drilled){
				"web":   (*drilled).deploys,
				"store": func(b *drilled) { b.stores(manifest(statefulSet, host)) },
				"jobs":  (*drilled).works,
				"data":  (*drilled).keepsData,
			} {
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					part(bed.in(t, name))
				})
			}
		})
	})
	t.Log(bed.memory())
	if t.Failed() {
		return // what follows goes on with what these made
	}
	t.Run("restarts", func(t *testing.T) { bed.of(t).goesOnThroughRestarts() })
	t.Run("again", func(t *testing.T) { bed.of(t).goesOnWhenSwitchedOn(options) })
	traces := bed.traces()
	bed.timed("down", func() { bed.must("down") })
	bed.expectNothing(traces)
	if _, err := os.Stat(bed.dir); !os.IsNotExist(err) {
		t.Errorf("the folder is still there: %v", err)
	}
}

// The same part of a test, in a namespace that is there.
func (b *drilled) within(namespace string) *drilled {
	part := *b
	part.namespace = namespace
	return &part
}

func (b *drilled) deploys() {
	b.timed("2 replicas are available", func() {
		b.create(manifest(deployment, ""))
		b.k("rollout", "status", "deployment/web", "--timeout=360s")
	})
	for _, replicas := range []string{"4", "1"} {
		b.timed("scaled to "+replicas, func() {
			b.k("scale", "deployment/web", "--replicas", replicas)
			b.k("rollout", "status", "deployment/web", "--timeout=360s")
			b.until("so many pods", func() bool {
				return len(strings.Fields(b.k("get", "pods", "-l", "app=web", "-o", "name"))) == atoi(replicas)
			})
		})
	}
	pod := strings.TrimPrefix(b.k("get", "pods", "-l", "app=web", "-o", "name"), "pod/")
	if ip := b.k("get", "pod", pod, "-o", "jsonpath={.status.podIP}"); !strings.HasPrefix(ip, "10.244."+b.nodeOf(pod)+".") {
		b.Errorf("the address of the pod on node-%s is '%s'", b.nodeOf(pod), ip)
	}
	b.reachesTheAPI(pod)
	b.timed("a container that was killed runs again", func() {
		before := b.check(pod, "/data/web")
		_ = syscall.Kill(b.contained("worker count /data/web"), syscall.SIGKILL)
		b.until("the restart", func() bool { return b.restarts(pod) == "1" })
		b.k("wait", "--for=condition=Ready", "pod/"+pod, "--timeout=360s")
		// The volume is the pod's, and outlives the container.
		if said := b.k("logs", pod); !strings.Contains(said, "goes on after ") || strings.Contains(said, "goes on after 0\n") {
			b.Errorf("it says %q", said)
		}
		if said := b.k("logs", pod, "--previous"); !strings.Contains(said, "goes on after 0") {
			b.Errorf("the one before said %q", said)
		}
		if after := b.check(pod, "/data/web"); after < before {
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
	_, err := b.kubectl(b.ready.Kubeconfig, "exec", pod, "--", "worker", "api", "/api/v1/namespaces/"+b.namespace+"/pods")
	if want := "system:serviceaccount:" + b.namespace + ":default"; err == nil || !strings.Contains(err.Error(), "403") || !strings.Contains(err.Error(), want) {
		b.Errorf("its service account: %v", err)
	}
}

// The number of the node that a pod runs on.
func (b *drilled) nodeOf(pod string) string {
	b.Helper()
	return strings.TrimPrefix(b.k("get", "pod", pod, "-o", "jsonpath={.spec.nodeName}"), "node-")
}

func atoi(text string) int {
	number, _ := strconv.Atoi(text)
	return number
}

func (b *drilled) stores(manifest string) {
	b.timed("2 replicas, one after the other", func() {
		b.create(manifest)
		b.k("rollout", "status", "statefulset/store", "--timeout=360s")
	})
	if ip := b.k("get", "pod", "store-1", "-o", "jsonpath={.status.podIP}"); ip != "10.99.0."+b.nodeOf("store-1") {
		b.Errorf("a pod in the network of node-%s has the address '%s'", b.nodeOf("store-1"), ip)
	}
	if b.nodeOf("store-0") == b.nodeOf("store-1") {
		b.Errorf("two pods that must not be on one node are on node-%s", b.nodeOf("store-0"))
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
		if _, err := b.kubectl(b.ready.Kubeconfig, "exec", "store-1", "--", "worker", "exit", "7"); err == nil || !strings.Contains(err.Error(), "exit code 7") {
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
		b.k("wait", "--for=condition=Ready", "pod/store-0", "--timeout=360s")
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
		b.create(manifest(once+"---"+fails, ""))
		b.k("wait", "--for=condition=Complete", "job/once", "--timeout=360s")
		b.k("wait", "--for=condition=Failed", "job/fails", "--timeout=360s")
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
	b = b.within("web")
	pod := strings.TrimPrefix(b.k("get", "pods", "-l", "app=web", "-o", "name"), "pod/")
	restarts, process := b.restarts(pod), b.contained("worker count /data/web")
	for _, name := range []string{cluster.Kubelet, cluster.Containerd} {
		if node := b.nodeOf(pod); node != "1" {
			name += "-" + node
		}
		b.timed(name+" restarted, paused, resumed", func() {
			b.must("restart", name)
			b.must("pause", name)
			b.must("resume", name)
			b.until("an answer through "+name, func() bool {
				_, err := b.kubectl(b.ready.Kubeconfig, "exec", pod, "--", "worker", "sum", "/data/web")
				return err == nil
			})
		})
	}
	if now := b.contained("worker count /data/web"); now != process || b.restarts(pod) != restarts {
		b.Errorf("process %d was %d, restarts %s were %s", now, process, b.restarts(pod), restarts)
	}
}

// Down with --keep and up with --again is a machine that is switched off and on: its pods run again, with their volumes.
func (b *drilled) goesOnWhenSwitchedOn(options []string) {
	store, data := b.within("store"), b.within("data")
	store.k("scale", "statefulset/store", "--replicas=2")
	data.create(manifest(claimOfPods+"---"+writer, ""))
	store.k("rollout", "status", "statefulset/store", "--timeout=360s")
	data.k("wait", "--for=condition=Ready", "pod/writer", "--timeout=360s")
	stored := store.check("store-0", "/host/store-0")
	written := data.check("writer", "/data/before") // and 500 more when its first container runs again
	traces, devices := b.traces(), b.devices()
	if len(devices) != 2 {
		b.Errorf("devices of a bed with a volume: %v", devices)
	}
	b.timed("down", func() { b.must("down", "--keep") })
	b.expectNothing(traces)
	b.until("the devices to be gone", func() bool { return !anyLeft(devices) })

	b.up(append([]string{"--again"}, options...)...)
	b.timed("pods run again", func() {
		b.until("the containers' second start", func() bool {
			return atoi(store.restarts("store-0")) > 0 && atoi(store.restarts("store-1")) > 0 && atoi(data.restarts("writer")) > 0
		})
		store.k("rollout", "status", "statefulset/store", "--timeout=360s")
		data.k("wait", "--for=condition=Ready", "pod/writer", "--timeout=360s")
	})
	if now := store.check("store-0", "/host/store-0"); now < stored {
		b.Errorf("%d counters on the host after it, %d before", now, stored)
	}
	said := data.k("logs", "writer")
	if now := data.check("writer", "/data/before"); now != written+500 || !strings.Contains(said, "goes on after ") ||
		strings.Contains(said, "goes on after 0\n") {
		b.Errorf("%d counters in the volume after it, %d before; %s", now, written, said)
	}
}

// A bed whose folder is below /run, of which its programs see a copy: what it writes there is seen outside all the same.
// Then it gets SIGKILL while pods run, its outer process first.
func TestANodeBelowRunIsKilledAndLeavesNothing(t *testing.T) {
	t.Parallel()
	needs.Root(t, "a node")
	folder, err := os.MkdirTemp("/run", "bed-drill-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	bed := startNodes(t, folder, "--node", "1")
	bed.create(manifest(once, ""))
	bed.create(manifest(deployment, ""))
	bed.k("wait", "--for=condition=Complete", "job/once", "--timeout=360s")
	if logs, _ := filepath.Glob(filepath.Join(bed.dir, "node-1", "pods", "*", "*", "*.log")); len(logs) < 3 {
		t.Errorf("the pods' logs are not there: %v", logs)
	}
	bed.k("rollout", "status", "deployment/web", "--timeout=360s")
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
