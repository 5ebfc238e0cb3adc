// Package loop attaches image files to loop devices and finds them again.
//
// Every device is attached with autoclear: the kernel detaches it when the last mount and the last open file of it
// are gone, so whatever ends this program, and however, leaves no device behind.
package loop

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Device is a loop device with an image behind it.
type Device struct {
	Number   int
	ReadOnly bool
}

// Path is the device's name in /dev.
func (d Device) Path() string { return fmt.Sprintf("/dev/loop%d", d.Number) }

// Open opens the device. While the file is open the device stays attached.
func (d Device) Open() (*os.File, error) {
	if err := d.ensureNode(); err != nil {
		return nil, err
	}
	if d.ReadOnly {
		return os.Open(d.Path())
	}
	return os.OpenFile(d.Path(), os.O_RDWR, 0)
}

// ensureNode makes the device's node where /dev is not the kernel's own (a private tmpfs).
func (d Device) ensureNode() error {
	if _, err := os.Stat(d.Path()); err == nil || !errors.Is(err, os.ErrNotExist) {
		return err
	}
	err := unix.Mknod(d.Path(), unix.S_IFBLK|0o600, int(unix.Mkdev(7, uint32(d.Number))))
	if errors.Is(err, os.ErrExist) {
		return nil
	}
	return err
}

// Attach puts the image behind a free device. The answered file keeps it attached until a mount or another opener does.
func Attach(image string, readOnly bool) (Device, *os.File, error) {
	mode, flags := os.O_RDWR, uint32(unix.LO_FLAGS_AUTOCLEAR)
	if readOnly {
		mode, flags = os.O_RDONLY, flags|unix.LO_FLAGS_READ_ONLY
	}
	backing, err := os.OpenFile(image, mode, 0)
	if err != nil {
		return Device{}, nil, err
	}
	defer backing.Close()
	control, err := os.OpenFile("/dev/loop-control", os.O_RDWR, 0)
	if err != nil {
		return Device{}, nil, err
	}
	defer control.Close()

	// Between asking for a free device and taking it, another program can take it: then ask again.
	for deadline := time.Now().Add(10 * time.Second); ; {
		number, err := unix.IoctlRetInt(int(control.Fd()), unix.LOOP_CTL_GET_FREE)
		if err != nil {
			return Device{}, nil, fmt.Errorf("no free loop device: %w", err)
		}
		device := Device{Number: number, ReadOnly: readOnly}
		file, err := device.configure(backing, flags)
		if err == nil {
			return device, file, nil
		}
		if !errors.Is(err, unix.EBUSY) && !errors.Is(err, unix.ENXIO) && !errors.Is(err, unix.EAGAIN) || time.Now().After(deadline) {
			return Device{}, nil, fmt.Errorf("attach %s to %s: %w", image, device.Path(), err)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func (d Device) configure(backing *os.File, flags uint32) (*os.File, error) {
	file, err := d.Open()
	if err != nil {
		return nil, err
	}
	config := unix.LoopConfig{Fd: uint32(backing.Fd()), Info: unix.LoopInfo64{Flags: flags}}
	copy(config.Info.File_name[:len(config.Info.File_name)-1], backing.Name())
	if err := unix.IoctlLoopConfigure(int(file.Fd()), &config); err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
}

// Grow tells the device that its image has another size.
func (d Device) Grow() error {
	file, err := d.Open()
	if err != nil {
		return err
	}
	defer file.Close()
	return unix.IoctlSetInt(int(file.Fd()), unix.LOOP_SET_CAPACITY, 0)
}

// Of finds the devices that have the image behind them.
func Of(image string) ([]Device, error) {
	var want unix.Stat_t
	if err := unix.Stat(image, &want); err != nil {
		return nil, fmt.Errorf("%s: %w", image, err)
	}
	names, err := filepath.Glob("/sys/block/loop*/loop/backing_file")
	if err != nil {
		return nil, err
	}
	var found []Device
	for _, name := range names {
		// The name sorts out strangers, whose devices are better not opened; device and inode decide.
		text, err := os.ReadFile(name)
		if err != nil || filepath.Base(strings.TrimSpace(string(text))) != filepath.Base(image) {
			continue
		}
		number, err := strconv.Atoi(strings.TrimPrefix(strings.Split(name, "/")[3], "loop"))
		if err != nil {
			continue
		}
		if device, ok := check(number, want); ok {
			found = append(found, device)
		}
	}
	return found, nil
}

func check(number int, want unix.Stat_t) (Device, bool) {
	device := Device{Number: number, ReadOnly: true}
	file, err := device.Open()
	if err != nil {
		return device, false
	}
	defer file.Close()
	info, err := unix.IoctlLoopGetStatus64(int(file.Fd()))
	if err != nil || info.Inode != want.Ino || info.Device != want.Dev {
		return device, false
	}
	device.ReadOnly = info.Flags&unix.LO_FLAGS_READ_ONLY != 0
	return device, true
}
