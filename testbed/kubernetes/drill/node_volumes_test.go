package drill

import (
	"os"
	"strings"

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

// Whether a device still has the image behind it that it had.
func anyLeft(devices map[string]string) bool {
	for name, behind := range devices {
		if behind != "" && image(name) == behind {
			return true
		}
	}
	return false
}

// The volume example, by kubectl alone: a claim, a pod that writes, a snapshot while it does, a claim from that, and a pod
// that compares. Every volume is mounted by the kubelet.
func (b *drilled) keepsData() {
	before := 0
	b.timed("a pod writes to a volume", func() {
		b.create(manifest(claimOfPods+"---"+writer, ""))
		b.k("wait", "--for=condition=Ready", "pod/writer", "--timeout=360s")
		b.until("counters", func() bool {
			_, err := b.kubectl(b.ready.Kubeconfig, "exec", "writer", "--", "worker", "check", "/data/counters")
			return err == nil
		})
		before = b.check("writer", "/data/counters")
	})
	b.timed("a snapshot while it writes", func() {
		b.create(moment)
		b.k("wait", "--for=jsonpath={.status.readyToUse}=true", "volumesnapshot/moment", "--timeout=360s")
	})
	after := b.check("writer", "/data/counters")
	b.k("exec", "writer", "--", "worker", "put", "/data/before", "later words")

	b.timed("a pod with a volume from the snapshot", func() {
		b.create(manifest(strings.ReplaceAll(reader, "SUM", sumOfCounters(500)), ""))
		b.k("wait", "--for=jsonpath={.status.phase}=Succeeded", "pod/reader", "--timeout=360s")
	})
	restored := atoi(b.k("logs", "reader"))
	if b.Logf("counters: %d before the snapshot, %d in it, %d after it", before, restored, after); restored < before || restored > after {
		b.Error("the snapshot is of another moment")
	}

	b.timed("the driver is killed and starts again under the pod", func() {
		b.must("restart", cluster.CSIDriver)
		// They end when they lose the driver; in a pod the kubelet starts them again.
		b.must("restart", cluster.CSIProvisioner)
		b.must("restart", cluster.CSISnapshotter)
		last := b.check("writer", "/data/counters")
		b.until("more counters", func() bool { return b.check("writer", "/data/counters") > last })
	})
	b.timed("2 replicas with volumes of their own", func() {
		b.create(manifest(withTemplates, ""))
		b.k("rollout", "status", "statefulset/store", "--timeout=360s")
	})
	b.timed("a pod that was deleted comes again with its volume", func() {
		last := b.check("store-1", "/data/counters")
		b.k("delete", "pod", "store-1")
		b.until("the pod to run with its data", func() bool {
			said, _ := b.kubectl(b.ready.Kubeconfig, "exec", "store-1", "--", "worker", "check", "/data/counters")
			return atoi(strings.TrimSpace(said)) > last
		})
	})
	b.timed("everything deleted", func() {
		b.k("delete", "statefulset/store", "pod/writer", "pod/reader", "--timeout=360s")
		b.k("delete", "persistentvolumeclaims", "--all", "--timeout=360s")
		b.k("delete", "volumesnapshot/moment", "--timeout=360s")
		b.until("no volume is left", func() bool { return b.k("get", "persistentvolumes", "-o", "name") == "" })
		b.until("no volume's device is left", func() bool { return len(b.devices()) <= 1 }) // the pool's
	})
}
