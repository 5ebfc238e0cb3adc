package drill

import (
	"os"
	"strings"
	"testing"

	"tidemark.test/kubernetes/cluster"
)

const claimOfPods = `
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec:
  storageClassName: csi-wait
  accessModes: [ReadWriteOnce]
  resources: {requests: {storage: 64Mi}}
`

const writer = `
apiVersion: v1
kind: Pod
metadata: {name: writer}
spec:
  terminationGracePeriodSeconds: 5
  initContainers:
  - {name: once, image: IMAGE, imagePullPolicy: Never, args: [write, /data/before, "500"], volumeMounts: [{name: data, mountPath: /data}]}
  containers:
  - {name: main, image: IMAGE, imagePullPolicy: Never, args: [count, /data/counters, 5ms], volumeMounts: [{name: data, mountPath: /data}]}
  volumes: [{name: data, persistentVolumeClaim: {claimName: data}}]
`

const moment = `
apiVersion: snapshot.storage.k8s.io/v1
kind: VolumeSnapshot
metadata: {name: moment}
spec:
  volumeSnapshotClassName: csi
  source: {persistentVolumeClaimName: data}
`

const reader = `
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: restored}
spec:
  storageClassName: csi-wait
  accessModes: [ReadWriteOnce]
  resources: {requests: {storage: 64Mi}}
  dataSource: {apiGroup: snapshot.storage.k8s.io, kind: VolumeSnapshot, name: moment}
---
apiVersion: v1
kind: Pod
metadata: {name: reader}
spec:
  restartPolicy: Never
  initContainers:
  - {name: same, image: IMAGE, imagePullPolicy: Never, args: [expect, /data/before, SUM], volumeMounts: [{name: data, mountPath: /data}]}
  containers:
  - {name: main, image: IMAGE, imagePullPolicy: Never, args: [check, /data/counters], volumeMounts: [{name: data, mountPath: /data}]}
  volumes: [{name: data, persistentVolumeClaim: {claimName: restored}}]
`

const withTemplates = `
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
      containers:
      - name: main
        image: IMAGE
        imagePullPolicy: Never
        args: [count, /data/counters, 20ms]
        volumeMounts: [{name: data, mountPath: /data}]
  volumeClaimTemplates:
  - metadata: {name: data}
    spec:
      storageClassName: csi-wait
      accessModes: [ReadWriteOnce]
      resources: {requests: {storage: 64Mi}}
`

// The loop devices that are mounted in the bed, with the images behind them. How the kernel names an image depends on who
// looks, so what is looked for afterwards are these same words.
func (b *drilled) devices() map[string]string {
	found := map[string]string{}
	for pid := range b.processes() {
		table, _ := os.ReadFile("/proc/" + pid + "/mountinfo")
		for _, word := range strings.Fields(string(table)) {
			if name, isLoop := strings.CutPrefix(word, "/dev/loop"); isLoop {
				found[name] = image(name)
			}
		}
	}
	return found
}

func image(device string) string {
	text, _ := os.ReadFile("/sys/block/loop" + device + "/loop/backing_file")
	return string(text)
}

