package drills

import (
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/container-storage-interface/spec/lib/go/csi"
)

// write is the writer: x = i, then y = i, buffered. At every true moment y is x or one behind. Only y is brought to the
// disk all the time, as the kernel may do it with either: whoever copies the disk without a freeze finds y ahead.
func write(xPath, yPath string) int {
	x, err := os.Create(xPath)
	if err != nil {
		return 1
	}
	y, err := os.Create(yPath)
	if err != nil {
		return 1
	}
	go func() {
		for y.Sync() == nil {
			time.Sleep(time.Millisecond)
		}
	}()
	for i := uint64(1); ; i++ {
		var number [8]byte
		binary.LittleEndian.PutUint64(number[:], i)
		at := int64(i%64) * 4096
		for _, file := range []*os.File{x, y} {
			if _, err := file.WriteAt(number[:], 0); err != nil {
				return 1
			}
			if _, err := file.WriteAt(number[:], 4096+at); err != nil {
				return 1
			}
		}
	}
}

// writing starts a writer and ends it with the test, or when the answered function is called.
func writing(t *testing.T, x, y string) (end func()) {
	t.Helper()
	writer := exec.Command("/proc/self/exe", x, y)
	writer.Env = append(os.Environ(), part+"=writer")
	must(t, writer.Start())
	end = func() {
		if writer.ProcessState == nil {
			_ = writer.Process.Kill()
			_ = writer.Wait()
		}
	}
	t.Cleanup(end)
	until(t, "the writer's first numbers", func() bool {
		info, err := os.Stat(y)
		return err == nil && info.Size() > 4096
	})
	return end
}

func number(t *testing.T, path string) int64 {
	t.Helper()
	text := read(t, path)
	if len(text) < 8 {
		t.Fatalf("%s is too short: %d bytes", path, len(text))
	}
	return int64(binary.LittleEndian.Uint64([]byte(text)))
}

func wantMoment(t *testing.T, name string, x, y int64) {
	t.Helper()
	if y > x {
		t.Errorf("%s: y = %d is ahead of x = %d: no moment", name, y, x)
	} else if x-y > 1 {
		t.Errorf("%s: y = %d is %d behind x = %d: no one moment", name, y, x-y, x)
	}
}

func TestSnapshotIsOneMomentOfABufferedWriter(t *testing.T) {
	for fs, count := range map[string]int{"btrfs": 14, "xfs": 12, "none": 3} {
		t.Run(fs, func(t *testing.T) {
			b := start(t, "--fs", fs)
			volume := b.create("busy", "", asMount())
			path := b.publish(volume, asMount())
			end := writing(t, filepath.Join(path, "x"), filepath.Join(path, "y"))
			var snapshots []*csi.Snapshot
			var took time.Duration
			for i := range count {
				time.Sleep(time.Duration(3*i) * time.Millisecond)
				started := time.Now()
				snapshots = append(snapshots, b.snapshot(fmt.Sprint("moment ", i), volume))
				took += time.Since(started)
			}
			end()
			last := int64(-1)
			for i, snapshot := range snapshots {
				b.look(snapshot.GetSnapshotId(), func(path string) {
					x, y := number(t, filepath.Join(path, "x")), number(t, filepath.Join(path, "y"))
					wantMoment(t, fmt.Sprint("snapshot ", i), x, y)
					if x < last {
						t.Errorf("snapshot %d: x = %d, before it was %d", i, x, last)
					}
					last = x
				})
			}
			t.Logf("%d snapshots, %.1f ms a snapshot, %d writes", count, took.Seconds()*1000/float64(count), last)
		})
	}
}

func TestGroupSnapshotIsOneMomentOfTwoVolumes(t *testing.T) {
	b := start(t)
	one, other := b.create("one", "", asMount()), b.create("other", "", asMount())
	x, y := filepath.Join(b.publish(one, asMount()), "x"), filepath.Join(b.publish(other, asMount()), "y")
	end := writing(t, x, y)
	var groups []*csi.VolumeGroupSnapshot
	for i := range 12 {
		time.Sleep(time.Duration(3*i) * time.Millisecond)
		answer, err := b.group.CreateVolumeGroupSnapshot(ctx(t), &csi.CreateVolumeGroupSnapshotRequest{
			Name: fmt.Sprint("group ", i), SourceVolumeIds: []string{one, other}})
		must(t, err)
		groups = append(groups, answer.GetGroupSnapshot())
	}
	end()
	for i, group := range groups {
		found := map[string]int64{}
		for _, snapshot := range group.GetSnapshots() {
			if snapshot.GetGroupSnapshotId() != group.GetGroupSnapshotId() || !snapshot.GetReadyToUse() {
				t.Fatalf("a snapshot of another group, or not ready: %v", snapshot)
			}
			name := map[string]string{one: "x", other: "y"}[snapshot.GetSourceVolumeId()]
			b.look(snapshot.GetSnapshotId(), func(path string) { found[name] = number(t, filepath.Join(path, name)) })
		}
		wantMoment(t, fmt.Sprint("group ", i), found["x"], found["y"])
	}
}
