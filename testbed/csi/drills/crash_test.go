package drills

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"tidemark.test/csi/internal/crash"
)

// scene is what there is before an operation that the driver dies in.
type scene struct {
	*bed
	volume, other    string // published, with a file
	snapshot, unused string // of volume; a volume that nobody uses
	group            string
}

// operations by name: each answers the call's error. They are asked for again after the restart, as a sidecar does.
var operations = map[string]func(s *scene) error{
	"create": func(s *scene) error {
		_, err := s.control.CreateVolume(ctx(s.t), request("fresh", "", asMount()))
		return err
	},
	"restore": func(s *scene) error {
		_, err := s.control.CreateVolume(ctx(s.t), request("restored", s.snapshot, asMount()))
		return err
	},
	"clone": func(s *scene) error {
		_, err := s.control.CreateVolume(ctx(s.t), request("cloned", s.volume, asMount()))
		return err
	},
	"snapshot": func(s *scene) error {
		_, err := s.control.CreateSnapshot(ctx(s.t), &csi.CreateSnapshotRequest{Name: "point", SourceVolumeId: s.volume})
		return err
	},
	"group": func(s *scene) error {
		_, err := s.bed.group.CreateVolumeGroupSnapshot(ctx(s.t), &csi.CreateVolumeGroupSnapshotRequest{
			Name: "points", SourceVolumeIds: []string{s.volume, s.other}})
		return err
	},
	"expand": func(s *scene) error {
		_, err := s.control.ControllerExpandVolume(ctx(s.t), &csi.ControllerExpandVolumeRequest{
			VolumeId: s.unused, CapacityRange: &csi.CapacityRange{RequiredBytes: 64 << 20}})
		return err
	},
	"delete-volume": func(s *scene) error {
		_, err := s.control.DeleteVolume(ctx(s.t), &csi.DeleteVolumeRequest{VolumeId: s.unused})
		return err
	},
	"delete-snapshot": func(s *scene) error {
		_, err := s.control.DeleteSnapshot(ctx(s.t), &csi.DeleteSnapshotRequest{SnapshotId: s.snapshot})
		return err
	},
	"delete-group": func(s *scene) error {
		_, err := s.bed.group.DeleteVolumeGroupSnapshot(ctx(s.t), &csi.DeleteVolumeGroupSnapshotRequest{GroupSnapshotId: s.group})
		return err
	},
	"publish":         func(s *scene) error { return s.tryPublish(s.unused, asMount()) },
	"unpublish":       func(s *scene) error { return s.tryUnpublish(s.other) },
	"publish-block":   func(s *scene) error { return s.tryPublish(s.disk(), asBlock()) },
	"unpublish-block": func(s *scene) error { return s.tryUnpublish(s.disk()) },
}

// disk is the id of the block volume, which is published in all scenes but that of its publishing.
func (s *scene) disk() string {
	answer, err := s.control.ListVolumes(ctx(s.t), &csi.ListVolumesRequest{})
	must(s.t, err)
	return answer.GetEntries()[3].GetVolume().GetVolumeId()
}

// Which steps each operation goes through.
var deaths = map[string][]string{
	"create":          {crash.VolumeImageBegun, crash.VolumeImageMade, crash.RecordWritten, crash.VolumeRecorded},
	"restore":         {crash.VolumeImageBegun, crash.VolumeImageMade, crash.RecordWritten, crash.VolumeRecorded},
	"clone":           {crash.Frozen, crash.Thawed, crash.VolumeImageBegun, crash.VolumeImageMade, crash.RecordWritten, crash.VolumeRecorded},
	"snapshot":        {crash.Frozen, crash.Copied, crash.Thawed, crash.SnapshotImageMade, crash.RecordWritten, crash.SnapshotRecorded},
	"group":           {crash.Frozen, crash.GroupHalfCopied, crash.Copied, crash.Thawed, crash.GroupImagesMade, crash.RecordWritten, crash.GroupRecorded},
	"expand":          {crash.VolumeGrown, crash.RecordWritten},
	"delete-volume":   {crash.VolumeRecordDropped},
	"delete-snapshot": {crash.SnapshotDropped},
	"delete-group":    {crash.GroupDropped},
	"publish":         {crash.Staged, crash.Published},
	"unpublish":       {crash.Unpublished, crash.Unstaged},
	"publish-block":   {crash.Published},
	"unpublish-block": {crash.Unpublished},
}

