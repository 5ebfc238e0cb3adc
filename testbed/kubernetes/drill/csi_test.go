package drill

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
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

// By kubectl, as a user does.
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
	if output, err := b.kubectl(b.ready.Kubeconfig, "apply", "-f", file); !strings.Contains(output, "created") {
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

func (s seen) done() bool { return s.Status.Phase == "Bound" || s.Status.ReadyToUse }

func (b *drilled) see(client *api.Client, path string) (object seen) {
	b.Helper()
	if err := client.Get(context.Background(), path, &object); err != nil {
		b.Fatal(err)
	}
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

func withRoot(t *testing.T) {
	if os.Geteuid() == 0 {
		return
	}
	if os.Getenv("CI") != "" {
		t.Fatal("mounts volumes, which needs root")
	}
	t.Skip("mounts volumes, which needs root")
}

// Where the driver's pool is mounted, in the bed.
func (b *drilled) poolMounted() string {
	if b.pool != "" {
		return b.pool + ".mnt"
	}
	return filepath.Join(b.dir, "csi", "pool.mnt")
}

// Runs a script in the bed, with a claim's volume mounted at $M, and returns what it said. No pod has it mounted.
func (b *drilled) inVolume(client *api.Client, claim, script string) string {
	b.Helper()
	var volume struct {
		Spec struct{ CSI struct{ VolumeHandle string } }
	}
	name := b.see(client, claims+claim).Spec.VolumeName
	if err := client.Get(context.Background(), "/api/v1/persistentvolumes/"+name, &volume); err != nil {
		b.Fatal(err)
	}
	image := filepath.Join(b.poolMounted(), "volumes", volume.Spec.CSI.VolumeHandle+".img")
	b.scripts++
	job := fmt.Sprintf("script-%d", b.scripts)
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

// The volume example: a claim, a snapshot, a claim from it, a claim from the first one, a snapshot of a group; the data
// is compared, and nothing stays when all is deleted.
func TestVolumesAndSnapshots(t *testing.T) {
	withRoot(t)
	bed := start(t, "--csi", "--no-scheduler")
	client := bed.client("direct", pki.Admin)
	t.Logf("volumes: %s; %s", bed.ready.Volumes, bed.memory())
	bed.apply(claim("data", nil))
	bed.done(client, claims+"data")
	bed.inVolume(client, "data", `head -c 5000000 /dev/urandom >"$M/noise"; echo first >"$M/word"; mkdir "$M/folder"; ln "$M/word" "$M/folder/link"`)
	first := bed.sum(client, "data")
	empty := sha256.Sum256(nil)
	if first == hex.EncodeToString(empty[:]) {
		t.Fatal("there is no data")
	}
	bed.apply(snapshotOf("moment", "data"))
	bed.done(client, snapshots+"moment")
	bed.inVolume(client, "data", `echo second >"$M/word"; rm "$M/noise"`)
	second := bed.sum(client, "data")

	bed.apply(claim("restored", api.Object{"apiGroup": "snapshot.storage.k8s.io", "kind": "VolumeSnapshot", "name": "moment"}),
		claim("cloned", api.Object{"kind": "PersistentVolumeClaim", "name": "data"}))
	bed.done(client, claims+"restored")
	bed.done(client, claims+"cloned")
	if sum := bed.sum(client, "restored"); sum != first || sum == second {
		t.Errorf("restored: %s; at the moment of the snapshot %s, now %s", sum, first, second)
	}
	if sum := bed.sum(client, "cloned"); sum != second {
		t.Errorf("cloned: %s, not %s", sum, second)
	}

	bed.apply(api.Object{
		"apiVersion": "groupsnapshot.storage.k8s.io/v1", "kind": "VolumeGroupSnapshot", "metadata": api.Object{"name": "group"},
		"spec": api.Object{
			"volumeGroupSnapshotClassName": "csi",
			"source":                       api.Object{"selector": api.Object{"matchLabels": api.Object{"drill": "volumes"}}},
		},
	})
	bed.done(client, groups+"group")
	var members struct{ Items []seen }
	if err := client.Get(context.Background(), strings.TrimSuffix(snapshots, "/"), &members); err != nil {
		t.Fatal(err)
	}
	if len(members.Items) != 4 { // one alone, and one of each claim
		t.Errorf("snapshots: %+v", members)
	}
	if volumes, snapshots := bed.images("volumes"), bed.images("snapshots"); len(volumes) != 3 || len(snapshots) != 4 {
		t.Errorf("images: %v, %v", volumes, snapshots)
	}
	bed.expectGone()
	t.Log(bed.memory())
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

// A snapshot whose objects are gone is taken up again by its handle, as a restore does: first in the same cluster, which
// was down and up meanwhile, then in a new one that has nothing but the storage of the first.
func TestARetainedSnapshotIsTakenUpAgain(t *testing.T) {
	withRoot(t)
	pool := filepath.Join(t.TempDir(), "pool") // outlives the bed's folder
	options := []string{"--csi", "--no-scheduler", "--flag", "csi-driver=--pool=" + pool}
	bed := start(t, options...)
	bed.pool = pool
	client := bed.client("direct", pki.Admin)
	bed.apply(claim("data", nil))
	bed.done(client, claims+"data")
	bed.inVolume(client, "data", `echo kept >"$M/word"`)
	kept := bed.sum(client, "data")
	retained := snapshotOf("moment", "data")
	retained["spec"].(api.Object)["volumeSnapshotClassName"] = "csi-retain"
	bed.apply(retained)
	bed.done(client, snapshots+"moment")
	var contents struct {
		Items []struct {
			Status struct{ SnapshotHandle string }
		}
	}
	err := client.Get(context.Background(), "/apis/snapshot.storage.k8s.io/v1/volumesnapshotcontents", &contents)
	if err != nil || len(contents.Items) != 1 {
		t.Fatal(contents, err)
	}
	bed.deleteAll("volumesnapshot", "volumesnapshotcontent", "persistentvolumeclaim")

	bed.must("down", "--keep")
	bed.up(append(options, "--again")...)
	bed.expectTakenUp(contents.Items[0].Status.SnapshotHandle, "Retain", kept)
	bed.must("down")
	bed.up(options...)
	bed.expectTakenUp(contents.Items[0].Status.SnapshotHandle, "Delete", kept)
}

// A content with a handle, a snapshot of it, a claim from that: the data is what is wanted. All are deleted again.
func (b *drilled) expectTakenUp(handle, policy, want string) {
	b.Helper()
	client := b.client("direct", pki.Admin)
	snapshot := snapshotOf("again", "")
	snapshot["spec"].(api.Object)["source"] = api.Object{"volumeSnapshotContentName": "by-handle"}
	b.apply(api.Object{
		"apiVersion": "snapshot.storage.k8s.io/v1", "kind": "VolumeSnapshotContent", "metadata": api.Object{"name": "by-handle"},
		"spec": api.Object{
			"driver": "csi.tidemark.test", "deletionPolicy": policy, "volumeSnapshotClassName": "csi",
			"source":            api.Object{"snapshotHandle": handle},
			"volumeSnapshotRef": api.Object{"name": "again", "namespace": "default"},
		},
	}, snapshot)
	b.done(client, snapshots+"again")
	b.apply(claim("restored", api.Object{"apiGroup": "snapshot.storage.k8s.io", "kind": "VolumeSnapshot", "name": "again"}))
	b.done(client, claims+"restored")
	if sum := b.sum(client, "restored"); sum != want {
		b.Errorf("restored: %s, not %s", sum, want)
	}
	if policy == "Delete" {
		b.expectGone()
		return
	}
	b.deleteAll("persistentvolumeclaim", "volumesnapshot", "volumesnapshotcontent")
	if len(b.images("snapshots")) != 1 {
		b.Errorf("a retained snapshot did not stay: %v", b.images("snapshots"))
	}
}

// And waits until what the cluster has for them is gone too: the driver then was told.
func (b *drilled) deleteAll(kinds ...string) {
	b.Helper()
	for _, kind := range kinds {
		output, err := b.kubectl(b.ready.Kubeconfig, "delete", kind, "--all", "--timeout=180s")
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

// What the driver's faults look like through Kubernetes.
func TestFaultsOfVolumesAreSeenThroughKubernetes(t *testing.T) {
	withRoot(t)
	bed := start(t, "--csi", "--no-scheduler")
	client := bed.client("direct", pki.Admin)
	bed.apply(claim("data", nil))
	bed.done(client, claims+"data")

	bed.must("fault", "never-ready")
	bed.apply(snapshotOf("pending", "data"))
	time.Sleep(5 * time.Second)
	if snapshot := bed.see(client, snapshots+"pending"); snapshot.Status.ReadyToUse || snapshot.Status.Error.Message != "" {
		t.Errorf("never-ready: %+v", snapshot)
	}
	bed.must("fault", "--off", "never-ready")
	bed.done(client, snapshots+"pending")

	bed.must("fault", "error-then-ok", "--times", "2", "--code", "UNAVAILABLE")
	bed.apply(snapshotOf("failing", "data"))
	bed.until("the driver's error at the snapshot", func() bool {
		return strings.Contains(bed.see(client, snapshots+"failing").Status.Error.Message, "Unavailable")
	})
	bed.done(client, snapshots+"failing")
	bed.must("fault", "--off", "error-then-ok")

	bed.must("fault", "capacity-exhausted")
	bed.apply(claim("too-much", nil))
	bed.until("the event of the claim", func() bool {
		output, _ := bed.kubectl(bed.ready.Kubeconfig, "get", "events", "--field-selector", "involvedObject.name=too-much,reason=ProvisioningFailed", "-o", "jsonpath={.items[*].message}")
		return strings.Contains(output, "ResourceExhausted")
	})
	if pending := bed.see(client, claims+"too-much"); pending.Status.Phase != "Pending" {
		t.Errorf("capacity-exhausted: %+v", pending)
	}
	bed.must("fault", "--off", "capacity-exhausted")
	bed.done(client, claims+"too-much")

	// The answer is lost, the work done: asking again gives the same snapshot, and the driver has one for each object.
	bed.must("fault", "timeout-after-success", "--methods", "CreateSnapshot", "--seconds", "0.1")
	bed.apply(snapshotOf("late", "data"))
	bed.done(client, snapshots+"late")
	bed.must("fault", "--off", "timeout-after-success")
	if images := bed.images("snapshots"); len(images) != 3 {
		t.Errorf("three snapshots were made: %v", images)
	}

	bed.must("fault", "delete-stuck")
	if _, err := bed.kubectl(bed.ready.Kubeconfig, "delete", "volumesnapshot", "pending", "--wait=false"); err == nil {
		t.Error(err)
	}
	time.Sleep(3 * time.Second)
	if images := bed.images("snapshots"); len(images) != 3 {
		t.Errorf("deleted although deleting is stuck: %v", images)
	}
	bed.must("fault", "--off", "delete-stuck")
	bed.until("the image of a deleted snapshot to go", func() bool { return len(bed.images("snapshots")) == 2 })

	if _, err := bed.run("fault", "no-such-fault"); err == nil || !strings.Contains(err.Error(), "no-such-fault") {
		t.Errorf("said: %v", err)
	}
	// The driver and what looks at it can be killed as the others can.
	for _, process := range []string{"csi-driver", "csi-provisioner", "csi-snapshotter", "snapshot-controller"} {
		started := time.Now()
		bed.must("restart", process)
		t.Logf("%s killed, started and answers again in %.1f s", process, time.Since(started).Seconds())
	}
	bed.apply(snapshotOf("after", "data"))
	bed.done(client, snapshots+"after")
}

// A driver without snapshots is deployed without their sidecar: claims work, a snapshot waits without end.
func TestADriverWithoutSnapshots(t *testing.T) {
	bed := start(t, "--csi", "--no-scheduler", "--flag", "csi-driver=--no-snapshots", "--flag", "csi-driver=--fs=none")
	if !strings.Contains(bed.ready.Volumes, "full copies") {
		t.Errorf("the copying backend is not said: %s", bed.ready.Volumes)
	}
	client := bed.client("direct", pki.Admin)
	bed.apply(claim("data", nil))
	bed.done(client, claims+"data")
	bed.apply(snapshotOf("never", "data"))
	time.Sleep(5 * time.Second)
	if snapshot := bed.see(client, snapshots+"never"); snapshot.Status.ReadyToUse {
		t.Errorf("%+v", snapshot)
	}
}
