package driver

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"golang.org/x/sys/unix"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"tidemark.test/csi/internal/crash"
	"tidemark.test/csi/internal/mounts"
	"tidemark.test/csi/internal/records"
)

// NodeStageVolume mounts a volume's file system once for the node. A block volume needs nothing here.
func (d *Driver) NodeStageVolume(_ context.Context, r *csi.NodeStageVolumeRequest) (*csi.NodeStageVolumeResponse, error) {
	if err := missing("volume_id", r.GetVolumeId()); err != nil {
		return nil, err
	}
	if err := missing("staging_target_path", r.GetStagingTargetPath()); err != nil {
		return nil, err
	}
	volume, release, err := d.forNode(r.GetVolumeId(), r.GetVolumeCapability())
	if err != nil {
		return nil, err
	}
	defer release()
	if volume.Block {
		return &csi.NodeStageVolumeResponse{}, nil
	}
	if ours, err := d.isMounted(volume.ID, r.GetStagingTargetPath()); err != nil {
		return nil, internal(err)
	} else if ours {
		return &csi.NodeStageVolumeResponse{}, nil
	}
	if err := d.stage(volume, r.GetStagingTargetPath(), r.GetVolumeCapability()); err != nil {
		return nil, internal(err)
	}
	crash.At(crash.Staged)
	return &csi.NodeStageVolumeResponse{}, nil
}

// forNode checks what the calls of a node have in common, and takes the volume.
func (d *Driver) forNode(id string, capability *csi.VolumeCapability) (records.Volume, func(), error) {
	var volume records.Volume
	if err := supported(capability); err != nil {
		return volume, nil, err
	}
	release, err := d.busy.take(id)
	if err != nil {
		return volume, nil, err
	}
	volume, ok := d.volumes.Get(id)
	if !ok {
		release()
		return volume, nil, status.Errorf(codes.NotFound, "volume %s does not exist", id)
	}
	if volume.Block != (capability.GetBlock() != nil) {
		release()
		return volume, nil, status.Errorf(codes.FailedPrecondition, "volume %s has the other access type", id)
	}
	return volume, release, nil
}

// NodeUnstageVolume unmounts it again; the kernel detaches the device with it.
func (d *Driver) NodeUnstageVolume(_ context.Context, r *csi.NodeUnstageVolumeRequest) (*csi.NodeUnstageVolumeResponse, error) {
	if err := missing("volume_id", r.GetVolumeId()); err != nil {
		return nil, err
	}
	if err := missing("staging_target_path", r.GetStagingTargetPath()); err != nil {
		return nil, err
	}
	release, err := d.busy.take(r.GetVolumeId())
	if err != nil {
		return nil, err
	}
	defer release()
	if volume, ok := d.volumes.Get(r.GetVolumeId()); ok && volume.Block {
		return &csi.NodeUnstageVolumeResponse{}, nil
	}
	if err := mounts.Unmount(r.GetStagingTargetPath(), 0); err != nil {
		return nil, internal(err)
	}
	crash.At(crash.Unstaged)
	return &csi.NodeUnstageVolumeResponse{}, nil
}

// NodePublishVolume puts a volume where a pod finds it: its file system, or its block device.
func (d *Driver) NodePublishVolume(_ context.Context, r *csi.NodePublishVolumeRequest) (*csi.NodePublishVolumeResponse, error) {
	for field, value := range map[string]string{"volume_id": r.GetVolumeId(), "target_path": r.GetTargetPath()} {
		if err := missing(field, value); err != nil {
			return nil, err
		}
	}
	volume, release, err := d.forNode(r.GetVolumeId(), r.GetVolumeCapability())
	if err != nil {
		return nil, err
	}
	defer release()
	if r.GetStagingTargetPath() == "" {
		return nil, status.Error(codes.FailedPrecondition, "staging_target_path is missing")
	}
	mode := r.GetVolumeCapability().GetAccessMode().GetMode()
	readOnly := r.GetReadonly() || writers(mode) == 0
	if err := os.MkdirAll(filepath.Dir(r.GetTargetPath()), 0o750); err != nil {
		return nil, internal(err)
	}
	if volume.Block {
		err = d.publishBlock(volume, r.GetTargetPath(), readOnly, mode)
	} else {
		err = d.publishMount(volume, r.GetStagingTargetPath(), r.GetTargetPath(), readOnly, mode)
	}
	if err != nil {
		return nil, internal(err)
	}
	crash.At(crash.Published)
	return &csi.NodePublishVolumeResponse{}, nil
}

