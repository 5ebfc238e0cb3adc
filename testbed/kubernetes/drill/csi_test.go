package drill

import (
	"crypto/sha256"
	"encoding/hex"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tidemark.test/kubernetes/api"
	"tidemark.test/kubernetes/needs"
	"tidemark.test/kubernetes/pki"
)

// One bed with volumes, which goes down and up in its folder again and again: three times, and at full scale twenty.
func TestVolumesUpAndDownAgainAndAgain(t *testing.T) {
	t.Parallel()
	needs.Root(t, "mounting volumes")
	bed := newBed(t)
	bed.pool = filepath.Join(t.TempDir(), "pool") // outlives the bed's folder
	options := []string{"--csi", "--flag", "csi-driver=--pool=" + bed.pool}
	bed.up(options...)
	t.Run("snapshots and clones", func(t *testing.T) { bed.of(t).snapshotsAndClones() })
	t.Run("faults", func(t *testing.T) { bed.of(t).showsFaults() })
	if t.Failed() {
		return // what follows counts what is there
	}
	t.Run("a retained snapshot", func(t *testing.T) { bed.of(t).takesUpWhatWasRetained(options) })
	for range min(2*(scale()-1), 17) {
		bed.goesDown()
		bed.up(options...)
	}
	bed.goesDown()
}

// The volume example: a claim, a snapshot, a claim from it, a claim from the first one, a snapshot of a group; the data
// is compared, and nothing stays when all is deleted.
func (b *drilled) snapshotsAndClones() {
	client := b.client("direct", pki.Admin)
	b.Logf("volumes: %s; %s", b.ready.Volumes, b.memory())
	b.apply(claim("data", nil))
	b.done(client, claims+"data")
	b.inVolume(client, "data", `head -c 5000000 /dev/urandom >"$M/noise"; echo first >"$M/word"; mkdir "$M/folder"; ln "$M/word" "$M/folder/link"`)
	first := b.sum(client, "data")
	empty := sha256.Sum256(nil)
	if first == hex.EncodeToString(empty[:]) {
		b.Fatal("there is no data")
	}
	b.apply(snapshotOf("moment", "data"))
	b.done(client, snapshots+"moment")
	b.inVolume(client, "data", `echo second >"$M/word"; rm "$M/noise"`)
	second := b.sum(client, "data")

	b.apply(claim("restored", api.Object{"apiGroup": "snapshot.storage.k8s.io", "kind": "VolumeSnapshot", "name": "moment"}),
		claim("cloned", api.Object{"kind": "PersistentVolumeClaim", "name": "data"}))
	b.done(client, claims+"restored")
	b.done(client, claims+"cloned")
	if sum := b.sum(client, "restored"); sum != first || sum == second {
		b.Errorf("restored: %s; at the moment of the snapshot %s, now %s", sum, first, second)
	}
	if sum := b.sum(client, "cloned"); sum != second {
		b.Errorf("cloned: %s, not %s", sum, second)
	}

	b.apply(api.Object{
		"apiVersion": "groupsnapshot.storage.k8s.io/v1", "kind": "VolumeGroupSnapshot", "metadata": api.Object{"name": "group"},
		"spec": api.Object{
			"volumeGroupSnapshotClassName": "csi",
			"source":                       api.Object{"selector": api.Object{"matchLabels": api.Object{"drill": "volumes"}}},
		},
	})
	b.done(client, groups+"group")
	var members struct{ Items []seen }
	b.get(client, strings.TrimSuffix(snapshots, "/"), &members)
	if len(members.Items) != 4 { // one alone, and one of each claim
		b.Errorf("snapshots: %+v", members)
	}
	if volumes, snapshots := b.images("volumes"), b.images("snapshots"); len(volumes) != 3 || len(snapshots) != 4 {
		b.Errorf("images: %v, %v", volumes, snapshots)
	}
	b.expectGone()
	b.Log(b.memory())
}

