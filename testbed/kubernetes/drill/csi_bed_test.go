package drill

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"tidemark.test/kubernetes/api"
	"tidemark.test/kubernetes/pki"
)

const (
	claims     = "/api/v1/namespaces/default/persistentvolumeclaims/"
	snapshots  = "/apis/snapshot.storage.k8s.io/v1/namespaces/default/volumesnapshots/"
	groups     = "/apis/groupsnapshot.storage.k8s.io/v1/namespaces/default/volumegroupsnapshots/"
	volumeSize = "64Mi"
)

// A claim for a volume: empty, or begun with a snapshot or another claim.
func claim(name string, source api.Object) api.Object {
	spec := api.Object{
		"accessModes": []string{"ReadWriteOnce"}, "storageClassName": "csi",
		"resources": api.Object{"requests": api.Object{"storage": volumeSize}},
	}
	if source != nil {
		spec["dataSource"] = source
	}
	return api.Object{
		"apiVersion": "v1", "kind": "PersistentVolumeClaim", "spec": spec,
		"metadata": api.Object{"name": name, "labels": api.Object{"drill": "volumes"}},
	}
}

func snapshotOf(name, claim string) api.Object {
	return api.Object{
		"apiVersion": "snapshot.storage.k8s.io/v1", "kind": "VolumeSnapshot", "metadata": api.Object{"name": name},
		"spec": api.Object{"volumeSnapshotClassName": "csi", "source": api.Object{"persistentVolumeClaimName": claim}},
	}
}

// By kubectl, as a user does. The server alone looks whether they are right: kubectl would ask for the schema of all kinds.
func (b *drilled) apply(objects ...api.Object) {
	b.Helper()
	text, err := json.Marshal(api.Object{"apiVersion": "v1", "kind": "List", "items": objects})
	if err != nil {
		b.Fatal(err)
	}
	file := filepath.Join(b.TempDir(), "apply.json")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		b.Fatal(err)
	}
	if output, err := b.kubectl(b.ready.Kubeconfig, "apply", "--validate=false", "-f", file); !strings.Contains(output, "created") {
		b.Fatal(output, err)
	}
}

// What the drills look at, of claims, snapshots and groups.
type seen struct {
	Spec   struct{ VolumeName string }
	Status struct {
		Phase      string
		ReadyToUse bool
		Error      struct{ Message string }
	}
}

// What the cluster has for each snapshot: the controller makes it, the sidecar beside the driver writes its status.
type content struct {
	Metadata struct{ DeletionTimestamp string }
	Spec     struct{ VolumeSnapshotRef struct{ Name string } }
	Status   struct{ ReadyToUse *bool }
}

// Waits until the content of a snapshot is so.
func (b *drilled) untilContent(client *api.Client, snapshot, what string, so func(content) bool) {
	b.Helper()
	b.until("the content of "+snapshot+" to be "+what, func() bool {
		var all struct{ Items []content }
		b.get(client, "/apis/snapshot.storage.k8s.io/v1/volumesnapshotcontents", &all)
		return slices.ContainsFunc(all.Items, func(one content) bool {
			return one.Spec.VolumeSnapshotRef.Name == snapshot && so(one)
		})
	})
}

func (s seen) done() bool { return s.Status.Phase == "Bound" || s.Status.ReadyToUse }

// Reads a path, once more where a server was too slow to answer, or was not up to it: 5xx, no answer within a minute.
func (b *drilled) get(client *api.Client, path string, into any) {
	b.Helper()
	var err error
	b.until("an answer to "+path, func() bool {
		if err = client.Get(context.Background(), path, into); err != nil && (code(err) == 0 || code(err) >= 500) {
			b.Logf("once more: %v", err)
			return false
		}
		return true
	})
	if err != nil {
		b.Fatal(err)
	}
}

func (b *drilled) see(client *api.Client, path string) (object seen) {
	b.Helper()
	b.get(client, path, &object)
	return object
}

