package drills

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc/codes"
)

func (b *bed) isReady(id string) bool {
	b.t.Helper()
	got, err := b.control.GetSnapshot(ctx(b.t), &csi.GetSnapshotRequest{SnapshotId: id})
	must(b.t, err)
	listed, err := b.control.ListSnapshots(ctx(b.t), &csi.ListSnapshotsRequest{SnapshotId: id})
	must(b.t, err)
	if len(listed.GetEntries()) != 1 {
		b.t.Fatalf("not listed: %v", listed)
	}
	// It may become ready between the two calls, but not the other way.
	ready := listed.GetEntries()[0].GetSnapshot().GetReadyToUse()
	if got.GetSnapshot().GetReadyToUse() && !ready {
		b.t.Fatalf("GetSnapshot and ListSnapshots differ: %v, %v", got, listed)
	}
	return ready
}

func TestFaultSlowReady(t *testing.T) {
	b := start(t)
	volume := b.create("v", "", asMount())
	// An hour is longer than any machine takes from here to the end of the test; a second is over at some time.
	b.fault(http.MethodPut, "slow-ready", `{"seconds": 3600}`)
	snapshot := b.snapshot("slow", volume)
	wantNot := func(when string) {
		t.Helper()
		if b.isReady(snapshot.GetSnapshotId()) {
			t.Errorf("ready %s", when)
		}
		_, err := b.control.CreateVolume(ctx(t), request("too early", snapshot.GetSnapshotId(), asMount()))
		wantCode(t, err, codes.Unavailable)
	}
	if snapshot.GetReadyToUse() {
		t.Error("made ready")
	}
	wantNot("at once")
	b.fault(http.MethodPut, "slow-ready", `{"seconds": 1}`)
	sooner := b.snapshot("sooner", volume)
	// Neither switching off nor a restart makes a snapshot ready that the storage is still copying.
	b.fault(http.MethodDelete, "slow-ready", "")
	wantNot("because the fault is off")
	b.kill()
	b.run()
	wantNot("because of a restart")

	until(t, "the snapshot to be ready", func() bool { return b.isReady(sooner.GetSnapshotId()) })
	if since := time.Since(sooner.GetCreationTime().AsTime()); since < time.Second {
		t.Errorf("ready after %s already", since)
	}
	b.look(sooner.GetSnapshotId(), func(string) {})
}

func TestFaultNeverReady(t *testing.T) {
	b := start(t)
	one, other := b.create("one", "", asMount()), b.create("other", "", asMount())
	b.fault(http.MethodPut, "never-ready", fmt.Sprintf(`{"match": %q}`, one))
	bad, good := b.snapshot("bad", one), b.snapshot("good", other)
	if b.isReady(bad.GetSnapshotId()) || !b.isReady(good.GetSnapshotId()) {
		t.Error("the fault hits the wrong snapshot")
	}
	b.fault(http.MethodDelete, "never-ready", "")
	if !b.isReady(bad.GetSnapshotId()) {
		t.Error("switched off, and still not ready")
	}
}

func TestFaultErrorThenOK(t *testing.T) {
	b := start(t)
	volume := b.create("v", "", asMount())
	b.fault(http.MethodPut, "error-then-ok", `{"times": 2, "code": "UNAVAILABLE"}`)
	request := &csi.CreateSnapshotRequest{Name: "third time", SourceVolumeId: volume}
	for range 2 {
		_, err := b.control.CreateSnapshot(ctx(t), request)
		wantCode(t, err, codes.Unavailable)
		b.wantSnapshots(0)
	}
	_, err := b.control.CreateSnapshot(ctx(t), request)
	must(t, err)
	b.wantSnapshots(1)
}

func (b *bed) countSnapshots() int {
	b.t.Helper()
	answer, err := b.control.ListSnapshots(ctx(b.t), &csi.ListSnapshotsRequest{})
	must(b.t, err)
	return len(answer.GetEntries())
}

func (b *bed) wantSnapshots(count int) {
	b.t.Helper()
	if found := b.countSnapshots(); found != count {
		b.t.Fatalf("want %d snapshots, there are %d", count, found)
	}
}

func TestFaultTimeoutAfterSuccess(t *testing.T) {
	b := start(t)
	volume := b.create("v", "", asMount())
	b.fault(http.MethodPut, "timeout-after-success", `{"seconds": 0.1}`)
	request := &csi.CreateSnapshotRequest{Name: "lost answer", SourceVolumeId: volume}
	_, err := b.control.CreateSnapshot(ctx(t), request)
	wantCode(t, err, codes.DeadlineExceeded)
	b.wantSnapshots(1) // the work was done
	again, err := b.control.CreateSnapshot(ctx(t), request)
	must(t, err)
	b.wantSnapshots(1) // and is found again, not done twice
	if !b.isReady(again.GetSnapshot().GetSnapshotId()) {
		t.Error("not ready")
	}

	// By itself the fault outlasts every caller: this one goes away when it sees that the work is done.
	b.fault(http.MethodPut, "timeout-after-success", "")
	waiting, leave := context.WithCancel(t.Context())
	answered := make(chan error, 1)
	go func() {
		_, err := b.control.CreateSnapshot(waiting, &csi.CreateSnapshotRequest{Name: "no answer", SourceVolumeId: volume})
		answered <- err
	}()
	until(t, "the second snapshot", func() bool { return b.countSnapshots() == 2 })
	leave()
	wantCode(t, <-answered, codes.Canceled)
}

