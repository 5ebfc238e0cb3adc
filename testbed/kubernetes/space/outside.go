// Package space puts a bed into Linux namespaces of its own: processes, mounts, network, and users when not root.
//
// The program starts itself again inside, as process 1 there. When that process ends, in whatever way, the kernel ends
// every other process of the space and drops its mounts, addresses and links: there is nothing to clean up. It ends at
// the latest with the process that made it, by the kernel's parent-death signal, so SIGKILL of that one is enough.
//
// Nothing inside can be reached by network from outside, nor the other way round, but through listeners: those are
// made outside, on free loopback ports, and their descriptors are handed in. A socket stays in the network namespace in
// which it was made, wherever it is accepted on.
package space

import (
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"syscall"
)

// Descriptors that the process inside is started with, after standard input, output and error.
const (
	lifeDescriptor = 3 // readable, at its end, when the process outside is gone
	heldDescriptor = 4 // a file that shall be open as long as the space is, for its lock
	listenersFrom  = 5
)

// Options say what to start inside.
type Options struct {
	Args      []string       // of this program, for the process inside
	Listeners []net.Listener // TCP; found inside by Listeners, in this order
	Held      *os.File       // stays open until the space is gone
	Stdout    *os.File
	Stderr    *os.File
}

// A Space is seen from the process that made it.
type Space struct {
	process *os.Process
	life    *os.File
}

// Start makes a space. Call it from the main goroutine with its thread locked, and keep that goroutine until Wait
// returned: the kernel ties the space to the thread that made it.
func Start(options Options) (*Space, error) {
	inside, outside, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer inside.Close()
	files := []*os.File{nil, options.Stdout, options.Stderr, inside, options.Held}
	for _, listener := range options.Listeners {
		file, err := listener.(*net.TCPListener).File()
		if err != nil {
			return nil, err
		}
		defer file.Close()
		files = append(files, file)
	}
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	attributes := &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWPID | syscall.CLONE_NEWNS | syscall.CLONE_NEWNET,
		Pdeathsig:  syscall.SIGKILL,
		Setsid:     true, // Ctrl-C at a terminal reaches the process outside alone, which then ends this one in order
	}
	if os.Geteuid() != 0 {
		attributes.Cloneflags |= syscall.CLONE_NEWUSER
		attributes.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}}
		attributes.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}}
	}
	process, err := os.StartProcess(program, append([]string{program}, options.Args...), &os.ProcAttr{
		Files: files,
		Sys:   attributes,
	})
	runtime.KeepAlive(options.Listeners)
	if err != nil {
		outside.Close()
		if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.ENOSPC) {
			return nil, fmt.Errorf("this system refuses namespaces to user %d (%w); run as root, or allow unprivileged "+
				"user namespaces (sysctl user.max_user_namespaces, kernel.apparmor_restrict_unprivileged_userns)", os.Geteuid(), err)
		}
		return nil, fmt.Errorf("the bed's namespaces: %w", err)
	}
	return &Space{process: process, life: outside}, nil
}

// Signal sends a signal to the process inside.
func (s *Space) Signal(number syscall.Signal) error { return s.process.Signal(number) }

// PID of the process inside, as seen from outside.
func (s *Space) PID() int { return s.process.Pid }

// Wait waits until every process of the space has ended, and tells how the first one did.
func (s *Space) Wait() (*os.ProcessState, error) {
	state, err := s.process.Wait()
	s.life.Close()
	return state, err
}
