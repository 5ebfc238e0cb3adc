package driver

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"tidemark.test/csi/internal/crash"
	"tidemark.test/csi/internal/fault"
	"tidemark.test/csi/internal/pool"
	"tidemark.test/csi/internal/records"
)

// CreateSnapshot takes a snapshot: freeze if mounted, copy, thaw. The whole volume is of the one moment of the copy.
func (d *Driver) CreateSnapshot(_ context.Context, r *csi.CreateSnapshotRequest) (*csi.CreateSnapshotResponse, error) {
	if !d.options.Snapshots {
		return nil, status.Error(codes.Unimplemented, "this driver takes no snapshots")
	}
	if err := missing("name", r.GetName()); err != nil {
		return nil, err
	}
	if err := missing("source_volume_id", r.GetSourceVolumeId()); err != nil {
		return nil, err
	}
	release, err := d.busy.take("snapshot named "+r.GetName(), r.GetSourceVolumeId())
	if err != nil {
		return nil, err
	}
	defer release()
	if old, ok := d.snapshots.Named(r.GetName()); ok {
		if old.VolumeID != r.GetSourceVolumeId() {
			return nil, status.Errorf(codes.AlreadyExists, "snapshot %s has this name and is of volume %s", old.ID, old.VolumeID)
		}
		return &csi.CreateSnapshotResponse{Snapshot: d.describe(old)}, nil
	}
	volume, ok := d.volumes.Get(r.GetSourceVolumeId())
	if !ok {
		return nil, status.Errorf(codes.NotFound, "volume %s does not exist", r.GetSourceVolumeId())
	}
	snapshot := d.snapshotOf(volume, r.GetName(), r.GetParameters())
	drafts := []pool.Draft{d.pool.New(snapshotFolder, snapshot.ID)}
	if snapshot.Created, err = d.copyImages([]records.Volume{volume}, drafts); err != nil {
		return nil, internal(err)
	}
	snapshot.ReadyAt = d.readyAt(snapshot, "CreateSnapshot")
	crash.At(crash.SnapshotImageMade)
	if err := d.snapshots.Put(snapshot); err != nil {
		_ = os.Remove(d.pool.Image(snapshotFolder, snapshot.ID))
		return nil, internal(err)
	}
	crash.At(crash.SnapshotRecorded)
	return &csi.CreateSnapshotResponse{Snapshot: d.describe(snapshot)}, nil
}

func (d *Driver) snapshotOf(volume records.Volume, name string, parameters map[string]string) records.Snapshot {
	return records.Snapshot{
		ID: newID("snap"), Name: name, Seq: d.seq.Add(1), VolumeID: volume.ID, Bytes: volume.Bytes, Block: volume.Block,
		Parameters: parameters,
	}
}

// copyImages copies the volumes' images at one moment, which it answers, and makes the copies survive a crash. Either
// all are there or none.
func (d *Driver) copyImages(volumes []records.Volume, drafts []pool.Draft) (moment time.Time, err error) {
	for _, draft := range drafts {
		defer draft.Drop()
	}
	var ids []string
	for _, volume := range volumes {
		ids = append(ids, volume.ID)
	}
	err = d.still(ids, func() error {
		moment = time.Now().UTC()
		for i, draft := range drafts {
			if err := draft.CopyOf(d.pool.Image(volumeFolder, ids[i]), d.pool.Reflinks); err != nil {
				return err
			}
			if i == 0 && len(drafts) > 1 {
				crash.At(crash.GroupHalfCopied)
			}
		}
		crash.At(crash.Copied)
		return nil
	})
	for i := 0; err == nil && i < len(drafts); i++ {
		if err = drafts[i].Keep(); err != nil {
			for _, kept := range drafts[:i] {
				kept.Remove()
			}
		}
	}
	return moment, err
}

// readyAt is when the snapshot will be ready, as it is remembered.
func (d *Driver) readyAt(snapshot records.Snapshot, method string) time.Time {
	if slow, hit := d.faults.StrikesCall(fault.SlowReady, method, fmt.Sprint(snapshot)); hit {
		return snapshot.Created.Add(time.Duration(slow.Seconds * float64(time.Second)))
	}
	return snapshot.Created
}

func (d *Driver) ready(snapshot records.Snapshot) bool {
	if _, never := d.faults.Strikes(fault.NeverReady, fmt.Sprint(snapshot)); never {
		return false
	}
	return !time.Now().Before(snapshot.ReadyAt)
}

// DeleteSnapshot deletes one. Volumes made from it live on.
func (d *Driver) DeleteSnapshot(_ context.Context, r *csi.DeleteSnapshotRequest) (*csi.DeleteSnapshotResponse, error) {
	if !d.options.Snapshots {
		return nil, status.Error(codes.Unimplemented, "this driver takes no snapshots")
	}
	id := r.GetSnapshotId()
	if err := missing("snapshot_id", id); err != nil {
		return nil, err
	}
	release, err := d.busy.take(id)
	if err != nil {
		return nil, err
	}
	defer release()
	snapshot, ok := d.snapshot(id)
	if !ok {
		return &csi.DeleteSnapshotResponse{}, nil
	}
	if snapshot.GroupID != "" {
		return nil, status.Errorf(codes.InvalidArgument, "snapshot %s is part of group snapshot %s and is deleted with it", id, snapshot.GroupID)
	}
	if err := d.snapshots.Drop(id); err != nil {
		return nil, internal(err)
	}
	crash.At(crash.SnapshotDropped)
	if err := os.Remove(d.pool.Image(snapshotFolder, id)); err != nil && !os.IsNotExist(err) {
		return nil, internal(err)
	}
	return &csi.DeleteSnapshotResponse{}, nil
}
