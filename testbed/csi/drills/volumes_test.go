package drills

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"golang.org/x/sys/unix"
	"google.golang.org/grpc/codes"
)

func TestSnapshotHasTheDataOfItsMoment(t *testing.T) {
	for _, fs := range []string{"btrfs", "xfs", "none"} {
		t.Run(fs, func(t *testing.T) {
			b := start(t, "--fs", fs)
			volume := b.create("shop", "", asMount())
			path := b.publish(volume, asMount())
			put(t, filepath.Join(path, "orders"), "one")
			first := b.snapshot("first", volume)
			put(t, filepath.Join(path, "orders"), "one two")
			put(t, filepath.Join(path, "later"), "new")
			second := b.snapshot("second", volume)
			must(t, os.Remove(filepath.Join(path, "orders")))
			b.look(first.GetSnapshotId(), func(path string) {
				wantText(t, filepath.Join(path, "orders"), "one")
				if _, err := os.Stat(filepath.Join(path, "later")); !os.IsNotExist(err) {
					t.Errorf("the first snapshot has a later file: %v", err)
				}
			})
			// Snapshots live on without their volume.
			b.delete(volume)
			b.look(second.GetSnapshotId(), func(path string) { wantText(t, filepath.Join(path, "orders"), "one two") })
		})
	}
}

func TestCloneIsIndependent(t *testing.T) {
	b := start(t)
	source := b.create("source", "", asMount())
	path := b.publish(source, asMount())
	put(t, filepath.Join(path, "file"), "before")
	clone := b.create("clone", source, asMount())
	put(t, filepath.Join(path, "file"), "source goes on")
	copied := b.publish(clone, asMount())
	wantText(t, filepath.Join(copied, "file"), "before")
	put(t, filepath.Join(copied, "file"), "clone goes its way")
	wantText(t, filepath.Join(path, "file"), "source goes on")
	b.delete(source)
	wantText(t, filepath.Join(copied, "file"), "clone goes its way")
	b.delete(clone)
}

// onDevice reads or writes past the page cache's delay: what is written is synced.
func onDevice(t *testing.T, path string, do func(file *os.File)) {
	t.Helper()
	file, err := os.OpenFile(path, os.O_RDWR|os.O_SYNC, 0)
	must(t, err)
	defer file.Close()
	do(file)
}

func wantOnDevice(t *testing.T, path string, want []byte) {
	t.Helper()
	onDevice(t, path, func(file *os.File) {
		got := make([]byte, len(want))
		_, err := file.ReadAt(got, 8<<20)
		must(t, err)
		if !bytes.Equal(got, want) {
			t.Fatalf("%s: want %q..., got %q...", path, want[:16], got[:16])
		}
	})
}

func TestBlockVolume(t *testing.T) {
	b := start(t)
	volume := b.create("disk", "", asBlock())
	path := b.publish(volume, asBlock())
	onDevice(t, path, func(file *os.File) {
		size, err := unix.IoctlGetInt(int(file.Fd()), unix.BLKGETSIZE64)
		must(t, err)
		if size != 32<<20 {
			t.Errorf("the device has %d bytes, not 32 MiB", size)
		}
		_, err = file.WriteAt(pattern('a', 65536), 8<<20)
		must(t, err)
	})
	snapshot := b.snapshot("disk at a", volume)
	onDevice(t, path, func(file *os.File) {
		_, err := file.WriteAt(pattern('b', 65536), 8<<20)
		must(t, err)
	})

	// A killed driver takes nothing away, and the next one knows what is published.
	b.kill()
	wantOnDevice(t, path, pattern('b', 65536))
	b.run()
	wantOnDevice(t, path, pattern('b', 65536))
	_, err := b.control.DeleteVolume(ctx(t), &csi.DeleteVolumeRequest{VolumeId: volume})
	wantCode(t, err, codes.FailedPrecondition)

	restored := b.create("restored", snapshot.GetSnapshotId(), asBlock())
	wantOnDevice(t, b.publish(restored, asBlock()), pattern('a', 65536))
	b.delete(restored)
	b.delete(volume)
	until(t, "all but the pool to be detached", func() bool {
		attached := b.attached()
		return len(attached) == 1 && strings.HasSuffix(attached[0], b.path("pool"))
	})
}

func room(t *testing.T, path string) int64 {
	var stat unix.Statfs_t
	must(t, unix.Statfs(path, &stat))
	return int64(stat.Blocks) * stat.Bsize
}

