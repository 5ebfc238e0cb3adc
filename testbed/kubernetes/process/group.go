// Package process starts, watches, stops and breaks the programs of a bed.
//
// It is made for process 1 of a process namespace: it reaps every child, those of programs that ended included.
// Nothing else in the process may therefore wait for children (os/exec).
package process

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// A Spec is how a program is started. Its output is appended to its log.
type Spec struct {
	Name string   `json:"name"`
	Path string   `json:"path"`
	Args []string `json:"args,omitempty"` // without the program's name
	Env  []string `json:"env,omitempty"`  // besides the bed's own
}

// State of a process as the bed meant it, with one exception: Died.
type State string

// States. A process that is Died ended by itself; one that is Stopped was told to.
const (
	Running State = "running"
	Paused  State = "paused"
	Stopped State = "stopped"
	Died    State = "died"
)

// A Group is all processes of a bed. All methods may be called by several threads.
type Group struct {
	logs string
	died func(name, how string)

	mutex     sync.Mutex
	processes []*entry // in the order of the first start
	children  map[int]*entry
}

type entry struct {
	spec     Spec
	pid      int
	state    State
	started  time.Time
	starts   int
	how      string        // the last end, in words
	ended    chan struct{} // closed when pid was reaped
	expected bool          // whether the end of pid is of our making
}

// NewGroup begins to reap. The function is told of each process that ended by itself.
func NewGroup(logs string, died func(name, how string)) *Group {
	group := &Group{logs: logs, died: died, children: map[int]*entry{}}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGCHLD)
	go func() {
		for range signals {
			group.reap()
		}
	}()
	return group
}

// Log is the path of a process's output.
func (g *Group) Log(name string) string { return filepath.Join(g.logs, name+".log") }

// Start starts a program for the first time.
func (g *Group) Start(spec Spec) error {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	if g.find(spec.Name) != nil {
		return fmt.Errorf("%s was started before; to start it again, restart", spec.Name)
	}
	process := &entry{spec: spec}
	if err := g.start(process); err != nil {
		return err
	}
	g.processes = append(g.processes, process)
	return nil
}

// A control plane computes five seconds to start, a fifth of them for collecting garbage. Of memory there is more.
func environment(spec Spec) []string {
	all := append([]string{"GOGC=300"}, os.Environ()...)
	return (&exec.Cmd{Env: append(all, spec.Env...)}).Environ() // the last of a name counts
}

// The lock is held from the fork until the child is known, so that its end cannot be reaped in between.
func (g *Group) start(process *entry) error {
	spec := process.spec
	log, err := os.OpenFile(g.Log(spec.Name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	null, err := os.Open(os.DevNull)
	if err != nil {
		return err
	}
	defer null.Close()
	pid, err := syscall.ForkExec(spec.Path, append([]string{spec.Path}, spec.Args...), &syscall.ProcAttr{
		Dir:   "/",
		Env:   environment(spec),
		Files: []uintptr{null.Fd(), log.Fd(), log.Fd()},
		Sys:   &syscall.SysProcAttr{Setsid: true},
	})
	if err != nil {
		return fmt.Errorf("%s does not start: %s: %w", spec.Name, spec.Path, err)
	}
	process.pid, process.state, process.started, process.expected = pid, Running, time.Now(), false
	process.ended = make(chan struct{})
	process.starts++
	g.children[pid] = process
	return nil
}

func (g *Group) reap() {
	for {
		g.mutex.Lock()
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, syscall.WNOHANG, nil)
		if err == syscall.EINTR {
			g.mutex.Unlock()
			continue
		}
		if pid <= 0 {
			g.mutex.Unlock()
			return
		}
		process := g.children[pid]
		delete(g.children, pid)
		byItself := false
		if process != nil {
			process.how = inWords(status)
			process.state = Stopped
			if byItself = !process.expected; byItself {
				process.state = Died
			}
			close(process.ended)
		}
		g.mutex.Unlock()
		if byItself && g.died != nil {
			g.died(process.spec.Name, inWords(status))
		}
	}
}

func inWords(status syscall.WaitStatus) string {
	if status.Signaled() {
		return "ended by " + status.Signal().String()
	}
	return fmt.Sprintf("exit status %d", status.ExitStatus())
}

func (g *Group) find(name string) *entry {
	for _, process := range g.processes {
		if process.spec.Name == name {
			return process
		}
	}
	return nil
}