func TestFaultSlowCall(t *testing.T) {
	b := start(t)
	b.fault(http.MethodPut, "slow-call", `{"seconds": 1.5, "methods": ["CreateVolume"]}`)
	started := time.Now()
	b.create("v", "", asMount())
	if took := time.Since(started); took < 1500*time.Millisecond {
		t.Errorf("%s only", took)
	}
}

func TestFaultDeleteStuck(t *testing.T) {
	b := start(t)
	volume := b.create("v", "", asMount())
	snapshot := b.snapshot("stays", volume).GetSnapshotId()
	b.fault(http.MethodPut, "delete-stuck", "")
	for range 3 {
		_, err := b.control.DeleteSnapshot(ctx(t), &csi.DeleteSnapshotRequest{SnapshotId: snapshot})
		wantCode(t, err, codes.FailedPrecondition)
		_, err = b.control.DeleteVolume(ctx(t), &csi.DeleteVolumeRequest{VolumeId: volume})
		wantCode(t, err, codes.FailedPrecondition)
	}
	b.wantSnapshots(1)
	b.fault(http.MethodDelete, "delete-stuck", "")
	_, err := b.control.DeleteSnapshot(ctx(t), &csi.DeleteSnapshotRequest{SnapshotId: snapshot})
	must(t, err)
	b.wantSnapshots(0)
}

func TestFaultCapacityExhausted(t *testing.T) {
	b := start(t, "--fault", "capacity-exhausted")
	_, err := b.control.CreateVolume(ctx(t), request("v", "", asMount()))
	wantCode(t, err, codes.ResourceExhausted)
	capacity, err := b.control.GetCapacity(ctx(t), &csi.GetCapacityRequest{})
	must(t, err)
	if capacity.GetAvailableCapacity() != 0 {
		t.Errorf("capacity: %v", capacity)
	}
	b.fault(http.MethodDelete, "capacity-exhausted", "")
	volume := b.create("v", "", asMount())
	b.fault(http.MethodPut, "capacity-exhausted", `{"methods": ["CreateSnapshot"]}`)
	_, err = b.control.CreateSnapshot(ctx(t), &csi.CreateSnapshotRequest{Name: "s", SourceVolumeId: volume})
	wantCode(t, err, codes.ResourceExhausted)
	b.wantSnapshots(0)
}

func TestFaultStaleList(t *testing.T) {
	b := start(t)
	volume := b.create("v", "", asMount())
	gone := b.snapshot("gone", volume).GetSnapshotId()
	b.fault(http.MethodPut, "stale-list", "")
	b.snapshot("new", volume)
	b.snapshot("newer", volume)
	_, err := b.control.DeleteSnapshot(ctx(t), &csi.DeleteSnapshotRequest{SnapshotId: gone})
	must(t, err)
	b.wantSnapshots(1) // the deleted one, and not the new ones
	b.fault(http.MethodDelete, "stale-list", "")
	b.wantSnapshots(2)
}

func TestFaultVolumeAbnormal(t *testing.T) {
	b := start(t)
	volume := b.create("v", "", asMount())
	b.fault(http.MethodPut, "volume-abnormal", "")
	got, err := b.control.ControllerGetVolume(ctx(t), &csi.ControllerGetVolumeRequest{VolumeId: volume})
	must(t, err)
	if !got.GetStatus().GetVolumeCondition().GetAbnormal() {
		t.Errorf("%v", got)
	}
}

func TestNoSnapshotCapability(t *testing.T) {
	b := start(t, "--no-snapshots")
	capabilities, err := b.control.ControllerGetCapabilities(ctx(t), &csi.ControllerGetCapabilitiesRequest{})
	must(t, err)
	for _, capability := range capabilities.GetCapabilities() {
		switch capability.GetRpc().GetType() {
		case csi.ControllerServiceCapability_RPC_CREATE_DELETE_SNAPSHOT, csi.ControllerServiceCapability_RPC_LIST_SNAPSHOTS:
			t.Errorf("it says it can: %v", capability)
		}
	}
	volume := b.create("v", "", asMount())
	_, err = b.control.CreateSnapshot(ctx(t), &csi.CreateSnapshotRequest{Name: "s", SourceVolumeId: volume})
	wantCode(t, err, codes.Unimplemented)
	_, err = b.group.CreateVolumeGroupSnapshot(ctx(t), &csi.CreateVolumeGroupSnapshotRequest{Name: "g", SourceVolumeIds: []string{volume}})
	wantCode(t, err, codes.Unimplemented)
}