// online says whether the driver can expand a file system in use.
func (b *bed) online() bool {
	b.t.Helper()
	answer, err := csi.NewIdentityClient(b.conn).GetPluginCapabilities(ctx(b.t), &csi.GetPluginCapabilitiesRequest{})
	must(b.t, err)
	for _, capability := range answer.GetCapabilities() {
		if capability.GetVolumeExpansion().GetType() == csi.PluginCapability_VolumeExpansion_ONLINE {
			return true
		}
	}
	return false
}

func (b *bed) expand(id string, to int64) {
	b.t.Helper()
	answer, err := b.control.ControllerExpandVolume(ctx(b.t), &csi.ControllerExpandVolumeRequest{
		VolumeId: id, CapacityRange: &csi.CapacityRange{RequiredBytes: to}})
	must(b.t, err)
	if answer.GetCapacityBytes() != to || !answer.GetNodeExpansionRequired() {
		b.t.Fatalf("expand to %d: %v", to, answer)
	}
	_, err = b.node.NodeExpandVolume(ctx(b.t), &csi.NodeExpandVolumeRequest{VolumeId: id, VolumePath: b.path("pods", id)})
	must(b.t, err)
}

func TestExpansion(t *testing.T) {
	b := start(t)
	volume, disk := b.create("grows", "", asMount()), b.create("disk grows", "", asBlock())
	path, device := b.publish(volume, asMount()), b.publish(disk, asBlock())
	put(t, filepath.Join(path, "kept"), "kept")
	before := room(t, path)
	if !b.online() {
		// Without CAP_SYS_RESOURCE the kernel grows no mounted ext4: said at once, done when it is not in use.
		_, err := b.control.ControllerExpandVolume(ctx(t), &csi.ControllerExpandVolumeRequest{
			VolumeId: volume, CapacityRange: &csi.CapacityRange{RequiredBytes: 96 << 20}})
		wantCode(t, err, codes.FailedPrecondition)
		must(t, b.tryUnpublish(volume))
	}
	answer, err := b.control.ControllerExpandVolume(ctx(t), &csi.ControllerExpandVolumeRequest{
		VolumeId: volume, CapacityRange: &csi.CapacityRange{RequiredBytes: 96 << 20}})
	must(t, err)
	if answer.GetCapacityBytes() != 96<<20 || !answer.GetNodeExpansionRequired() {
		t.Errorf("%v", answer)
	}
	b.publish(volume, asMount())
	b.expand(volume, 96<<20)
	if after := room(t, path); after < before+48<<20 {
		t.Errorf("the file system had %d bytes, has %d", before, after)
	}
	wantText(t, filepath.Join(path, "kept"), "kept")
	must(t, os.WriteFile(filepath.Join(path, "more"), pattern('o', 48<<20), 0o600))
	open, err := os.OpenFile(device, os.O_RDWR, 0)
	must(t, err)
	b.expand(disk, 96<<20)
	if size, err := unix.IoctlGetInt(int(open.Fd()), unix.BLKGETSIZE64); err != nil || size != 96<<20 {
		t.Errorf("the device has %d bytes, not 96 MiB (%v)", size, err)
	}
	must(t, open.Close())

	// A restored volume may be larger than its snapshot; its file system is, too.
	snapshot := b.snapshot("grown", volume)
	larger := request("larger", snapshot.GetSnapshotId(), asMount())
	larger.CapacityRange.RequiredBytes = 256 << 20
	restored, err := b.control.CreateVolume(ctx(t), larger)
	must(t, err)
	if has := room(t, b.publish(restored.GetVolume().GetVolumeId(), asMount())); has < 200<<20 {
		t.Errorf("the restored file system has %d bytes", has)
	}
	smaller := request("smaller", snapshot.GetSnapshotId(), asMount())
	_, err = b.control.CreateVolume(ctx(t), smaller)
	wantCode(t, err, codes.OutOfRange)
}

func TestSizeIsALimit(t *testing.T) {
	b := start(t)
	path := b.publish(b.create("small", "", asMount()), asMount())
	err := os.WriteFile(filepath.Join(path, "too much"), make([]byte, 64<<20), 0o600)
	if err == nil {
		t.Error("64 MiB went into a volume of 32 MiB")
	}
	wide := request("wide", "", asMount())
	wide.CapacityRange = &csi.CapacityRange{RequiredBytes: 100 << 30}
	_, err = b.control.CreateVolume(ctx(t), wide)
	wantCode(t, err, codes.ResourceExhausted)
	wide.CapacityRange = &csi.CapacityRange{LimitBytes: 1 << 20}
	_, err = b.control.CreateVolume(ctx(t), wide)
	wantCode(t, err, codes.OutOfRange)
}

