package driver

import (
	"context"
	"errors"
	"maps"
	"os"
	"time"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"tidemark.test/csi/internal/crash"
	"tidemark.test/csi/internal/freeze"
	"tidemark.test/csi/internal/hold"
	"tidemark.test/csi/internal/loop"
	"tidemark.test/csi/internal/mounts"
	"tidemark.test/csi/internal/pool"
	"tidemark.test/csi/internal/records"
)

// CreateVolume makes a volume: blank, from a snapshot, or a clone of another as it is at this moment.
func (d *Driver) CreateVolume(_ context.Context, r *csi.CreateVolumeRequest) (*csi.CreateVolumeResponse, error) {
	if err := missing("name", r.GetName()); err != nil {
		return nil, err
	}
	block, err := access(r.GetVolumeCapabilities())
	if err != nil {
		return nil, err
	}
	if err := modifiable(r.GetMutableParameters()); err != nil {
		return nil, err
	}
	things := []string{"volume named " + r.GetName()}
	snapshotID := r.GetVolumeContentSource().GetSnapshot().GetSnapshotId()
	volumeID := r.GetVolumeContentSource().GetVolume().GetVolumeId()
	if r.GetVolumeContentSource() != nil {
		if snapshotID+volumeID == "" {
			return nil, status.Error(codes.InvalidArgument, "the content source names no snapshot and no volume")
		}
		things = append(things, snapshotID+volumeID)
	}
	release, err := d.busy.take(things...)
	if err != nil {
		return nil, err
	}
	defer release()

	if old, ok := d.volumes.Named(r.GetName()); ok {
		return d.existing(old, r, block)
	}
	floor, err := d.sourceSize(snapshotID, volumeID)
	if err != nil {
		return nil, err
	}
	bytes, err := size(r.GetCapacityRange(), floor)
	if err != nil {
		return nil, err
	}
	d.provision.Lock() // one at a time: two must not both see the last room
	defer d.provision.Unlock()
	if err := d.promise(bytes); err != nil {
		return nil, err
	}
	volume := records.Volume{
		ID: newID("vol"), Name: r.GetName(), Seq: d.seq.Add(1), Bytes: bytes, Block: block, Parameters: r.GetParameters(),
		Mutable: r.GetMutableParameters(), SourceSnapshot: snapshotID, SourceVolume: volumeID, Created: time.Now().UTC(),
	}
	if err := d.makeImage(volume); err != nil {
		return nil, internal(err)
	}
	return &csi.CreateVolumeResponse{Volume: described(volume)}, nil
}

// existing answers a repeated request, or says what is different.
func (d *Driver) existing(old records.Volume, r *csi.CreateVolumeRequest, block bool) (*csi.CreateVolumeResponse, error) {
	differ := ""
	limit := r.GetCapacityRange().GetLimitBytes()
	switch {
	case old.Bytes < r.GetCapacityRange().GetRequiredBytes() || limit > 0 && old.Bytes > limit:
		differ = "size"
	case old.Block != block:
		differ = "access type"
	case old.SourceSnapshot != r.GetVolumeContentSource().GetSnapshot().GetSnapshotId() ||
		old.SourceVolume != r.GetVolumeContentSource().GetVolume().GetVolumeId():
		differ = "content source"
	case !maps.Equal(old.Parameters, r.GetParameters()):
		differ = "parameters"
	}
	if differ != "" {
		return nil, status.Errorf(codes.AlreadyExists, "volume %s has this name and another %s", old.ID, differ)
	}
	return &csi.CreateVolumeResponse{Volume: described(old)}, nil
}

func (d *Driver) sourceSize(snapshotID, volumeID string) (int64, error) {
	if snapshotID != "" {
		snapshot, ok := d.snapshot(snapshotID)
		if !ok {
			return 0, status.Errorf(codes.NotFound, "snapshot %s does not exist", snapshotID)
		}
		if !d.ready(snapshot) {
			return 0, status.Errorf(codes.Unavailable, "snapshot %s is not ready to use", snapshotID)
		}
		return snapshot.Bytes, nil
	}
	if volumeID != "" {
		volume, ok := d.volumes.Get(volumeID)
		if !ok {
			return 0, status.Errorf(codes.NotFound, "volume %s does not exist", volumeID)
		}
		return volume.Bytes, nil
	}
	return 0, nil
}

