package drill

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestAProcessThatDiesIsTold(t *testing.T) {
	t.Parallel()
	bed := start(t, "--only-etcd")
	for pid, line := range bed.processes() {
		if strings.Contains(line, "/etcd ") {
			number, _ := strconv.Atoi(pid)
			_ = syscall.Kill(number, syscall.SIGKILL)
		}
	}
	bed.until("the state of etcd", func() bool { return bed.status().Processes[0].State == "died" })
	bed.until("the line in the log", func() bool {
		log, _ := os.ReadFile(filepath.Join(bed.dir, "logs", "bed.log"))
		return bytes.Contains(log, []byte("etcd died: ended by killed; the last lines of"))
	})
	bed.must("restart", "etcd")
	if process := bed.status().Processes[0]; process.State != "running" || process.Starts != 2 {
		t.Errorf("after restart: %+v", process)
	}
}

func TestPauseAndResume(t *testing.T) {
	t.Parallel()
	bed := start(t, "--only-etcd")
	bed.must("pause", "etcd")
	bed.standsStill("/etcd ")
	if _, err := health(bed.ready.Etcd, 500*time.Millisecond); err == nil {
		t.Error("a paused etcd answered")
	}
	if _, err := bed.run("pause", "etcd"); err == nil {
		t.Error("it could be paused twice")
	}
	bed.must("resume", "etcd")
	if _, err := health(bed.ready.Etcd, time.Minute); err != nil {
		t.Error(err)
	}
	bed.must("pause", "etcd") // and a bed with a paused process goes down
}

// Each thread of the processes with these words in their command line is stopped already.
func (b *drilled) standsStill(words string) {
	b.Helper()
	threads := 0
	for pid, line := range b.processes() {
		if !strings.Contains(line, words) {
			continue
		}
		states, _ := filepath.Glob("/proc/" + pid + "/task/*/stat")
		for _, path := range states {
			text, err := os.ReadFile(path)
			if err != nil {
				b.Fatal(err)
			}
			// The program's name is in parentheses, and its state follows.
			if threads++; !bytes.Contains(text, []byte(") T ")) {
				b.Errorf("it runs: %s", text)
			}
		}
	}
	if threads == 0 {
		b.Fatalf("no thread of '%s' among %v", words, b.processes())
	}
}

// A program of the test's own is inside, where nothing outside is to be seen, and can be told as the others can.
func TestRunOneMore(t *testing.T) {
	t.Parallel()
	bed := start(t, "--only-etcd")
	bed.must("run", "--name", "look", "--env", "WORD=said", "sh", "-c", "echo $WORD $$; ls /proc; cat /proc/net/dev; exec sleep 600")
	log := filepath.Join(bed.dir, "logs", "look.log")
	bed.until("the program's words", func() bool {
		text, _ := os.ReadFile(log)
		return bytes.Contains(text, []byte("lo:"))
	})
	text, _ := os.ReadFile(log)
	if !bytes.HasPrefix(text, []byte("said ")) || bytes.Contains(text, []byte("eth")) {
		t.Errorf("%s", text)
	}
	if _, err := bed.run("run", "--name", "look", "true"); err == nil || !strings.Contains(err.Error(), "was started before") {
		t.Errorf("twice: %v", err)
	}
	if _, err := bed.run("run", "--name", "../look", "true"); err == nil || !strings.Contains(err.Error(), "is no name") {
		t.Errorf("a path: %v", err)
	}
	if _, err := bed.run("run"); err == nil {
		t.Error("nothing could be run")
	}
	bed.must("kill", "look")
	for _, process := range bed.status().Processes {
		if process.Name == "look" && process.State != "stopped" {
			t.Errorf("%+v", process)
		}
	}
}

// A process that ends because another is down is told of by the restart of that one: with its last lines. This etcd
// starts again only when the other one's end is known.
func TestARestartTellsWhoDiedMeanwhile(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	write := func(name, script string) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script), 0o755); err != nil {
			t.Fatal(err)
		}
		return path
	}
	looks := filepath.Join(folder, "looks")
	write("etcd", fmt.Sprintf("while [ -s %s ] && kill -0 $(cat %s); do sleep 0.02; done\nexec %s/etcd-3.6/etcd \"$@\"\n", looks, looks, programs))
	look := write("look", fmt.Sprintf("echo $$ >%s\nwhile kill -0 $1; do sleep 0.02; done\necho etcd is gone; exit 7\n", looks))
	bed := start(t, "--only-etcd", "--etcd", folder)
	bed.must("run", "--name", "look", look, fmt.Sprint(bed.status().Processes[0].PID))
	bed.until("the other one to look", func() bool {
		text, _ := os.ReadFile(looks)
		return bytes.HasSuffix(text, []byte("\n"))
	})
	_, err := bed.run("restart", "etcd")
	if err == nil || !strings.Contains(err.Error(), "look died meanwhile (exit status 7)") || !strings.Contains(err.Error(), "etcd is gone") {
		t.Errorf("said: %v", err)
	}
}
