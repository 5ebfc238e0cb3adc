package drill

import (
	"fmt"
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

// The loop devices whose file is in the bed's folder or is its pool, while it is there and after.
func (b *drilled) loops() (found []string) {
	files, _ := filepath.Glob("/sys/block/loop*/loop/backing_file")
	for _, file := range files {
		if text, err := os.ReadFile(file); err == nil && (strings.Contains(string(text), b.dir) ||
			b.pool != "" && strings.Contains(string(text), b.pool)) {
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

// Ends the bed, and looks for what is left of it.
func (b *drilled) goesDown(args ...string) {
	b.Helper()
	memory, loops := b.memory(), b.loops()
	traces := b.traces()
	b.expectNoCgroups()
	started := time.Now()
	b.must("down", args...)
	took := time.Since(started).Seconds()
	b.expectNothing(traces)
	b.until("the loop devices of the bed to be gone", func() bool { return len(b.loops()) == 0 })
	if _, err := os.Stat(b.dir); !os.IsNotExist(err) && len(args) == 0 {
		b.Errorf("the folder is still there: %v", err)
	}
	if files, err := os.ReadDir(b.temporary); err != nil || len(files) > 0 {
		b.Errorf("in the folder for temporary files: %v %v", files, err)
	}
	b.Logf("down in %.1f s, nothing left (of %d loop devices); %s", took, len(loops), memory)
}

// A bed that is not up yet. Nobody but its commands uses its folder for temporary files.
func newBed(t *testing.T) *drilled {
	t.Helper()
	bed := &drilled{T: t, dir: filepath.Join(t.TempDir(), "bed"), temporary: filepath.Join(t.TempDir(), "temporary")}
	if err := os.Mkdir(bed.temporary, 0o755); err != nil {
		t.Fatal(err)
	}
	bed.whenOver()
	return bed
}

// Several clusters at once, two and at full scale three: all with volumes, and the first with a driver that has no
// snapshots of them. Each has its own objects, and ends while the others run.
func TestSeveralBedsAtOnce(t *testing.T) {
	t.Parallel()
	beds := make([]*drilled, min(2+scale()/10, 3))
	var all sync.WaitGroup
	for at := range beds {
		beds[at] = newBed(t)
		options := []string{"--csi"}
		if at == 0 {
			options = append(options, "--flag", "csi-driver=--no-snapshots", "--flag", "csi-driver=--fs=none")
		}
		all.Go(func() { beds[at].up(options...) })
	}
	all.Wait()
	if t.Failed() {
		return
	}
	for at, bed := range beds {
		bed.makesItsOwn(at)
	}
	for at, bed := range beds {
		output, err := bed.kubectl(bed.ready.Kubeconfig, "get", "namespaces", "-o", "name")
		for other := range beds {
			if strings.Contains(output, only(other)) != (other == at) {
				t.Errorf("bed %d: %s: %v", at, output, err)
			}
		}
	}
	t.Run("a driver without snapshots", func(t *testing.T) { beds[0].of(t).hasNoSnapshots() })
	beds[0].goesDown()
	if output, err := beds[1].kubectl(beds[1].ready.Kubeconfig, "get", "namespace", "default"); output == "" {
		t.Errorf("the other one does not answer any more: %v", err)
	}
	for _, bed := range beds[1:] {
		all.Go(func() { bed.goesDown() })
	}
	all.Wait()
}

func only(in int) string { return fmt.Sprintf("only-in-%d", in) }

// By kubectl: an object of this bed alone, and what the restricted user may do.
func (b *drilled) makesItsOwn(number int) {
	b.Helper()
	if output, err := b.kubectl(b.ready.Kubeconfig, "create", "namespace", only(number)); !strings.Contains(output, "created") {
		b.Fatal(output, err)
	}
	if output, err := b.kubectl(b.ready.RestrictedKubeconfig, "create", "configmap", "mine"); !strings.Contains(output, "created") {
		b.Error(output, err)
	}
	for _, forbidden := range []string{"get namespaces", "get secrets -n default", "get nodes"} {
		if _, err := b.kubectl(b.ready.RestrictedKubeconfig, strings.Fields(forbidden)...); err == nil || !strings.Contains(err.Error(), "Forbidden") {
			b.Errorf("restricted: %s: %v", forbidden, err)
		}
	}
}