// promise refuses what would promise more than the pool's size times the overcommit.
func (d *Driver) promise(bytes int64) error {
	available, err := d.available()
	if err != nil {
		return internal(err)
	}
	if bytes > available {
		return status.Errorf(codes.ResourceExhausted, "%d bytes are asked for, %d are available in the pool", bytes, available)
	}
	return nil
}

func (d *Driver) available() (int64, error) {
	total, free, err := d.pool.Room()
	if err != nil {
		return 0, err
	}
	left := int64(float64(total) * d.options.Overcommit)
	for _, volume := range d.volumes.All() {
		left -= volume.Bytes
	}
	if free < grain {
		return 0, nil
	}
	return max(left, 0), nil
}

func (d *Driver) makeImage(volume records.Volume) error {
	draft := d.pool.New(volumeFolder, volume.ID)
	defer draft.Drop()
	var err error
	switch {
	case volume.SourceSnapshot != "":
		err = draft.CopyOf(d.pool.Image(snapshotFolder, volume.SourceSnapshot), d.pool.Reflinks)
	case volume.SourceVolume != "":
		err = d.still([]string{volume.SourceVolume}, func() error {
			return draft.CopyOf(d.pool.Image(volumeFolder, volume.SourceVolume), d.pool.Reflinks)
		})
	default:
		err = draft.Blank(volume.Bytes)
	}
	if err != nil {
		return err
	}
	crash.At(crash.VolumeImageBegun)
	if err := pool.Grow(draft.Path(), volume.Bytes); err != nil {
		return err
	}
	if blank := volume.SourceSnapshot+volume.SourceVolume == ""; blank && !volume.Block {
		if err := draft.Format(); err != nil {
			return err
		}
	}
	if err := draft.Keep(); err != nil {
		return err
	}
	crash.At(crash.VolumeImageMade)
	if err := d.volumes.Put(volume); err != nil {
		_ = os.Remove(d.pool.Image(volumeFolder, volume.ID))
		return err
	}
	crash.At(crash.VolumeRecorded)
	return nil
}

// still does something while nothing is written to the volumes: their file systems are frozen, all at once. What is
// written to a block volume goes past any file system, so there the storage's moment is what has reached the device.
func (d *Driver) still(ids []string, do func() error) error {
	var frozen []string
	for _, id := range ids {
		points, devices, err := d.mountedAt(id)
		if err != nil {
			return err
		}
		frozen = append(frozen, points...)
		if len(points) > 0 {
			continue
		}
		for _, device := range devices {
			if err := flush(device); err != nil {
				return err
			}
		}
	}
	return freeze.During(frozen, do)
}

func flush(device loop.Device) error {
	if device.ReadOnly {
		return nil
	}
	file, err := device.Open()
	if err != nil {
		return nil // detached meanwhile, so flushed
	}
	defer file.Close()
	return file.Sync()
}

// DeleteVolume deletes one that nobody uses. Its snapshots live on.
func (d *Driver) DeleteVolume(_ context.Context, r *csi.DeleteVolumeRequest) (*csi.DeleteVolumeResponse, error) {
	id := r.GetVolumeId()
	if err := missing("volume_id", id); err != nil {
		return nil, err
	}
	release, err := d.busy.take(id)
	if err != nil {
		return nil, err
	}
	defer release()
	volume, ok := d.volumes.Get(id)
	if !ok {
		return &csi.DeleteVolumeResponse{}, nil
	}
	if len(volume.Attached) > 0 {
		return nil, status.Errorf(codes.FailedPrecondition, "volume %s is attached to a node", id)
	}
	if used, err := d.inUse(id); err != nil {
		return nil, internal(err)
	} else if used {
		return nil, status.Errorf(codes.FailedPrecondition, "volume %s is in use on the node", id)
	}
	if err := d.volumes.Drop(id); err != nil {
		return nil, internal(err)
	}
	crash.At(crash.VolumeRecordDropped)
	if err := os.Remove(d.pool.Image(volumeFolder, id)); err != nil && !os.IsNotExist(err) {
		return nil, internal(err)
	}
	return &csi.DeleteVolumeResponse{}, nil
}

