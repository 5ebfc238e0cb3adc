package drill

import (
	"context"

	"tidemark.test/kubernetes/api"
	"tidemark.test/kubernetes/pki"
)

// A snapshot whose objects are gone is taken up again by its handle, as a restore does: first in the same cluster, which
// was down and up meanwhile, then in a new one that has nothing but the storage of the first.
func (b *drilled) takesUpWhatWasRetained(options []string) {
	client := b.client("direct", pki.Admin)
	b.apply(claim("data", nil))
	b.done(client, claims+"data")
	b.inVolume(client, "data", `echo kept >"$M/word"`)
	kept := b.sum(client, "data")
	retained := snapshotOf("moment", "data")
	retained["spec"].(api.Object)["volumeSnapshotClassName"] = "csi-retain"
	b.apply(retained)
	b.done(client, snapshots+"moment")
	var contents struct {
		Items []struct {
			Status struct{ SnapshotHandle string }
		}
	}
	err := client.Get(context.Background(), "/apis/snapshot.storage.k8s.io/v1/volumesnapshotcontents", &contents)
	if err != nil || len(contents.Items) != 1 {
		b.Fatal(contents, err)
	}
	b.deleteAll("volumesnapshot", "volumesnapshotcontent", "persistentvolumeclaim")

	b.goesDown("--keep")
	b.up(append(options, "--again")...)
	b.expectTakenUp(contents.Items[0].Status.SnapshotHandle, "Retain", kept)
	b.goesDown()
	b.up(options...)
	b.expectTakenUp(contents.Items[0].Status.SnapshotHandle, "Delete", kept)
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
