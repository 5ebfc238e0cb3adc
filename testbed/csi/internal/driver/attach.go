package driver

import (
	"context"
	"maps"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"tidemark.test/csi/internal/records"
)

// ControllerPublishVolume attaches a volume to the node: it is only remembered, and refused where it would be refused
// by a storage system whose volumes are for one node.
func (d *Driver) ControllerPublishVolume(_ context.Context, r *csi.ControllerPublishVolumeRequest) (*csi.ControllerPublishVolumeResponse, error) {
	if !d.options.Attach {
		return nil, status.Error(codes.Unimplemented, "this driver attaches nothing")
	}
	if err := missing("volume_id", r.GetVolumeId()); err != nil {
		return nil, err
	}
	if err := missing("node_id", r.GetNodeId()); err != nil {
		return nil, err
	}
	if err := supported(r.GetVolumeCapability()); err != nil {
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
	if r.GetNodeId() != d.options.NodeID {
		return nil, status.Errorf(codes.NotFound, "node %s does not exist", r.GetNodeId())
	}
	mode := r.GetVolumeCapability().GetAccessMode().GetMode()
	wish := records.Attachment{ReadOnly: r.GetReadonly(), Mode: int32(mode), Block: r.GetVolumeCapability().GetBlock() != nil}
	if old, there := volume.Attached[r.GetNodeId()]; there {
		if old != wish {
			return nil, status.Errorf(codes.AlreadyExists, "volume %s is attached to %s in another way", volume.ID, r.GetNodeId())
		}
		return &csi.ControllerPublishVolumeResponse{}, nil
	}
	if d.options.MaxVolumes > 0 && d.attachedCount() >= d.options.MaxVolumes {
		return nil, status.Errorf(codes.ResourceExhausted, "node %s has %d volumes, the most it can", r.GetNodeId(), d.options.MaxVolumes)
	}
	attached := maps.Clone(volume.Attached)
	if attached == nil {
		attached = map[string]records.Attachment{}
	}
	attached[r.GetNodeId()] = wish
	volume.Attached = attached
	if err := d.volumes.Put(volume); err != nil {
		return nil, internal(err)
	}
	return &csi.ControllerPublishVolumeResponse{}, nil
}

func (d *Driver) attachedCount() (count int64) {
	for _, volume := range d.volumes.All() {
		if _, there := volume.Attached[d.options.NodeID]; there {
			count++
		}
	}
	return count
}

// ControllerUnpublishVolume detaches a volume from a node, or from all.
func (d *Driver) ControllerUnpublishVolume(_ context.Context, r *csi.ControllerUnpublishVolumeRequest) (*csi.ControllerUnpublishVolumeResponse, error) {
	if !d.options.Attach {
		return nil, status.Error(codes.Unimplemented, "this driver attaches nothing")
	}
	if err := missing("volume_id", r.GetVolumeId()); err != nil {
		return nil, err
	}
	release, err := d.busy.take(r.GetVolumeId())
	if err != nil {
		return nil, err
	}
	defer release()
	volume, ok := d.volumes.Get(r.GetVolumeId())
	if !ok || len(volume.Attached) == 0 {
		return &csi.ControllerUnpublishVolumeResponse{}, nil
	}
	attached := maps.Clone(volume.Attached)
	if r.GetNodeId() == "" {
		clear(attached)
	}
	delete(attached, r.GetNodeId())
	volume.Attached = attached
	if err := d.volumes.Put(volume); err != nil {
		return nil, internal(err)
	}
	return &csi.ControllerUnpublishVolumeResponse{}, nil
}
