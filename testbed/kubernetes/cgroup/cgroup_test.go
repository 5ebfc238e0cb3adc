package cgroup

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"tidemark.test/kubernetes/needs"
)

// A process can live in every part of a cgroup that was made; while it does the cgroup stays, and goes with it.
func TestAProcessInIt(t *testing.T) {
	needs.Root(t, "making cgroups")
	name := Name(t.TempDir())
	if err := Make(name + "/node-1"); err != nil {
		t.Fatal(err)
	}
	if err := Make(name + "/node-2"); err != nil {
		t.Fatal(err)
	}
	left := Left(name)
	if len(left) == 0 {
		t.Fatal("nothing was made")
	}
	command := exec.Command("sleep", "600")
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	for _, path := range left {
		joined := os.WriteFile(filepath.Join(path, "node-1", "cgroup.procs"), []byte(strconv.Itoa(command.Process.Pid)), 0)
		if joined != nil {
			t.Errorf("%s: %v", path, joined)
		}
	}
	if err := Remove(name, 50*time.Millisecond); err == nil || !strings.Contains(err.Error(), "left behind") {
		t.Errorf("with a process in it: %v", err)
	}
	_ = command.Process.Kill()
	_ = command.Wait()
	for range 2 { // the second time there is nothing to remove
		if err := Remove(name, time.Minute); err != nil {
			t.Error(err)
		}
	}
	if left := Left(name); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

func TestEachFolderHasItsOwn(t *testing.T) {
	one, two := Name("/tmp/one"), Name("/tmp/two")
	if one == two || one != Name("/tmp/one") || len(one) != len("tidemark-bed-0123456789ab") {
		t.Errorf("%s and %s", one, two)
	}
}