// What the driver's faults look like through Kubernetes.
func (b *drilled) showsFaults() {
	client := b.client("direct", pki.Admin)
	b.apply(claim("data", nil))
	b.done(client, claims+"data")

	b.must("fault", "never-ready")
	b.apply(snapshotOf("pending", "data"))
	b.untilContent(client, "pending", "not ready", func(one content) bool { return one.Status.ReadyToUse != nil && !*one.Status.ReadyToUse })
	time.Sleep(time.Second)
	if snapshot := b.see(client, snapshots+"pending"); snapshot.Status.ReadyToUse || snapshot.Status.Error.Message != "" {
		b.Errorf("never-ready: %+v", snapshot)
	}
	b.must("fault", "--off", "never-ready")
	b.done(client, snapshots+"pending")

	// Without end: after two errors the snapshot may be ready before anybody has seen them.
	b.must("fault", "error-then-ok", "--times", "-1", "--code", "UNAVAILABLE")
	b.apply(snapshotOf("failing", "data"))
	b.until("the driver's error at the snapshot", func() bool {
		return strings.Contains(b.see(client, snapshots+"failing").Status.Error.Message, "Unavailable")
	})
	b.must("fault", "--off", "error-then-ok")
	b.done(client, snapshots+"failing")

	b.must("fault", "capacity-exhausted")
	b.apply(claim("too-much", nil))
	b.until("the event of the claim", func() bool {
		output, _ := b.kubectl(b.ready.Kubeconfig, "get", "events", "--field-selector", "involvedObject.name=too-much,reason=ProvisioningFailed", "-o", "jsonpath={.items[*].message}")
		return strings.Contains(output, "ResourceExhausted")
	})
	if pending := b.see(client, claims+"too-much"); pending.Status.Phase != "Pending" {
		b.Errorf("capacity-exhausted: %+v", pending)
	}
	b.must("fault", "--off", "capacity-exhausted")
	b.done(client, claims+"too-much")

	// The answer is lost, the work done: asking again gives the same snapshot, and the driver has one for each object.
	b.must("fault", "timeout-after-success", "--methods", "CreateSnapshot", "--seconds", "0.1")
	b.apply(snapshotOf("late", "data"))
	b.done(client, snapshots+"late")
	b.must("fault", "--off", "timeout-after-success")
	if images := b.images("snapshots"); len(images) != 3 {
		b.Errorf("three snapshots were made: %v", images)
	}

	b.must("fault", "delete-stuck")
	if _, err := b.kubectl(b.ready.Kubeconfig, "delete", "volumesnapshot", "pending", "--wait=false"); err != nil {
		b.Error(err)
	}
	b.untilContent(client, "pending", "going", func(one content) bool { return one.Metadata.DeletionTimestamp != "" })
	time.Sleep(time.Second)
	if images := b.images("snapshots"); len(images) != 3 {
		b.Errorf("deleted although deleting is stuck: %v", images)
	}
	b.must("fault", "--off", "delete-stuck")
	b.until("the image of a deleted snapshot to go", func() bool { return len(b.images("snapshots")) == 2 })

	if _, err := b.run("fault", "no-such-fault"); err == nil || !strings.Contains(err.Error(), "no-such-fault") {
		b.Errorf("said: %v", err)
	}
	// The driver and what looks at it can be killed as the others can.
	for _, process := range []string{"csi-driver", "csi-provisioner", "csi-snapshotter", "snapshot-controller"} {
		started := time.Now()
		b.must("restart", process)
		b.Logf("%s killed, started and answers again in %.1f s", process, time.Since(started).Seconds())
	}
	b.apply(snapshotOf("after", "data"))
	b.done(client, snapshots+"after")
	b.expectGone()
}

// A driver without snapshots is deployed without their sidecar: claims work, a snapshot waits without end.
func (b *drilled) hasNoSnapshots() {
	if !strings.Contains(b.ready.Volumes, "full copies") {
		b.Errorf("the copying backend is not said: %s", b.ready.Volumes)
	}
	client := b.client("direct", pki.Admin)
	b.apply(claim("data", nil))
	b.done(client, claims+"data")
	b.apply(snapshotOf("never", "data"))
	b.untilContent(client, "never", "made", func(content) bool { return true })
	time.Sleep(time.Second)
	if snapshot := b.see(client, snapshots+"never"); snapshot.Status.ReadyToUse {
		b.Errorf("%+v", snapshot)
	}
}
