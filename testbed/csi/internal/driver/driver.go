// Package driver is the CSI driver: identity, controller, group controller and node in one process, as one node's worth
// of storage that several kubelets of a test bed may use.
package driver

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"tidemark.test/csi/internal/fault"
	"tidemark.test/csi/internal/freeze"
	"tidemark.test/csi/internal/loop"
	"tidemark.test/csi/internal/mounts"
	"tidemark.test/csi/internal/pool"
	"tidemark.test/csi/internal/records"
)

// Options are what a driver is started with.
type Options struct {
	Name       string
	NodeID     string
	MaxVolumes int64
	Overcommit float64 // how many times the pool's size may be promised
	Snapshots  bool    // without, a driver that can take none
	Attach     bool    // wants ControllerPublishVolume, so an external-attacher
}

// Driver serves the CSI calls.
type Driver struct {
	csi.UnimplementedIdentityServer
	csi.UnimplementedControllerServer
	csi.UnimplementedGroupControllerServer
	csi.UnimplementedNodeServer

	options   Options
	pool      *pool.Pool
	faults    *fault.Switches
	volumes   *records.Table[records.Volume]
	snapshots *records.Table[records.Snapshot]
	groups    *records.Table[records.Group]
	seq       atomic.Int64
	busy      busy
	stale     atomic.Pointer[lists]
	provision sync.Mutex // between looking how much is promised and promising more
}

// New reads the pool's records, removes what a killed driver left half made, and thaws what it left frozen.
func New(options Options, p *pool.Pool, faults *fault.Switches) (*Driver, error) {
	d := &Driver{options: options, pool: p, faults: faults}
	var err error
	if d.volumes, err = records.Open[records.Volume](filepath.Join(p.Root, "records", "volumes")); err != nil {
		return nil, err
	}
	if d.snapshots, err = records.Open[records.Snapshot](filepath.Join(p.Root, "records", "snapshots")); err != nil {
		return nil, err
	}
	if d.groups, err = records.Open[records.Group](filepath.Join(p.Root, "records", "groups")); err != nil {
		return nil, err
	}
	if err := d.sweep(); err != nil {
		return nil, err
	}
	if err := d.settle(); err != nil {
		return nil, err
	}
	d.seq.Store(time.Now().UnixNano()) // larger than any before, without reading them
	faults.Changed = d.faultChanged
	for name := range faults.All() {
		d.faultChanged(name, true)
	}
	return d, nil
}

func (d *Driver) sweep() error {
	swept, err := d.pool.Sweep(volumeFolder, func(id string) bool { _, ok := d.volumes.Get(id); return ok })
	if err != nil {
		return err
	}
	more, err := d.pool.Sweep(snapshotFolder, func(id string) bool { _, ok := d.snapshot(id); return ok })
	for _, name := range append(swept, more...) {
		log.Printf("removed %s: the driver before was killed while it was made or deleted", name)
	}
	return err
}

// settle thaws what was left frozen, and lets go of devices that were attached to be published and then were not.
func (d *Driver) settle() error {
	for _, volume := range d.volumes.All() {
		points, _, err := d.mountedAt(volume.ID)
		if errors.Is(err, os.ErrNotExist) {
			continue // a lost image is told as the volume's condition
		}
		if err != nil {
			return err
		}
		for _, point := range points {
			if err := freeze.Thaw(point); err != nil {
				return err
			}
		}
		if volume.Block {
			if err := d.releaseUnused(volume.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

const (
	volumeFolder   = "volumes"
	snapshotFolder = "snapshots"
)

// Register offers the services.
func (d *Driver) Register(server *grpc.Server) {
	csi.RegisterIdentityServer(server, d)
	csi.RegisterControllerServer(server, d)
	csi.RegisterNodeServer(server, d)
	if d.options.Snapshots {
		csi.RegisterGroupControllerServer(server, d)
	}
}

// mountedAt answers one mount point of each file system that is mounted from the volume's image, and its devices.
func (d *Driver) mountedAt(id string) ([]string, []loop.Device, error) {
	devices, err := loop.Of(d.pool.Image(volumeFolder, id))
	if err != nil {
		return nil, nil, err
	}
	var points []string
	for _, device := range devices {
		found, err := mounts.OfLoop(device.Number)
		if err != nil {
			return nil, nil, err
		}
		if len(found) > 0 && !device.ReadOnly {
			points = append(points, found[0].Point)
		}
	}
	return points, devices, nil
}

// snapshot finds one, alone or in a group.
func (d *Driver) snapshot(id string) (records.Snapshot, bool) {
	if found, ok := d.snapshots.Get(id); ok {
		return found, true
	}
	for _, group := range d.groups.All() {
		for _, member := range group.Members {
			if member.ID == id {
				return member, true
			}
		}
	}
	return records.Snapshot{}, false
}

func (d *Driver) allSnapshots() []records.Snapshot {
	all := d.snapshots.All()
	for _, group := range d.groups.All() {
		all = append(all, group.Members...)
	}
	slices.SortFunc(all, func(a, b records.Snapshot) int { return int(a.Seq - b.Seq) })
	return all
}

// busy are the volumes, snapshots and names that a call is at work on.
type busy struct {
	lock sync.Mutex
	now  map[string]bool
}

// take refuses a second call for the same thing, as the specification wants it.
func (b *busy) take(things ...string) (release func(), err error) {
	b.lock.Lock()
	defer b.lock.Unlock()
	for _, thing := range things {
		if b.now[thing] {
			return nil, status.Errorf(codes.Aborted, "an operation on %s is going on", thing)
		}
	}
	if b.now == nil {
		b.now = map[string]bool{}
	}
	for _, thing := range things {
		b.now[thing] = true
	}
	return func() {
		b.lock.Lock()
		defer b.lock.Unlock()
		for _, thing := range things {
			delete(b.now, thing)
		}
	}, nil
}

// Log writes a line for each call.
func Log(ctx context.Context, request any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
	started := time.Now()
	answer, err := handle(ctx, request)
	method := info.FullMethod[strings.LastIndexByte(info.FullMethod, '/')+1:]
	outcome := "OK"
	if err != nil {
		outcome = fmt.Sprintf("%s: %s", status.Code(err), status.Convert(err).Message())
	}
	if method != "Probe" {
		log.Printf("%s %s %.1f ms %s", method, subject(request), float64(time.Since(started).Microseconds())/1000, outcome)
	}
	return answer, err
}

func subject(request any) string {
	var words []string
	if r, ok := request.(interface{ GetName() string }); ok {
		words = append(words, r.GetName())
	}
	if r, ok := request.(interface{ GetSourceVolumeId() string }); ok && r.GetSourceVolumeId() != "" {
		words = append(words, "of "+r.GetSourceVolumeId())
	}
	if r, ok := request.(interface{ GetVolumeId() string }); ok {
		words = append(words, r.GetVolumeId())
	}
	if r, ok := request.(interface{ GetSnapshotId() string }); ok && r.GetSnapshotId() != "" {
		words = append(words, r.GetSnapshotId())
	}
	return strings.Join(words, " ")
}

// internal makes an error that no rule of the specification speaks of one that a caller retries.
func internal(err error) error {
	if err == nil {
		return nil
	}
	if _, is := status.FromError(err); is {
		return err
	}
	if noRoom(err) {
		return status.Errorf(codes.ResourceExhausted, "the pool is full: %v", err)
	}
	return status.Error(codes.Internal, err.Error())
}