// The volume example, by kubectl alone: a claim, a pod that writes, a snapshot while it does, a claim from that, and a pod
// that compares. Every volume is mounted by the kubelet.
func TestAPodsVolumeComesBackFromASnapshot(t *testing.T) {
	bed := startNodes(t, "--node", "1", "--csi")
	before := 0
	bed.timed("a pod writes to a volume", func() {
		bed.create(manifest(claimOfPods+"---"+writer, ""))
		bed.k("wait", "--for=condition=Ready", "pod/writer", "--timeout=300s")
		bed.until("counters", func() bool {
			_, err := bed.kubectl(bed.ready.Kubeconfig, "exec", "writer", "--", "worker", "check", "/data/counters")
			return !strings.Contains(err.Error(), "exit status")
		})
		before = bed.check("writer", "/data/counters")
	})
	bed.timed("a snapshot while it writes", func() {
		bed.create(moment)
		bed.k("wait", "--for=jsonpath={.status.readyToUse}=true", "volumesnapshot/moment", "--timeout=300s")
	})
	after := bed.check("writer", "/data/counters")
	bed.k("exec", "writer", "--", "worker", "put", "/data/before", "later words")

	bed.timed("a pod with a volume from the snapshot", func() {
		bed.create(manifest(strings.ReplaceAll(reader, "SUM", sumOfCounters(500)), ""))
		bed.k("wait", "--for=jsonpath={.status.phase}=Succeeded", "pod/reader", "--timeout=300s")
	})
	restored := atoi(bed.k("logs", "reader"))
	if t.Logf("counters: %d before the snapshot, %d in it, %d after it", before, restored, after); restored < before || restored > after {
		t.Error("the snapshot is of another moment")
	}

	bed.timed("the driver is killed and starts again under the pod", func() {
		bed.must("restart", cluster.CSIDriver)
		// They end when they lose the driver; in a pod the kubelet starts them again.
		bed.must("restart", cluster.CSIProvisioner)
		bed.must("restart", cluster.CSISnapshotter)
		last := bed.check("writer", "/data/counters")
		bed.until("more counters", func() bool { return bed.check("writer", "/data/counters") > last })
	})
	bed.timed("2 replicas with volumes of their own", func() {
		bed.create(manifest(withTemplates, ""))
		bed.k("rollout", "status", "statefulset/store", "--timeout=300s")
	})
	bed.timed("a pod that was deleted comes again with its volume", func() {
		last := bed.check("store-1", "/data/counters")
		bed.k("delete", "pod", "store-1")
		bed.until("the pod to run with its data", func() bool {
			said, _ := bed.kubectl(bed.ready.Kubeconfig, "exec", "store-1", "--", "worker", "check", "/data/counters")
			return atoi(strings.TrimSpace(said)) > last
		})
	})
	bed.timed("everything deleted", func() {
		bed.k("delete", "statefulset/store", "pod/writer", "pod/reader", "--timeout=300s")
		bed.k("delete", "persistentvolumeclaims", "--all", "--timeout=300s")
		bed.k("delete", "volumesnapshot/moment", "--timeout=300s")
		bed.until("no volume is left", func() bool { return bed.k("get", "persistentvolumes", "-o", "name") == "" })
		bed.until("no volume's device is left", func() bool { return len(bed.devices()) <= 1 }) // the pool's
	})
	t.Logf("MiB: %s", bed.memory())

	bed.endsAndGoesOnWithAVolume()
}

// Down while a pod has a volume, and up again: the pod goes on with what it had.
func (b *drilled) endsAndGoesOnWithAVolume() {
	b.create(manifest(claimOfPods+"---"+writer, ""))
	b.k("wait", "--for=condition=Ready", "pod/writer", "--timeout=300s")
	before := b.check("writer", "/data/before") // and 500 more when its first container runs again
	traces, loops := b.traces(), b.devices()
	if len(loops) != 2 {
		b.Errorf("devices of a bed with a volume: %v", loops)
	}
	b.timed("down", func() { b.must("down", "--keep") })
	b.expectNothing(traces)
	b.until("the devices to be gone", func() bool {
		for name, behind := range loops {
			if behind != "" && image(name) == behind {
				return false
			}
		}
		return true
	})
	b.up("--node", "1", "--csi", "--again")
	b.timed("the pod goes on with its volume", func() {
		b.until("the container's second start", func() bool { return b.restarts("writer") != "0" })
		b.k("wait", "--for=condition=Ready", "pod/writer", "--timeout=300s")
	})
	said := b.k("logs", "writer")
	if now := b.check("writer", "/data/before"); now != before+500 || !strings.Contains(said, "goes on after ") ||
		strings.Contains(said, "goes on after 0\n") {
		b.Errorf("%d counters after it, %d before; %s", now, before, said)
	}
}
