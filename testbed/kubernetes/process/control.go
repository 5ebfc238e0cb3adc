package process

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// ErrUnknown is wrapped by errors about a name that no process of the group has.
var ErrUnknown = errors.New("no such process")

// Pause stops a process by SIGSTOP: its connections stay open and nothing answers. It returns when all threads of the
// process stand still: where many want the processors, they go on for a while after the signal was sent.
func (g *Group) Pause(name string) error {
	return g.toggle(name, Running, Paused, func(pid int) error {
		if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
			return err
		}
		return awaitStop(pid)
	})
}

// Resume lets a paused process go on.
func (g *Group) Resume(name string) error {
	return g.toggle(name, Paused, Running, func(pid int) error { return syscall.Kill(pid, syscall.SIGCONT) })
}

// The lock is held until it is done, so that nobody reaps the process meanwhile.
func (g *Group) toggle(name string, from, to State, done func(pid int) error) error {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	process, err := g.named(name)
	if err != nil {
		return err
	}
	if process.state != from {
		return fmt.Errorf("%s is %s, not %s", name, process.state, from)
	}
	if err := done(process.pid); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	process.state = to
	return nil
}

// Waits until a child stands still. The kernel says so when the last of its threads does (wait(2)). An end is left for
// whoever reaps.
func awaitStop(pid int) error {
	for {
		var status unix.Siginfo
		err := unix.Waitid(unix.P_PID, pid, &status, unix.WSTOPPED|unix.WEXITED|unix.WNOWAIT, nil)
		switch {
		case errors.Is(err, syscall.EINTR):
			continue
		case err != nil:
			return err
		case status.Code != stopped:
			return errors.New("it ended instead")
		}
		return nil
	}
}

const stopped = 5 // CLD_STOPPED of the kernel's siginfo.h

// Kill ends a process by SIGKILL, running or paused; it stays ended until Restart.
func (g *Group) Kill(name string) error { return g.end(name, syscall.SIGKILL, 0) }

// Terminate ends a process by SIGTERM, and by SIGKILL when it still runs after the time given.
func (g *Group) Terminate(name string, patience time.Duration) error {
	return g.end(name, syscall.SIGTERM, patience)
}

func (g *Group) end(name string, number syscall.Signal, patience time.Duration) error {
	g.mutex.Lock()
	process, err := g.named(name)
	if err != nil {
		g.mutex.Unlock()
		return err
	}
	if process.state == Stopped || process.state == Died {
		g.mutex.Unlock()
		return nil
	}
	pid, ended := process.pid, process.ended
	process.expected = true
	// A stopped process does not see SIGTERM until it goes on.
	for _, each := range []syscall.Signal{number, syscall.SIGCONT} {
		_ = syscall.Kill(pid, each) // fails only when it ended meanwhile
	}
	g.mutex.Unlock()
	if number != syscall.SIGKILL {
		select {
		case <-ended:
			return nil
		case <-time.After(patience):
		}
		g.mutex.Lock()
		if process.pid == pid && process.state != Stopped {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		g.mutex.Unlock()
	}
	<-ended
	return nil
}

// Restart ends a process if it runs, by SIGKILL, and starts it with the same command line.
func (g *Group) Restart(name string) error {
	if err := g.Kill(name); err != nil {
		return err
	}
	g.mutex.Lock()
	defer g.mutex.Unlock()
	process, err := g.named(name)
	if err != nil {
		return err
	}
	if process.state == Running || process.state == Paused {
		return fmt.Errorf("%s was started by somebody else meanwhile", name)
	}
	return g.start(process)
}

// Ended is closed once the process, as it runs now, has ended.
func (g *Group) Ended(name string) <-chan struct{} {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	if process := g.find(name); process != nil {
		return process.ended
	}
	closed := make(chan struct{})
	close(closed)
	return closed
}

func (g *Group) named(name string) (*entry, error) {
	if process := g.find(name); process != nil {
		return process, nil
	}
	names := make([]string, 0, len(g.processes))
	for _, process := range g.processes {
		names = append(names, process.spec.Name)
	}
	return nil, fmt.Errorf("%w: '%s' (there are %s)", ErrUnknown, name, strings.Join(names, ", "))
}
