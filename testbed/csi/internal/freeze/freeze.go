// Package freeze holds mounted file systems still while something is done: everything written before is on the device,
// nothing written meanwhile gets there, so a copy made meanwhile is one true moment, of several volumes too.
package freeze

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"

	"tidemark.test/csi/internal/crash"
	"tidemark.test/csi/internal/role"
)

// Linux's FIFREEZE and FITHAW: _IOWR('X', 119 and 120, int).
const (
	fiFreeze = 0xC0045877
	fiThaw   = 0xC0045878
)

func init() { role.Register("thaw-guard", guard) }

// During freezes the file systems mounted at these paths, calls what is to be done, and thaws them, whatever fails in
// between: an error, a panic, or the end of this program by kill -9 (then a guard process thaws). A file system that
// somebody froze already, for instance a hook in a pod, stays frozen: it is theirs to thaw.
func During(mountPoints []string, do func() error) (err error) {
	if len(mountPoints) == 0 {
		return do()
	}
	var files []*os.File
	defer func() {
		for _, file := range files {
			file.Close()
		}
	}()
	for _, path := range mountPoints {
		file, err := os.Open(path)
		if err != nil {
			return fmt.Errorf("freeze: %w", err)
		}
		files = append(files, file)
	}
	keeper, err := role.Start("thaw-guard", files)
	if err != nil {
		return fmt.Errorf("freeze: no guard to thaw: %w", err)
	}
	defer keeper.Finish()

	var frozen []*os.File
	defer func() {
		for _, file := range frozen {
			if e := unix.IoctlSetInt(int(file.Fd()), fiThaw, 0); e != nil && err == nil {
				err = fmt.Errorf("thaw %s: %w", file.Name(), e)
			}
		}
		crash.At(crash.Thawed)
	}()
	for _, file := range files {
		e := unix.IoctlSetInt(int(file.Fd()), fiFreeze, 0)
		if errors.Is(e, unix.EBUSY) {
			// The guard would thaw it too if we died here; that is the smaller evil against a volume frozen for ever.
			continue
		}
		if e != nil {
			return fmt.Errorf("freeze %s: %w", file.Name(), e)
		}
		frozen = append(frozen, file)
	}
	crash.At(crash.Frozen)
	return do()
}

// Thaw thaws what a program that died left frozen. What is not frozen is left alone.
func Thaw(mountPoint string) error {
	file, err := os.Open(mountPoint)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := unix.IoctlSetInt(int(file.Fd()), fiThaw, 0); err != nil && !errors.Is(err, unix.EINVAL) {
		return fmt.Errorf("thaw %s: %w", mountPoint, err)
	}
	return nil
}

// guard is the other process: when its parent lets go of the pipe without having said that all is well, it thaws.
func guard(parent *os.File, files []*os.File, _ []string) {
	signal.Ignore(syscall.SIGTERM)
	if role.SaidGoodbye(parent) {
		return
	}
	for _, file := range files {
		_ = unix.IoctlSetInt(int(file.Fd()), fiThaw, 0) // EINVAL: was not frozen
	}
}
