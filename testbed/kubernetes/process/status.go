package process

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// A Status is what is known of a process now.
type Status struct {
	Name    string  `json:"name"`
	State   State   `json:"state"`
	PID     int     `json:"pid,omitempty"` // as seen inside the bed
	Starts  int     `json:"starts"`
	Seconds float64 `json:"seconds,omitempty"` // since the last start
	RSS     int     `json:"rss_mib,omitempty"`
	Peak    int     `json:"peak_rss_mib,omitempty"`
	End     string  `json:"end,omitempty"` // how it ended last
}

// Status tells of every process, in the order of their first start.
func (g *Group) Status() []Status {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	all := make([]Status, 0, len(g.processes))
	for _, process := range g.processes {
		status := Status{Name: process.spec.Name, State: process.state, Starts: process.starts, End: process.how}
		if process.state == Running || process.state == Paused {
			status.PID = process.pid
			status.Seconds = time.Since(process.started).Seconds()
			status.RSS, status.Peak = Memory(process.pid)
		}
		all = append(all, status)
	}
	return all
}

// State of a process; "" when there is none of that name.
func (g *Group) State(name string) State {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	if process := g.find(name); process != nil {
		return process.state
	}
	return ""
}

// End tells how a process ended last.
func (g *Group) End(name string) string {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	if process := g.find(name); process != nil {
		return process.how
	}
	return ""
}

// Memory is what a process holds resident now, and at most so far, in MiB.
func Memory(pid int) (now, peak int) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, 0
	}
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) < 2 {
			continue
		}
		kib, _ := strconv.Atoi(fields[1])
		switch fields[0] {
		case "VmRSS:":
			now = kib / 1024
		case "VmHWM:":
			peak = kib / 1024
		}
	}
	return now, peak
}

// Tail is the last lines of a process's log.
func (g *Group) Tail(name string, lines int) string { return Tail(g.Log(name), lines) }

// Tail is the last lines of a file; nothing when it cannot be read.
func Tail(path string, lines int) string {
	file, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer file.Close()
	const enough = 64 << 10
	if size, err := file.Seek(0, io.SeekEnd); err == nil {
		_, _ = file.Seek(max(0, size-enough), io.SeekStart)
	}
	text, _ := io.ReadAll(file)
	text = bytes.TrimRight(text, "\n")
	for at := len(text); at > 0; {
		if at = bytes.LastIndexByte(text[:at], '\n'); at < 0 {
			break
		}
		if lines--; lines == 0 {
			return string(text[at+1:])
		}
	}
	return string(text)
}

// Listens tells whether the process itself, and not somebody else, listens on a TCP port.
func (g *Group) Listens(name string, port int) bool {
	g.mutex.Lock()
	process := g.find(name)
	pid := 0
	if process != nil && process.state == Running {
		pid = process.pid
	}
	g.mutex.Unlock()
	if pid == 0 {
		return false
	}
	inodes := listeners(pid, port)
	if len(inodes) == 0 {
		return false // and no need to look through hundreds of descriptors
	}
	descriptors, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	for _, descriptor := range descriptors {
		if target, err := os.Readlink(descriptor); err == nil && inodes[target] {
			return true
		}
	}
	return false
}

// The sockets that listen on a port in the process's network namespace, written as links in /proc/PID/fd are.
func listeners(pid, port int) map[string]bool {
	const listen = "0A" // TCP_LISTEN in the kernel's tcp_states.h
	found := map[string]bool{}
	for _, table := range []string{"tcp", "tcp6"} {
		text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/net/%s", pid, table))
		for line := range strings.Lines(string(text)) {
			fields := strings.Fields(line)
			if len(fields) > 9 && fields[3] == listen && strings.HasSuffix(fields[1], fmt.Sprintf(":%04X", port)) {
				found["socket:["+fields[9]+"]"] = true
			}
		}
	}
	return found
}