func TestKilledAtEveryStep(t *testing.T) {
	seen := map[string]bool{}
	for _, operation := range slices.Sorted(maps.Keys(deaths)) {
		for _, step := range deaths[operation] {
			seen[step] = true
			t.Run(operation+"/"+step, func(t *testing.T) { dieAt(t, operation, step) })
		}
	}
	for _, step := range crash.Steps {
		if !seen[step] {
			t.Errorf("no operation is killed at %s", step)
		}
	}
}

func setUp(t *testing.T, operation string) *scene {
	s := &scene{bed: start(t, "--pool-size", "512M")}
	s.volume, s.other = s.create("volume", "", asMount()), s.create("other", "", asMount())
	s.unused = s.create("unused", "", asMount())
	disk := s.create("disk", "", asBlock())
	for _, id := range []string{s.volume, s.other} {
		put(t, filepath.Join(s.publish(id, asMount()), "file"), "content of "+id)
	}
	if operation != "publish-block" {
		s.publish(disk, asBlock())
	}
	s.snapshot = s.bed.snapshot("before", s.volume).GetSnapshotId()
	answer, err := s.bed.group.CreateVolumeGroupSnapshot(ctx(t), &csi.CreateVolumeGroupSnapshotRequest{
		Name: "group before", SourceVolumeIds: []string{s.volume, s.other}})
	must(t, err)
	s.group = answer.GetGroupSnapshot().GetGroupSnapshotId()
	return s
}

func dieAt(t *testing.T, operation, step string) {
	s := setUp(t, operation)
	s.kill()
	s.run("--kill-at", step)
	before := s.listed()
	wantCode(t, operations[operation](s), codes.Unavailable)
	if err := <-s.ended; err == nil || err.Error() != "signal: killed" {
		t.Fatalf("the driver is not killed: %v", err)
	}

	// Nothing stays frozen, though there is no driver that could thaw it.
	if operation != "unpublish" {
		s.wantWritable(s.other)
	}
	s.wantWritable(s.volume)

	s.run()
	after := s.listed()
	s.wantWhole()
	for _, id := range before {
		if gone := !slices.Contains(after, id); gone != strings.HasPrefix(operation, "delete-") && gone {
			t.Errorf("%s is lost", id)
		}
	}
	if got := s.usable(operation); got != nil {
		t.Error(got)
	}

	// The call is made again until it is through, and what it wants is there once.
	must(t, operations[operation](s))
	s.wantWhole()
	final := s.listed()
	must(t, operations[operation](s))
	if again := s.listed(); !slices.Equal(final, again) {
		t.Errorf("made twice: %v, %v", final, again)
	}
	wantText(t, filepath.Join(s.path("pods", s.volume), "file"), "content of "+s.volume)
	if operation == "snapshot" || operation == "group" || operation == "clone" || operation == "restore" {
		s.wantContent()
	}
}

// listed is every id that the driver lists, sorted.
func (s *scene) listed() []string {
	s.t.Helper()
	var ids []string
	volumes, err := s.control.ListVolumes(ctx(s.t), &csi.ListVolumesRequest{})
	must(s.t, err)
	for _, entry := range volumes.GetEntries() {
		ids = append(ids, entry.GetVolume().GetVolumeId())
		if entry.GetStatus().GetVolumeCondition().GetAbnormal() {
			s.t.Errorf("a half volume is listed: %v", entry)
		}
	}
	snapshots, err := s.control.ListSnapshots(ctx(s.t), &csi.ListSnapshotsRequest{})
	must(s.t, err)
	for _, entry := range snapshots.GetEntries() {
		ids = append(ids, entry.GetSnapshot().GetSnapshotId())
	}
	slices.Sort(ids)
	return ids
}

