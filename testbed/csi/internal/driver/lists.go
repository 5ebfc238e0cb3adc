package driver

import (
	"context"
	"fmt"
	"os"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"tidemark.test/csi/internal/fault"
	"tidemark.test/csi/internal/loop"
	"tidemark.test/csi/internal/records"
)

// lists are what there was at some moment.
type lists struct {
	volumes   []records.Volume
	snapshots []records.Snapshot
}

// now answers what there is; with the fault stale-list, what there was when it was switched on.
func (d *Driver) now() lists {
	if _, on := d.faults.Strikes(fault.StaleList, ""); on {
		if stale := d.stale.Load(); stale != nil {
			return *stale
		}
	}
	return lists{d.volumes.All(), d.allSnapshots()}
}

func (d *Driver) faultChanged(name string, on bool) {
	if name != fault.StaleList {
		return
	}
	d.stale.Store(nil)
	if on {
		d.stale.Store(&lists{d.volumes.All(), d.allSnapshots()})
	}
}

// ListVolumes answers all volumes, oldest first, in pages.
func (d *Driver) ListVolumes(_ context.Context, r *csi.ListVolumesRequest) (*csi.ListVolumesResponse, error) {
	entries, next, err := page(d.now().volumes, func(v records.Volume) int64 { return v.Seq }, r.GetStartingToken(), r.GetMaxEntries())
	if err != nil {
		return nil, err
	}
	answer := &csi.ListVolumesResponse{NextToken: next}
	for _, volume := range entries {
		answer.Entries = append(answer.Entries, &csi.ListVolumesResponse_Entry{
			Volume: described(volume),
			Status: &csi.ListVolumesResponse_VolumeStatus{PublishedNodeIds: nodes(volume), VolumeCondition: d.condition(volume)},
		})
	}
	return answer, nil
}

// ControllerGetVolume answers one volume and how it is.
func (d *Driver) ControllerGetVolume(_ context.Context, r *csi.ControllerGetVolumeRequest) (*csi.ControllerGetVolumeResponse, error) {
	if err := missing("volume_id", r.GetVolumeId()); err != nil {
		return nil, err
	}
	volume, ok := d.volumes.Get(r.GetVolumeId())
	if !ok {
		return nil, status.Errorf(codes.NotFound, "volume %s does not exist", r.GetVolumeId())
	}
	return &csi.ControllerGetVolumeResponse{
		Volume: described(volume),
		Status: &csi.ControllerGetVolumeResponse_VolumeStatus{PublishedNodeIds: nodes(volume), VolumeCondition: d.condition(volume)},
	}, nil
}

// ValidateVolumeCapabilities confirms what the volume can.
func (d *Driver) ValidateVolumeCapabilities(_ context.Context, r *csi.ValidateVolumeCapabilitiesRequest) (*csi.ValidateVolumeCapabilitiesResponse, error) {
	if err := missing("volume_id", r.GetVolumeId()); err != nil {
		return nil, err
	}
	if len(r.GetVolumeCapabilities()) == 0 {
		return nil, status.Error(codes.InvalidArgument, "volume capabilities are missing")
	}
	volume, ok := d.volumes.Get(r.GetVolumeId())
	if !ok {
		return nil, status.Errorf(codes.NotFound, "volume %s does not exist", r.GetVolumeId())
	}
	block, err := access(r.GetVolumeCapabilities())
	if err == nil && block != volume.Block {
		err = status.Error(codes.InvalidArgument, "the volume has the other access type")
	}
	if err != nil {
		return &csi.ValidateVolumeCapabilitiesResponse{Message: status.Convert(err).Message()}, nil
	}
	return &csi.ValidateVolumeCapabilitiesResponse{Confirmed: &csi.ValidateVolumeCapabilitiesResponse_Confirmed{
		VolumeContext: r.GetVolumeContext(), VolumeCapabilities: r.GetVolumeCapabilities(), Parameters: r.GetParameters(),
		MutableParameters: r.GetMutableParameters(),
	}}, nil
}

// GetCapacity answers what may still be promised.
func (d *Driver) GetCapacity(_ context.Context, r *csi.GetCapacityRequest) (*csi.GetCapacityResponse, error) {
	available, err := d.available()
	if err != nil {
		return nil, internal(err)
	}
	if _, exhausted := d.faults.Strikes(fault.CapacityExhausted, ""); exhausted {
		available = 0
	}
	if len(r.GetVolumeCapabilities()) > 0 {
		if _, err := access(r.GetVolumeCapabilities()); err != nil {
			available = 0
		}
	}
	return &csi.GetCapacityResponse{
		AvailableCapacity: available, MaximumVolumeSize: wrapperspb.Int64(min(available, largest)),
		MinimumVolumeSize: wrapperspb.Int64(smallest),
	}, nil
}

