package drill

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// What a bed has while it runs, to be looked for when it is over.
type traces struct {
	namespaces map[string]bool   // as /proc/PID/ns/* names them
	sockets    map[string]string // that listen: number of each, and its address
	taken      int64             // when, as ticks() tells it
}

func (b *drilled) traces() traces {
	b.Helper()
	found := traces{namespaces: map[string]bool{}, sockets: map[string]string{}, taken: b.ticks("/proc/uptime", 0)}
	own := namespacesOf("self")
	for pid := range b.processes() {
		for namespace := range namespacesOf(pid) {
			if !own[namespace] {
				found.namespaces[namespace] = true
			}
		}
	}
	if len(found.namespaces) < 3 {
		b.Fatalf("a running bed has namespaces of its own for processes, mounts and network: %v", found.namespaces)
	}
	listeners := b.status().Listeners
	// The kernel's table is read in pieces; what comes and goes meanwhile may hide a line of it.
	b.until("each listener to be in the kernel's table", func() bool {
		listening := b.listening()
		for _, listener := range listeners {
			if number := listening[listener.Address]; number != "" {
				found.sockets[number] = listener.Address
			}
		}
		return len(found.sockets) == len(listeners)
	})
	return found
}

// The sockets of this network namespace that listen on IPv4: address to the number that the kernel gave, which no other
// socket gets. An address is no trace: a port is free for the next bed, of another drill, as soon as this one is gone.
func (b *drilled) listening() map[string]string {
	b.Helper()
	table, err := os.ReadFile("/proc/net/tcp")
	if err != nil {
		b.Fatal(err)
	}
	found := map[string]string{}
	for line := range strings.Lines(string(table)) {
		const local, state, number, listens = 1, 3, 9, "0A"
		words := strings.Fields(line)
		if len(words) <= number || words[state] != listens {
			continue
		}
		var ip, port uint32
		if _, err := fmt.Sscanf(words[local], "%08X:%04X", &ip, &port); err != nil {
			b.Fatalf("%q: %v", line, err)
		}
		var octets [4]byte
		binary.NativeEndian.PutUint32(octets[:], ip) // in the network's order, printed as a number of this machine
		found[netip.AddrPortFrom(netip.AddrFrom4(octets), uint16(port)).String()] = words[number]
	}
	return found
}

func namespacesOf(pid string) map[string]bool {
	found := map[string]bool{}
	for _, kind := range []string{"pid", "mnt", "net", "user"} {
		if name, err := os.Readlink("/proc/" + pid + "/ns/" + kind); err == nil {
			found[name] = true
		}
	}
	return found
}

// The hundredths of a second since the machine began that stand in this field of a file of the kernel's: 21 of
// /proc/PID/stat is when that process began. 0: it is gone.
func (b *drilled) ticks(path string, field int) int64 {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0
	}
	// A program's name may hold spaces; it ends by the last parenthesis, and is the second field.
	if name := bytes.LastIndexByte(text, ')'); name >= 0 {
		text, field = text[name+1:], field-2
	}
	words := strings.Fields(string(text))
	if field >= len(words) {
		b.Fatalf("%s: %q", path, text)
	}
	seconds, err := strconv.ParseFloat(words[field], 64)
	if err != nil {
		b.Fatalf("%s: %v", path, err)
	}
	if path == "/proc/uptime" {
		seconds *= 100
	}
	return int64(seconds)
}

func (b *drilled) expectNothing(of traces) {
	b.Helper()
	b.until("the processes of the bed to be gone", func() bool { return len(b.processes()) == 0 })
	// A process that has ended, and is not reaped yet, has no command line any more, but its namespaces. Their numbers
	// are used again, the lowest first: by another drill's bed that begins while this one ends.
	b.until("the namespaces of the bed to be gone", func() bool {
		all, _ := filepath.Glob("/proc/[0-9]*")
		for _, path := range all {
			if b.ticks(filepath.Join(path, "stat"), 21) > of.taken {
				continue
			}
			for namespace := range namespacesOf(filepath.Base(path)) {
				if of.namespaces[namespace] {
					return false
				}
			}
		}
		return true
	})
	for address, number := range b.listening() {
		if of.sockets[number] == address {
			b.Errorf("the bed's socket still listens at %s", address)
		}
	}
	mounts, _ := os.ReadFile("/proc/self/mountinfo")
	for line := range strings.Lines(string(mounts)) {
		if strings.Contains(line, b.dir) {
			b.Errorf("still mounted: %s", line)
		}
	}
}

func TestDownLeavesNothingSeveralTimes(t *testing.T) {
	t.Parallel()
	for range 5 {
		bed := start(t, "--only-etcd")
		traces := bed.traces()
		bed.must("down")
		bed.expectNothing(traces)
		if _, err := os.Stat(bed.dir); !os.IsNotExist(err) {
			t.Errorf("the folder is still there: %v", err)
		}
	}
}