func TestFullPool(t *testing.T) {
	b := start(t, "--pool-size", "400M", "--fs", "btrfs")
	wide := request("thin", "", asMount())
	wide.CapacityRange.RequiredBytes = 2 << 30
	answer, err := b.control.CreateVolume(ctx(t), wide)
	must(t, err)
	path := b.publish(answer.GetVolume().GetVolumeId(), asMount())
	file, err := os.Create(filepath.Join(path, "data"))
	must(t, err)
	defer file.Close()
	for i := 0; err == nil && i < 600; i++ {
		if _, err = file.Write(pattern(byte(i), 1<<20)); err == nil {
			err = file.Sync()
		}
	}
	if err == nil {
		t.Error("600 MiB went into a pool of 400")
	}
}

func TestListsComeInPages(t *testing.T) {
	b := start(t)
	volume := b.create("paged", "", asMount())
	made := map[string]bool{}
	for i := range 7 {
		made[b.snapshot(fmt.Sprint("page ", i), volume).GetSnapshotId()] = true
	}
	token, pages := "", 0
	for {
		answer, err := b.control.ListSnapshots(ctx(t), &csi.ListSnapshotsRequest{MaxEntries: 3, StartingToken: token, SourceVolumeId: volume})
		must(t, err)
		pages++
		for _, entry := range answer.GetEntries() {
			id := entry.GetSnapshot().GetSnapshotId()
			if !made[id] {
				t.Errorf("page %d: %s is unknown or was given before", pages, id)
			}
			delete(made, id)
			// What is deleted meanwhile hides nothing of the next page.
			_, err := b.control.DeleteSnapshot(ctx(t), &csi.DeleteSnapshotRequest{SnapshotId: id})
			must(t, err)
		}
		if token = answer.GetNextToken(); token == "" {
			break
		}
	}
	if pages != 3 || len(made) > 0 {
		t.Errorf("%d pages, missing: %v", pages, made)
	}
	_, err := b.control.ListSnapshots(ctx(t), &csi.ListSnapshotsRequest{StartingToken: "garbage"})
	wantCode(t, err, codes.Aborted)
}

func TestSnapshotOfAVolumeThatAHookFroze(t *testing.T) {
	b := start(t)
	volume := b.create("hooked", "", asMount())
	path := b.publish(volume, asMount())
	put(t, filepath.Join(path, "file"), "quiet")
	folder, err := os.Open(path)
	must(t, err)
	defer folder.Close()
	const freeze, thaw = 0xC0045877, 0xC0045878
	must(t, unix.IoctlSetInt(int(folder.Fd()), freeze, 0))
	// A file system that stays frozen stays on the machine for ever, whatever becomes of this test.
	defer func() { _ = unix.IoctlSetInt(int(folder.Fd()), thaw, 0) }()
	snapshot := b.snapshot("in a hook", volume)
	// It is the hook's to thaw: still frozen here.
	must(t, unix.IoctlSetInt(int(folder.Fd()), thaw, 0))
	b.look(snapshot.GetSnapshotId(), func(path string) { wantText(t, filepath.Join(path, "file"), "quiet") })
}

func TestReadOnlyAndStats(t *testing.T) {
	b := start(t)
	volume := b.create("read", "", asMount())
	path := b.publish(volume, asMount())
	put(t, filepath.Join(path, "file"), "text")
	_, err := b.node.NodePublishVolume(ctx(t), &csi.NodePublishVolumeRequest{VolumeId: volume, Readonly: true,
		StagingTargetPath: b.path("staging", volume), TargetPath: b.path("pods", "reader"), VolumeCapability: asMount()})
	must(t, err)
	wantText(t, b.path("pods", "reader", "file"), "text")
	if err := os.WriteFile(b.path("pods", "reader", "file"), nil, 0o600); err == nil {
		t.Error("a read-only place was written to")
	}
	stats, err := b.node.NodeGetVolumeStats(ctx(t), &csi.NodeGetVolumeStatsRequest{VolumeId: volume, VolumePath: path})
	must(t, err)
	if len(stats.GetUsage()) != 2 || stats.GetUsage()[0].GetTotal() < 20<<20 || stats.GetVolumeCondition().GetAbnormal() {
		t.Errorf("stats: %v", stats)
	}
	must(t, os.Truncate(b.path("pool.mnt", "volumes", volume+".img"), 1<<20))
	got, err := b.control.ControllerGetVolume(ctx(t), &csi.ControllerGetVolumeRequest{VolumeId: volume})
	must(t, err)
	if !got.GetStatus().GetVolumeCondition().GetAbnormal() {
		t.Errorf("a volume whose image lost its end is called normal: %v", got)
	}
}
