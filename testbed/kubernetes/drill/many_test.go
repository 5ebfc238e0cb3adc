package drill

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// How large the loops are: TM_SCALE=10 asks for the full numbers, 1 is enough for every day.
func scale() int {
	number, err := strconv.Atoi(os.Getenv("TM_SCALE"))
	if err != nil || number < 1 {
		return 1
	}
	return number
}

// The loop devices whose file is in the bed's folder, while it is there and after.
func (b *drilled) loops() (found []string) {
	files, _ := filepath.Glob("/sys/block/loop*/loop/backing_file")
	for _, file := range files {
		if text, err := os.ReadFile(file); err == nil && strings.Contains(string(text), b.dir) {
			found = append(found, strings.Split(file, "/")[3])
		}
	}
	return found
}

// A bed without a node makes no cgroups: each process is where the drill is.
func (b *drilled) expectNoCgroups() {
	b.Helper()
	own, _ := os.ReadFile("/proc/self/cgroup")
	for pid, line := range b.processes() {
		if text, err := os.ReadFile("/proc/" + pid + "/cgroup"); err == nil && string(text) != string(own) {
			b.Errorf("in cgroups of its own: %s", line)
		}
	}
}

// Starts a control plane with volumes, ends it, and looks for what is left of it.
func (b *drilled) upAndDown(temporary string) {
	b.Helper()
	b.up("--csi")
	memory, loops := b.memory(), len(b.loops())
	traces := b.traces()
	b.expectNoCgroups()
	started := time.Now()
	b.must("down")
	took := time.Since(started).Seconds()
	b.expectNothing(traces)
	b.until("the loop devices of the bed to be gone", func() bool { return len(b.loops()) == 0 })
	if _, err := os.Stat(b.dir); !os.IsNotExist(err) {
		b.Errorf("the folder is still there: %v", err)
	}
	if files, err := os.ReadDir(temporary); err != nil || len(files) > 0 {
		b.Errorf("in the folder for temporary files: %v %v", files, err)
	}
	b.Logf("down in %.1f s, nothing left (of %d loop devices); %s", took, loops, memory)
}

// A folder for temporary files that nobody but the beds of a test uses.
func temporaryFiles(t *testing.T) string {
	folder := filepath.Join(t.TempDir(), "temporary")
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", folder)
	return folder
}

// Again and again in the same folder; twenty times at full scale.
func TestUpAndDownAgainAndAgain(t *testing.T) {
	bed := &drilled{T: t, dir: filepath.Join(t.TempDir(), "bed")}
	bed.whenOver()
	temporary := temporaryFiles(t)
	for range min(2*scale(), 20) {
		bed.upAndDown(temporary)
	}
}

// Several clusters at once, three at full scale: each starts, and ends while the others run.
func TestSeveralUpAndDownAtOnce(t *testing.T) {
	temporary := temporaryFiles(t)
	var all sync.WaitGroup
	for range min(2+scale()/10, 3) {
		bed := &drilled{T: t, dir: filepath.Join(t.TempDir(), "bed")}
		bed.whenOver()
		all.Go(func() { bed.upAndDown(temporary) })
	}
	all.Wait()
}