// ListSnapshots answers all snapshots, or those of a volume, or one; oldest first, in pages.
func (d *Driver) ListSnapshots(_ context.Context, r *csi.ListSnapshotsRequest) (*csi.ListSnapshotsResponse, error) {
	if !d.options.Snapshots {
		return nil, status.Error(codes.Unimplemented, "this driver takes no snapshots")
	}
	var fitting []records.Snapshot
	for _, snapshot := range d.now().snapshots {
		if (r.GetSnapshotId() == "" || r.GetSnapshotId() == snapshot.ID) &&
			(r.GetSourceVolumeId() == "" || r.GetSourceVolumeId() == snapshot.VolumeID) {
			fitting = append(fitting, snapshot)
		}
	}
	entries, next, err := page(fitting, func(s records.Snapshot) int64 { return s.Seq }, r.GetStartingToken(), r.GetMaxEntries())
	if err != nil {
		return nil, err
	}
	answer := &csi.ListSnapshotsResponse{NextToken: next}
	for _, snapshot := range entries {
		answer.Entries = append(answer.Entries, &csi.ListSnapshotsResponse_Entry{Snapshot: d.describe(snapshot)})
	}
	return answer, nil
}

// GetSnapshot answers one.
func (d *Driver) GetSnapshot(_ context.Context, r *csi.GetSnapshotRequest) (*csi.GetSnapshotResponse, error) {
	if !d.options.Snapshots {
		return nil, status.Error(codes.Unimplemented, "this driver takes no snapshots")
	}
	if err := missing("snapshot_id", r.GetSnapshotId()); err != nil {
		return nil, err
	}
	snapshot, ok := d.snapshot(r.GetSnapshotId())
	if !ok {
		return nil, status.Errorf(codes.NotFound, "snapshot %s does not exist", r.GetSnapshotId())
	}
	return &csi.GetSnapshotResponse{Snapshot: d.describe(snapshot)}, nil
}

func described(volume records.Volume) *csi.Volume {
	answer := &csi.Volume{VolumeId: volume.ID, CapacityBytes: volume.Bytes}
	if volume.SourceSnapshot != "" {
		answer.ContentSource = &csi.VolumeContentSource{Type: &csi.VolumeContentSource_Snapshot{
			Snapshot: &csi.VolumeContentSource_SnapshotSource{SnapshotId: volume.SourceSnapshot}}}
	}
	if volume.SourceVolume != "" {
		answer.ContentSource = &csi.VolumeContentSource{Type: &csi.VolumeContentSource_Volume{
			Volume: &csi.VolumeContentSource_VolumeSource{VolumeId: volume.SourceVolume}}}
	}
	return answer
}

func (d *Driver) describe(snapshot records.Snapshot) *csi.Snapshot {
	return &csi.Snapshot{
		SnapshotId: snapshot.ID, SourceVolumeId: snapshot.VolumeID, SizeBytes: snapshot.Bytes,
		CreationTime: timestamppb.New(snapshot.Created), ReadyToUse: d.ready(snapshot), GroupSnapshotId: snapshot.GroupID,
	}
}

// condition is the controller's view: is the image there, and has it its size?
func (d *Driver) condition(volume records.Volume) *csi.VolumeCondition {
	if _, bad := d.faults.Strikes(fault.VolumeAbnormal, fmt.Sprint(volume)); bad {
		return &csi.VolumeCondition{Abnormal: true, Message: "the storage system reports the volume as degraded (fault volume-abnormal)"}
	}
	image := d.pool.Image(volumeFolder, volume.ID)
	info, err := os.Stat(image)
	if err != nil {
		return &csi.VolumeCondition{Abnormal: true, Message: "the image is lost: " + err.Error()}
	}
	if info.Size() < volume.Bytes {
		return &csi.VolumeCondition{Abnormal: true, Message: fmt.Sprintf("the image has %d bytes of %d", info.Size(), volume.Bytes)}
	}
	if devices, err := loop.Of(image); err == nil && len(devices) > 0 {
		return &csi.VolumeCondition{Message: "in use as " + devices[0].Path()}
	}
	return &csi.VolumeCondition{Message: "healthy"}
}

func nodes(volume records.Volume) []string {
	var names []string
	for name := range volume.Attached {
		names = append(names, name)
	}
	return names
}
