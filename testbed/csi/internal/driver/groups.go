package driver

import (
	"context"
	"fmt"
	"os"
	"slices"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"

	"tidemark.test/csi/internal/crash"
	"tidemark.test/csi/internal/pool"
	"tidemark.test/csi/internal/records"
)

// CreateVolumeGroupSnapshot takes snapshots of several volumes at one moment: freeze all, copy all, thaw all.
func (d *Driver) CreateVolumeGroupSnapshot(_ context.Context, r *csi.CreateVolumeGroupSnapshotRequest) (*csi.CreateVolumeGroupSnapshotResponse, error) {
	if err := missing("name", r.GetName()); err != nil {
		return nil, err
	}
	if len(r.GetSourceVolumeIds()) == 0 {
		return nil, status.Error(codes.InvalidArgument, "source_volume_ids are missing")
	}
	ids := slices.Sorted(slices.Values(r.GetSourceVolumeIds()))
	if len(slices.Compact(slices.Clone(ids))) != len(ids) {
		return nil, status.Error(codes.InvalidArgument, "source_volume_ids name a volume twice")
	}
	release, err := d.busy.take(append([]string{"group snapshot named " + r.GetName()}, ids...)...)
	if err != nil {
		return nil, err
	}
	defer release()
	if old, ok := d.groups.Named(r.GetName()); ok {
		if !slices.Equal(old.VolumeIDs, ids) {
			return nil, status.Errorf(codes.AlreadyExists, "group snapshot %s has this name and other volumes", old.ID)
		}
		return &csi.CreateVolumeGroupSnapshotResponse{GroupSnapshot: d.describeGroup(old)}, nil
	}
	group, err := d.makeGroup(r, ids)
	if err != nil {
		return nil, internal(err)
	}
	return &csi.CreateVolumeGroupSnapshotResponse{GroupSnapshot: d.describeGroup(group)}, nil
}

func (d *Driver) makeGroup(r *csi.CreateVolumeGroupSnapshotRequest, ids []string) (records.Group, error) {
	group := records.Group{ID: newID("group"), Name: r.GetName(), Seq: d.seq.Add(1), VolumeIDs: ids, Parameters: r.GetParameters()}
	var volumes []records.Volume
	var drafts []pool.Draft
	for i, id := range ids {
		volume, ok := d.volumes.Get(id)
		if !ok {
			return group, status.Errorf(codes.NotFound, "volume %s does not exist", id)
		}
		member := d.snapshotOf(volume, fmt.Sprintf("%s-%d", r.GetName(), i), r.GetParameters())
		member.GroupID = group.ID
		group.Members = append(group.Members, member)
		volumes = append(volumes, volume)
		drafts = append(drafts, d.pool.New(snapshotFolder, member.ID))
	}
	moment, err := d.copyImages(volumes, drafts)
	if err != nil {
		return group, err
	}
	crash.At(crash.GroupImagesMade)
	group.Created = moment
	for i := range group.Members {
		group.Members[i].Created = moment
		group.Members[i].ReadyAt = d.readyAt(group.Members[i], "CreateVolumeGroupSnapshot")
	}
	if err := d.groups.Put(group); err != nil {
		for _, draft := range drafts {
			draft.Remove()
		}
		return group, err
	}
	crash.At(crash.GroupRecorded)
	return group, nil
}

// GetVolumeGroupSnapshot answers one group.
func (d *Driver) GetVolumeGroupSnapshot(_ context.Context, r *csi.GetVolumeGroupSnapshotRequest) (*csi.GetVolumeGroupSnapshotResponse, error) {
	if err := missing("group_snapshot_id", r.GetGroupSnapshotId()); err != nil {
		return nil, err
	}
	group, ok := d.groups.Get(r.GetGroupSnapshotId())
	if !ok {
		return nil, status.Errorf(codes.NotFound, "group snapshot %s does not exist", r.GetGroupSnapshotId())
	}
	if err := sameMembers(group, r.GetSnapshotIds()); err != nil {
		return nil, err
	}
	return &csi.GetVolumeGroupSnapshotResponse{GroupSnapshot: d.describeGroup(group)}, nil
}

// DeleteVolumeGroupSnapshot deletes a group with its snapshots.
func (d *Driver) DeleteVolumeGroupSnapshot(_ context.Context, r *csi.DeleteVolumeGroupSnapshotRequest) (*csi.DeleteVolumeGroupSnapshotResponse, error) {
	id := r.GetGroupSnapshotId()
	if err := missing("group_snapshot_id", id); err != nil {
		return nil, err
	}
	release, err := d.busy.take(id)
	if err != nil {
		return nil, err
	}
	defer release()
	group, ok := d.groups.Get(id)
	if !ok {
		return &csi.DeleteVolumeGroupSnapshotResponse{}, nil
	}
	if err := sameMembers(group, r.GetSnapshotIds()); err != nil {
		return nil, err
	}
	if err := d.groups.Drop(id); err != nil {
		return nil, internal(err)
	}
	crash.At(crash.GroupDropped)
	for _, member := range group.Members {
		if err := os.Remove(d.pool.Image(snapshotFolder, member.ID)); err != nil && !os.IsNotExist(err) {
			return nil, internal(err)
		}
	}
	return &csi.DeleteVolumeGroupSnapshotResponse{}, nil
}

func sameMembers(group records.Group, ids []string) error {
	for _, id := range ids {
		if !slices.ContainsFunc(group.Members, func(s records.Snapshot) bool { return s.ID == id }) {
			return status.Errorf(codes.InvalidArgument, "snapshot %s is none of group snapshot %s", id, group.ID)
		}
	}
	if len(ids) > 0 && len(ids) != len(group.Members) {
		return status.Errorf(codes.InvalidArgument, "group snapshot %s has %d snapshots, %d are named", group.ID, len(group.Members), len(ids))
	}
	return nil
}

func (d *Driver) describeGroup(group records.Group) *csi.VolumeGroupSnapshot {
	answer := &csi.VolumeGroupSnapshot{GroupSnapshotId: group.ID, CreationTime: timestamppb.New(group.Created), ReadyToUse: true}
	for _, member := range group.Members {
		snapshot := d.describe(member)
		answer.Snapshots = append(answer.Snapshots, snapshot)
		answer.ReadyToUse = answer.ReadyToUse && snapshot.ReadyToUse
	}
	return answer
}
