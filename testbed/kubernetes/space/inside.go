package space

import (
	"fmt"
	"io"
	"net"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// Enter finishes the space from inside, as its first act: private mounts, /proc of its own, loopback.
// It returns the listeners that were handed in.
func Enter(listeners int) ([]net.Listener, error) {
	if os.Getpid() != 1 {
		return nil, fmt.Errorf("not the first process of a namespace (but %d): 'bed up' starts this", os.Getpid())
	}
	// Children must not hold what tells of the outer process's end, nor ports of the outside.
	// The held file they shall have: it is then open until the last of them has ended.
	syscall.CloseOnExec(lifeDescriptor)
	for descriptor := listenersFrom; descriptor < listenersFrom+listeners; descriptor++ {
		syscall.CloseOnExec(descriptor)
	}
	go func() {
		_, _ = io.Copy(io.Discard, os.NewFile(lifeDescriptor, "life"))
		// The parent-death signal should have come first; this is for kernels that reset it.
		os.Exit(1)
	}()
	// Slave, not private: what is unmounted outside must not stay in use by us.
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_SLAVE, ""); err != nil {
		return nil, fmt.Errorf("mounts of its own: %w", err)
	}
	if err := unix.Mount("proc", "/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
		return nil, fmt.Errorf("/proc of its own: %w", err)
	}
	if err := loopback(); err != nil {
		return nil, err
	}
	// That of the API server's Service, so that pods reach it with no kube-proxy.
	if err := AddAddress("api", "10.96.0.1"); err != nil {
		return nil, err
	}
	return inherited(listeners)
}

func inherited(count int) ([]net.Listener, error) {
	var all []net.Listener
	for at := range count {
		file := os.NewFile(uintptr(listenersFrom+at), "listener")
		listener, err := net.FileListener(file)
		file.Close()
		if err != nil {
			return nil, fmt.Errorf("listener %d: %w", at, err)
		}
		all = append(all, listener)
	}
	return all, nil
}

// Brings `lo` up.
func loopback() error {
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(socket)
	request, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	if err := unix.IoctlIfreq(socket, unix.SIOCGIFFLAGS, request); err != nil {
		return fmt.Errorf("lo: %w", err)
	}
	request.SetUint16(request.Uint16() | unix.IFF_UP)
	if err := unix.IoctlIfreq(socket, unix.SIOCSIFFLAGS, request); err != nil {
		return fmt.Errorf("lo up: %w", err)
	}
	return nil
}