// Waits until a claim is bound or a snapshot is ready.
func (b *drilled) done(client *api.Client, path string) (object seen) {
	b.Helper()
	started := time.Now()
	b.until(path+" to be bound or ready", func() bool {
		object = b.see(client, path)
		return object.done()
	})
	b.Logf("%s: after %.1f s", path[strings.LastIndexByte(path[:len(path)-1], '/')+1:], time.Since(started).Seconds())
	return object
}

// Where the driver's pool is mounted, in the bed.
func (b *drilled) poolMounted() string {
	if b.pool != "" {
		return b.pool + ".mnt"
	}
	return filepath.Join(b.dir, "csi", "pool.mnt")
}

var scripts atomic.Int64 // run so far, in any bed

// Runs a script in the bed, with a claim's volume mounted at $M, and returns what it said. No pod has it mounted.
func (b *drilled) inVolume(client *api.Client, claim, script string) string {
	b.Helper()
	var volume struct {
		Spec struct{ CSI struct{ VolumeHandle string } }
	}
	name := b.see(client, claims+claim).Spec.VolumeName
	b.get(client, "/api/v1/persistentvolumes/"+name, &volume)
	image := filepath.Join(b.poolMounted(), "volumes", volume.Spec.CSI.VolumeHandle+".img")
	job := fmt.Sprintf("script-%d", scripts.Add(1))
	b.must("run", "--name", job, "sh", "-c",
		`set -e; M=$1.$$; mkdir "$M"; mount -o loop "$2" "$M"; `+script+`; umount "$M"; rmdir "$M"; echo; echo all done`,
		job, filepath.Join(b.dir, job), image)
	log := filepath.Join(b.dir, "logs", job+".log")
	var text []byte
	b.until("the end of "+job, func() bool {
		text, _ = os.ReadFile(log)
		state := ""
		for _, process := range b.status().Processes {
			if process.Name == job {
				state = string(process.State)
			}
		}
		return state == "died" // of itself: at its end
	})
	text, _ = os.ReadFile(log)
	said, whole := strings.CutSuffix(string(text), "\nall done\n")
	if !whole {
		b.Fatalf("%s: %s", job, text)
	}
	return said
}

// The data of a volume: one sum of all its files.
func (b *drilled) sum(client *api.Client, claim string) string {
	b.Helper()
	return strings.Fields(b.inVolume(client, claim, `cd "$M"; find . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum; cd /`))[0]
}

// Images of the driver, "volumes" or "snapshots", as they lie in its pool, which is mounted in the bed only.
func (b *drilled) images(folder string) (images []string) {
	b.Helper()
	for pid := range b.processes() {
		found, _ := filepath.Glob(filepath.Join("/proc", pid, "root", b.poolMounted(), folder, "*.img"))
		if len(found) > len(images) {
			images = found
		}
	}
	return images
}

// Deletes what the drill made; the driver then has nothing.
func (b *drilled) expectGone() {
	b.Helper()
	b.deleteAll("volumegroupsnapshot", "volumesnapshot", "persistentvolumeclaim")
	if left := append(b.images("volumes"), b.images("snapshots")...); len(left) > 0 {
		b.Errorf("images are left: %v", left)
	}
}

// And waits until what the cluster has for them is gone too: the driver then was told.
func (b *drilled) deleteAll(kinds ...string) {
	b.Helper()
	for _, kind := range kinds {
		output, err := b.kubectl(b.ready.Kubeconfig, "delete", kind, "--all", "--timeout=360s")
		if !strings.Contains(output, "deleted") && !strings.Contains(output, "No resources found") {
			b.Errorf("delete %s: %s %v", kind, output, err)
		}
	}
	client := b.client("direct", pki.Admin)
	for _, path := range []string{"/api/v1/persistentvolumes", "/apis/snapshot.storage.k8s.io/v1/volumesnapshotcontents"} {
		var left struct{ Items []api.Object }
		b.until(path+" to be gone", func() bool {
			return client.Get(context.Background(), path, &left) == nil && len(left.Items) == 0
		})
	}
}