// wantWhole: every image is listed, every listed thing has an image of its size, and nothing else lies about.
func (s *scene) wantWhole() {
	s.t.Helper()
	var images []string
	for _, folder := range []string{"volumes", "snapshots"} {
		entries, err := os.ReadDir(s.path("pool.mnt", folder))
		must(s.t, err)
		for _, entry := range entries {
			id, whole := strings.CutSuffix(entry.Name(), ".img")
			if info, err := entry.Info(); err != nil || !whole || info.Size() < 32<<20 {
				s.t.Errorf("half made: %s (%v)", entry.Name(), err)
			}
			images = append(images, id)
		}
	}
	slices.Sort(images)
	if listed := s.listed(); !slices.Equal(images, listed) {
		s.t.Errorf("images %v\nlisted %v", images, listed)
	}
	fresh, _ := filepath.Glob(s.path("pool.mnt", "records", "*", "*.new"))
	if len(fresh) > 0 {
		s.t.Errorf("half written: %v", fresh)
	}
}

func (s *scene) wantWritable(id string) {
	s.t.Helper()
	done := make(chan error, 1)
	go func() {
		path := filepath.Join(s.path("pods", id), "probe")
		done <- os.WriteFile(path, []byte("x"), 0o600)
	}()
	select {
	case err := <-done:
		must(s.t, err)
	case <-time.After(patience):
		s.t.Fatalf("volume %s stays frozen", id)
	}
}

// usable says what of the published volumes is out of reach after the restart.
func (s *scene) usable(operation string) error {
	for _, id := range []string{s.volume, s.other} {
		if operation == "unpublish" && id == s.other {
			continue
		}
		if text, err := os.ReadFile(filepath.Join(s.path("pods", id), "file")); err != nil || string(text) != "content of "+id {
			return fmt.Errorf("volume %s: %q, %v", id, text, err)
		}
	}
	return nil
}

// wantContent: every snapshot is restored and has its volume's content.
func (s *scene) wantContent() {
	s.t.Helper()
	answer, err := s.control.ListSnapshots(ctx(s.t), &csi.ListSnapshotsRequest{})
	must(s.t, err)
	for _, entry := range answer.GetEntries() {
		snapshot := entry.GetSnapshot()
		s.look(snapshot.GetSnapshotId(), func(path string) {
			wantText(s.t, filepath.Join(path, "file"), "content of "+snapshot.GetSourceVolumeId())
		})
	}
}

func TestSIGTERMDetachesEverythingAndARestartHasItAll(t *testing.T) {
	b := start(t)
	volume, disk := b.create("v", "", asMount()), b.create("d", "", asBlock())
	path := b.publish(volume, asMount())
	put(t, filepath.Join(path, "file"), "kept")
	b.publish(disk, asBlock())
	open, err := os.Open(filepath.Join(path, "file")) // a pod that is not done yet
	must(t, err)
	b.stop()
	if left := b.mounted(); left != "" {
		t.Errorf("still mounted:\n%s", left)
	}
	must(t, open.Close())
	b.wantDetached()
	b.run()
	wantText(t, filepath.Join(b.publish(volume, asMount()), "file"), "kept")
}

func TestTwoCallsForOneVolume(t *testing.T) {
	b := start(t)
	b.fault("PUT", "slow-call", `{"seconds": 0.3, "methods": ["CreateSnapshot"]}`)
	volume := b.create("v", "", asMount())
	results := make(chan error, 8)
	for range cap(results) {
		go func() {
			_, err := b.control.CreateSnapshot(ctx(t), &csi.CreateSnapshotRequest{Name: "same", SourceVolumeId: volume})
			results <- err
		}()
	}
	for range cap(results) {
		if err := <-results; err != nil && status.Code(err) != codes.Aborted {
			t.Error(err)
		}
	}
	b.wantSnapshots(1)
}