// NodeUnpublishVolume takes it away again, and the place it was put at.
func (d *Driver) NodeUnpublishVolume(_ context.Context, r *csi.NodeUnpublishVolumeRequest) (*csi.NodeUnpublishVolumeResponse, error) {
	if err := missing("volume_id", r.GetVolumeId()); err != nil {
		return nil, err
	}
	if err := missing("target_path", r.GetTargetPath()); err != nil {
		return nil, err
	}
	release, err := d.busy.take(r.GetVolumeId())
	if err != nil {
		return nil, err
	}
	defer release()
	if err := mounts.Unmount(r.GetTargetPath(), 0); err != nil {
		return nil, internal(err)
	}
	crash.At(crash.Unpublished)
	if err := os.Remove(r.GetTargetPath()); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, internal(err)
	}
	if volume, ok := d.volumes.Get(r.GetVolumeId()); ok && volume.Block {
		if err := d.releaseUnused(volume.ID); err != nil {
			return nil, internal(err)
		}
	}
	return &csi.NodeUnpublishVolumeResponse{}, nil
}

// NodeGetVolumeStats answers how full a volume is and how it is.
func (d *Driver) NodeGetVolumeStats(_ context.Context, r *csi.NodeGetVolumeStatsRequest) (*csi.NodeGetVolumeStatsResponse, error) {
	for field, value := range map[string]string{"volume_id": r.GetVolumeId(), "volume_path": r.GetVolumePath()} {
		if err := missing(field, value); err != nil {
			return nil, err
		}
	}
	volume, ok := d.volumes.Get(r.GetVolumeId())
	if !ok {
		return nil, status.Errorf(codes.NotFound, "volume %s does not exist", r.GetVolumeId())
	}
	if here, err := d.isThere(volume, r.GetVolumePath()); err != nil {
		return nil, internal(err)
	} else if !here {
		return nil, status.Errorf(codes.NotFound, "volume %s is not at %s", volume.ID, r.GetVolumePath())
	}
	answer := &csi.NodeGetVolumeStatsResponse{VolumeCondition: d.condition(volume)}
	if volume.Block {
		answer.Usage = []*csi.VolumeUsage{{Total: volume.Bytes, Unit: csi.VolumeUsage_BYTES}}
		return answer, nil
	}
	var stat unix.Statfs_t
	if err := unix.Statfs(r.GetVolumePath(), &stat); err != nil {
		answer.VolumeCondition = &csi.VolumeCondition{Abnormal: true, Message: "the file system does not answer: " + err.Error()}
		return answer, nil
	}
	answer.Usage = []*csi.VolumeUsage{
		{Unit: csi.VolumeUsage_BYTES, Total: int64(stat.Blocks) * stat.Bsize, Available: int64(stat.Bavail) * stat.Bsize,
			Used: int64(stat.Blocks-stat.Bfree) * stat.Bsize},
		{Unit: csi.VolumeUsage_INODES, Total: int64(stat.Files), Available: int64(stat.Ffree), Used: int64(stat.Files - stat.Ffree)},
	}
	return answer, nil
}

// NodeExpandVolume tells device and file system of the image's new size, while they are in use.
func (d *Driver) NodeExpandVolume(_ context.Context, r *csi.NodeExpandVolumeRequest) (*csi.NodeExpandVolumeResponse, error) {
	for field, value := range map[string]string{"volume_id": r.GetVolumeId(), "volume_path": r.GetVolumePath()} {
		if err := missing(field, value); err != nil {
			return nil, err
		}
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
	if r.GetCapacityRange().GetRequiredBytes() > volume.Bytes {
		return nil, status.Errorf(codes.OutOfRange, "volume %s has %d bytes; ControllerExpandVolume comes first", volume.ID, volume.Bytes)
	}
	if _, err := os.Stat(r.GetVolumePath()); err != nil {
		return nil, status.Errorf(codes.NotFound, "volume %s is not at %s", volume.ID, r.GetVolumePath())
	}
	if err := d.grow(volume); err != nil {
		return nil, internal(err)
	}
	return &csi.NodeExpandVolumeResponse{CapacityBytes: volume.Bytes}, nil
}