// The end of the outer process, in every way it can come.
func TestTheBedEndsWithItsOuterProcess(t *testing.T) {
	t.Parallel()
	for _, number := range []syscall.Signal{syscall.SIGKILL, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP} {
		t.Run(number.String(), func(t *testing.T) {
			bed := start(t, "--only-etcd")
			traces := bed.traces()
			outer := bed.outer()
			if err := syscall.Kill(outer, number); err != nil {
				t.Fatal(err)
			}
			bed.expectNothing(traces)
			bed.up("--only-etcd") // the folder is free again
		})
	}
}

func (b *drilled) outer() int {
	b.Helper()
	for pid, line := range b.processes() {
		if strings.Contains(line, " up --foreground") {
			number, _ := strconv.Atoi(pid)
			return number
		}
	}
	b.Fatalf("no outer process among %v", b.processes())
	return 0
}

// Killed while the bed starts, the command that waits for it takes the bed along.
func TestTheBedEndsWithWhoeverWaitsForIt(t *testing.T) {
	t.Parallel()
	bed := &drilled{T: t, dir: filepath.Join(t.TempDir(), "bed")}
	slow := filepath.Join(t.TempDir(), "etcd")
	if err := os.WriteFile(slow, []byte("#!/bin/sh\nexec sleep 600\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	command := exec.Command(program, "up", "--dir", bed.dir, "--only-etcd", "--etcd", filepath.Dir(slow))
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	bed.until("the process inside", func() bool { return len(bed.processes()) >= 3 })
	_ = command.Process.Kill()
	_ = command.Wait()
	bed.until("the processes of the bed to be gone", func() bool { return len(bed.processes()) == 0 })
}

// Whoever started it with `--with` takes it along when it ends: SIGKILL of tests, for instance.
func TestTheBedEndsWithItsOwner(t *testing.T) {
	t.Parallel()
	owner := exec.Command("sleep", "3600")
	if err := owner.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = owner.Wait() }()
	defer func() { _ = owner.Process.Kill() }()
	bed := start(t, "--only-etcd", "--with", strconv.Itoa(owner.Process.Pid))
	traces := bed.traces()
	if _, err := health(bed.ready.Etcd, time.Minute); err != nil {
		t.Error(err)
	}
	_ = owner.Process.Kill()
	bed.expectNothing(traces)
	if _, err := bed.run("up", "--programs", programs, "--only-etcd", "--with", strconv.Itoa(1<<22+1)); err == nil || !strings.Contains(err.Error(), "--with 4194305: no such process") {
		t.Errorf("an owner that there is not: %v", err)
	}
}

func TestAFailedStartShowsTheLastLines(t *testing.T) {
	t.Parallel()
	bed := &drilled{T: t, dir: filepath.Join(t.TempDir(), "bed")}
	_, err := bed.run("up", "--programs", programs, "--only-etcd", "--flag", "etcd=--no-such-flag")
	if err == nil || !strings.Contains(err.Error(), "flag provided but not defined: -no-such-flag") {
		t.Errorf("said: %v", err)
	}
	bed.until("the processes of the bed to be gone", func() bool { return len(bed.processes()) == 0 })
}

func TestUpRefuses(t *testing.T) {
	t.Parallel()
	running := start(t, "--only-etcd")
	foreign := t.TempDir()
	if err := os.WriteFile(filepath.Join(foreign, "thesis.txt"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		dir, says string
		args      []string
	}{
		{running.dir, "a bed runs in", nil},
		{foreign, "holds something else than a bed", nil},
		{t.TempDir(), "is missing: build it", []string{"--etcd", "2.0"}},
		{t.TempDir(), "is missing: build it", []string{"--programs", "/nowhere"}},
		{t.TempDir(), "no such file", []string{"--encryption", "/nowhere.yaml"}},
		{t.TempDir(), "is not PROGRAM=--name=value", []string{"--flag", "kube-proxy=--v=2"}},
		{t.TempDir(), "--csi needs kube-apiserver", []string{"--csi"}},
		{t.TempDir(), "operands where there should be 0", []string{"please"}},
		{t.TempDir(), "--only-etcd leaves Kubernetes out", []string{"--node", "1"}},
		{t.TempDir(), "there can be up to 9", []string{"--node", "10"}},
	} {
		args := append([]string{"--programs", programs, "--only-etcd"}, row.args...)
		_, err := (&drilled{T: t, dir: row.dir}).run("up", args...)
		if err == nil || !strings.Contains(err.Error(), row.says) {
			t.Errorf("%v: said %v, not '%s'", row.args, err, row.says)
		}
	}
}