// inUse waits a moment for a device that nobody uses in sight, because the kernel detaches it a little after its last
// user has gone: not as long as a sidecar waits for its answer (ten seconds), for a mount in a pod is not in sight.
func (d *Driver) inUse(id string) (bool, error) {
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		image := d.pool.Image(volumeFolder, id)
		devices, err := loop.Of(image)
		if errors.Is(err, os.ErrNotExist) || err == nil && len(devices) == 0 {
			return false, nil
		}
		if err != nil || time.Now().After(deadline) {
			return true, err
		}
		for _, device := range devices {
			if mounted, err := mounts.OfLoop(device.Number); err != nil || len(mounted) > 0 || hold.Held(image, device) {
				return true, err
			}
		}
	}
}

// ControllerExpandVolume makes the image larger; the node does the rest, while the volume is in use.
func (d *Driver) ControllerExpandVolume(_ context.Context, r *csi.ControllerExpandVolumeRequest) (*csi.ControllerExpandVolumeResponse, error) {
	id := r.GetVolumeId()
	if err := missing("volume_id", id); err != nil {
		return nil, err
	}
	if r.GetCapacityRange() == nil {
		return nil, status.Error(codes.InvalidArgument, "capacity_range is missing")
	}
	release, err := d.busy.take(id)
	if err != nil {
		return nil, err
	}
	defer release()
	volume, ok := d.volumes.Get(id)
	if !ok {
		return nil, status.Errorf(codes.NotFound, "volume %s does not exist", id)
	}
	bytes, err := size(r.GetCapacityRange(), 0)
	if err != nil {
		return nil, err
	}
	if bytes > volume.Bytes {
		if points, _, err := d.mountedAt(id); err != nil {
			return nil, internal(err)
		} else if len(points) > 0 && !growsMounted() {
			return nil, status.Errorf(codes.FailedPrecondition, "volume %s is mounted, and without CAP_SYS_RESOURCE an ext4 grows only unmounted", id)
		}
		d.provision.Lock()
		defer d.provision.Unlock()
		if err := d.promise(bytes - volume.Bytes); err != nil {
			return nil, err
		}
		if err := pool.Grow(d.pool.Image(volumeFolder, id), bytes); err != nil {
			return nil, internal(err)
		}
		crash.At(crash.VolumeGrown)
		volume.Bytes = bytes
		if err := d.volumes.Put(volume); err != nil {
			return nil, internal(err)
		}
	}
	return &csi.ControllerExpandVolumeResponse{CapacityBytes: volume.Bytes, NodeExpansionRequired: true}, nil
}

// ControllerModifyVolume remembers another service level.
func (d *Driver) ControllerModifyVolume(_ context.Context, r *csi.ControllerModifyVolumeRequest) (*csi.ControllerModifyVolumeResponse, error) {
	if err := missing("volume_id", r.GetVolumeId()); err != nil {
		return nil, err
	}
	release, err := d.busy.take(r.GetVolumeId())
	if err != nil {
		return nil, err
	}
	defer release()
	volume, ok := d.volumes.Get(r.GetVolumeId())
	if !ok {
		return nil, status.Errorf(codes.NotFound, "volume %s does not exist", r.GetVolumeId())
	}
	if err := modifiable(r.GetMutableParameters()); err != nil {
		return nil, err
	}
	volume.Mutable = r.GetMutableParameters()
	if err := d.volumes.Put(volume); err != nil {
		return nil, internal(err)
	}
	return &csi.ControllerModifyVolumeResponse{}, nil
}
