// Package hold keeps a block device attached while it is published. A bind mount of a device's node does not hold the
// device, and the driver may be killed: so a small process holds it. Who holds what is asked of the kernel (a file
// lock has an owner), so no list can be wrong after a crash.
package hold

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"tidemark.test/csi/internal/loop"
	"tidemark.test/csi/internal/role"
)

func init() { role.Register("hold", holder) }

// Start holds the device of the image open until Release. The device may be held already.
func Start(image string, device loop.Device, open *os.File) error {
	if owner(image, device) != 0 {
		return nil
	}
	file, err := os.Open(image)
	if err != nil {
		return err
	}
	defer file.Close()
	process, err := role.Start("hold", []*os.File{file, open}, strconv.Itoa(device.Number))
	if err != nil {
		return err
	}
	process.Leave()
	return await(func() bool { return owner(image, device) != 0 }, "nobody took hold of "+device.Path())
}

// Release lets go of the device; the kernel detaches it when nobody else has it open.
func Release(image string, device loop.Device) error {
	pid := owner(image, device)
	if pid == 0 {
		return nil
	}
	if err := syscall.Kill(pid, syscall.SIGTERM); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("let go of %s: %w", device.Path(), err)
	}
	return await(func() bool { return owner(image, device) == 0 }, device.Path()+" is still held")
}

// Held says whether a process holds the device.
func Held(image string, device loop.Device) bool { return owner(image, device) != 0 }

func owner(image string, device loop.Device) int {
	file, err := os.Open(image)
	if err != nil {
		return 0
	}
	defer file.Close()
	lock := unix.Flock_t{Type: unix.F_WRLCK, Start: int64(device.Number), Len: 1}
	if err := unix.FcntlFlock(file.Fd(), unix.F_GETLK, &lock); err != nil || lock.Type == unix.F_UNLCK {
		return 0
	}
	return int(lock.Pid)
}

func holder(_ *os.File, files []*os.File, arguments []string) {
	number, err := strconv.ParseInt(arguments[0], 10, 64)
	if err != nil {
		os.Exit(1)
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	lock := unix.Flock_t{Type: unix.F_RDLCK, Start: number, Len: 1}
	if err := unix.FcntlFlock(files[0].Fd(), unix.F_SETLK, &lock); err != nil {
		fmt.Fprintf(os.Stderr, "csi-driver: hold /dev/loop%d: %v\n", number, err)
		os.Exit(1)
	}
	<-stop
}

func await(done func() bool, otherwise string) error {
	// The process has to be started, which takes seconds where the processors belong to others.
	for deadline := time.Now().Add(time.Minute); !done(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			return errors.New(otherwise)
		}
	}
	return nil
}
