package driver

import (
	"errors"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"golang.org/x/sys/unix"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"tidemark.test/csi/internal/hold"
	"tidemark.test/csi/internal/loop"
	"tidemark.test/csi/internal/mounts"
	"tidemark.test/csi/internal/pool"
	"tidemark.test/csi/internal/records"
)

// device finds or attaches the volume's device; the file keeps it until the caller has put it to use.
func (d *Driver) device(id string, readOnly bool) (loop.Device, *os.File, error) {
	image := d.pool.Image(volumeFolder, id)
	attached, err := loop.Of(image)
	if err != nil {
		return loop.Device{}, nil, err
	}
	for _, device := range attached {
		if device.ReadOnly != readOnly {
			continue
		}
		// It may be detached between finding and opening: then a new one is attached.
		if file, err := device.Open(); err == nil {
			if still, err := loop.Of(image); err == nil {
				for _, again := range still {
					if again == device {
						return device, file, nil
					}
				}
			}
			file.Close()
		}
	}
	return loop.Attach(image, readOnly)
}

func (d *Driver) stage(volume records.Volume, path string, capability *csi.VolumeCapability) error {
	if err := d.ensureFormatted(volume); err != nil {
		return err
	}
	if err := d.growUnused(volume); err != nil {
		return err
	}
	if err := os.MkdirAll(path, 0o750); err != nil {
		return err
	}
	device, file, err := d.device(volume.ID, false)
	if err != nil {
		return err
	}
	defer file.Close()
	arguments := []string{"-t", "ext4"}
	if flags := capability.GetMount().GetMountFlags(); len(flags) > 0 {
		arguments = append(arguments, "-o", strings.Join(flags, ","))
	}
	if err := run("mount", append(arguments, device.Path(), path)...); err != nil {
		return err
	}
	return d.grow(volume)
}

// ensureFormatted makes the file system of a volume that was a block volume's blank snapshot. One with data that is no
// ext4 is not touched.
func (d *Driver) ensureFormatted(volume records.Volume) error {
	image := d.pool.Image(volumeFolder, volume.ID)
	has, err := pool.Ext4(image)
	if err != nil || has > 0 {
		return err
	}
	if empty, err := pool.Empty(image); err != nil {
		return err
	} else if !empty {
		return status.Errorf(codes.FailedPrecondition, "volume %s has data and no ext4", volume.ID)
	}
	draft := d.pool.New(volumeFolder, volume.ID)
	defer draft.Drop()
	if err := draft.Blank(volume.Bytes); err != nil {
		return err
	}
	if err := draft.Format(); err != nil {
		return err
	}
	return draft.Keep()
}

// growUnused brings the file system up to the image's size before it is mounted. It is done to a copy, because a
// resize that is cut short would be the end of the file system.
func (d *Driver) growUnused(volume records.Volume) error {
	image := d.pool.Image(volumeFolder, volume.ID)
	bytes, err := pool.Ext4(image)
	if err != nil || bytes+grain > volume.Bytes {
		return err
	}
	if attached, err := loop.Of(image); err != nil || len(attached) > 0 {
		return err
	}
	draft := d.pool.New(volumeFolder, volume.ID)
	defer draft.Drop()
	if err := draft.CopyOf(image, d.pool.Reflinks); err != nil {
		return err
	}
	if err := draft.Resize(); err != nil {
		return err
	}
	return draft.Keep()
}

// growsMounted says whether the kernel lets us grow a mounted ext4: that wants CAP_SYS_RESOURCE, which root in a
// container or a small virtual machine may not have.
var growsMounted = sync.OnceValue(func() bool {
	var data [2]unix.CapUserData
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	return unix.Capget(&header, &data[0]) == nil && data[0].Effective&(1<<unix.CAP_SYS_RESOURCE) != 0
})

// grow brings devices and file systems up to the image's size.
func (d *Driver) grow(volume records.Volume) error {
	points, devices, err := d.mountedAt(volume.ID)
	if err != nil {
		return err
	}
	for _, device := range devices {
		if err := device.Grow(); err != nil {
			return fmt.Errorf("grow %s: %w", device.Path(), err)
		}
	}
	if volume.Block || len(points) == 0 {
		return nil
	}
	for _, device := range devices {
		bytes, err := pool.Ext4(device.Path())
		if err != nil {
			return err
		}
		if bytes+grain <= volume.Bytes && !device.ReadOnly {
			if !growsMounted() {
				return status.Errorf(codes.FailedPrecondition, "volume %s is mounted, and without CAP_SYS_RESOURCE its ext4 grows only when it is staged anew", volume.ID)
			}
			if err := run("resize2fs", device.Path()); err != nil {
				return err
			}
		}
	}
	return nil
}

func run(program string, arguments ...string) error {
	out, err := exec.Command(program, arguments...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s %s: %w: %s", program, strings.Join(arguments, " "), err, strings.TrimSpace(string(out)))
	}
	return nil
}

// isMounted says whether the volume's file system is mounted at the path; another one there is an error.
func (d *Driver) isMounted(id, path string) (bool, error) {
	there, ok, err := mounts.At(path)
	if err != nil || !ok {
		return false, err
	}
	devices, err := loop.Of(d.pool.Image(volumeFolder, id))
	if err != nil {
		return false, err
	}
	for _, device := range devices {
		if there.Device == fmt.Sprintf("7:%d", device.Number) {
			return true, nil
		}
	}
	return false, status.Errorf(codes.AlreadyExists, "%s from %s is mounted at %s", there.FS, there.Source, path)
}

// isThere says whether the volume is staged or published at the path.
func (d *Driver) isThere(volume records.Volume, path string) (bool, error) {
	var stat unix.Stat_t
	if err := unix.Stat(path, &stat); err != nil {
		if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOTDIR) {
			return false, nil
		}
		return false, err
	}
	devices, err := loop.Of(d.pool.Image(volumeFolder, volume.ID))
	if err != nil {
		return false, err
	}
	where := stat.Dev
	if volume.Block {
		where = stat.Rdev
	}
	for _, device := range devices {
		if where == unix.Mkdev(7, uint32(device.Number)) {
			return true, nil
		}
	}
	return false, nil
}

func (d *Driver) publishMount(volume records.Volume, staged, target string, readOnly bool, mode csi.VolumeCapability_AccessMode_Mode) error {
	if ours, err := d.isMounted(volume.ID, staged); err != nil {
		return err
	} else if !ours {
		return status.Errorf(codes.FailedPrecondition, "volume %s is not staged at %s", volume.ID, staged)
	}
	if ours, err := d.isMounted(volume.ID, target); err != nil {
		return err
	} else if ours {
		if there, _, err := mounts.At(target); err != nil || there.ReadOnly == readOnly {
			return err
		}
		return status.Errorf(codes.AlreadyExists, "volume %s is published at %s with another readonly", volume.ID, target)
	}
	if err := d.single(volume, staged, mode); err != nil {
		return err
	}
	if err := os.MkdirAll(target, 0o750); err != nil {
		return err
	}
	if err := unix.Mount(staged, target, "", unix.MS_BIND, ""); err != nil {
		return fmt.Errorf("bind %s to %s: %w", staged, target, err)
	}
	if readOnly {
		if err := unix.Mount("", target, "", unix.MS_BIND|unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
			_ = unix.Unmount(target, 0)
			return fmt.Errorf("make %s read-only: %w", target, err)
		}
	}
	return nil
}

// single refuses a second place for a volume that one pod may have.
func (d *Driver) single(volume records.Volume, staged string, mode csi.VolumeCapability_AccessMode_Mode) error {
	if mode != csi.VolumeCapability_AccessMode_SINGLE_NODE_SINGLE_WRITER {
		return nil
	}
	devices, err := loop.Of(d.pool.Image(volumeFolder, volume.ID))
	if err != nil {
		return err
	}
	staged, _ = filepath.EvalSymlinks(staged)
	for _, device := range devices {
		found, err := mounts.OfLoop(device.Number)
		if volume.Block {
			found, err = mounts.OfLoopNode(device.Number)
		}
		if err != nil {
			return err
		}
		for _, mount := range found {
			if volume.Block || mount.Point != filepath.Clean(staged) {
				return status.Errorf(codes.FailedPrecondition, "volume %s is published at %s, and may be at one place only", volume.ID, mount.Point)
			}
		}
	}
	return nil
}

func (d *Driver) publishBlock(volume records.Volume, target string, readOnly bool, mode csi.VolumeCapability_AccessMode_Mode) error {
	if here, err := d.isThere(volume, target); err != nil {
		return err
	} else if here {
		return d.sameReadOnly(volume, target, readOnly)
	}
	if err := d.single(volume, "", mode); err != nil {
		return err
	}
	image := d.pool.Image(volumeFolder, volume.ID)
	device, open, err := d.device(volume.ID, readOnly)
	if err != nil {
		return err
	}
	defer open.Close()
	if err := hold.Start(image, device, open); err != nil {
		return err
	}
	file, err := os.OpenFile(target, os.O_CREATE|os.O_RDONLY, 0o660)
	if err == nil {
		file.Close()
		err = unix.Mount(device.Path(), target, "", unix.MS_BIND, "")
	}
	if err != nil {
		_ = d.releaseUnused(volume.ID)
		return fmt.Errorf("put %s at %s: %w", device.Path(), target, err)
	}
	return nil
}

func (d *Driver) sameReadOnly(volume records.Volume, target string, readOnly bool) error {
	var stat unix.Stat_t
	if err := unix.Stat(target, &stat); err != nil {
		return err
	}
	devices, err := loop.Of(d.pool.Image(volumeFolder, volume.ID))
	for _, device := range devices {
		if stat.Rdev == unix.Mkdev(7, uint32(device.Number)) && device.ReadOnly != readOnly {
			return status.Errorf(codes.AlreadyExists, "volume %s is published at %s with another readonly", volume.ID, target)
		}
	}
	return err
}

// releaseUnused lets go of those devices of a volume that are published nowhere.
func (d *Driver) releaseUnused(id string) error {
	image := d.pool.Image(volumeFolder, id)
	devices, err := loop.Of(image)
	if err != nil {
		return err
	}
	for _, device := range devices {
		found, err := mounts.OfLoopNode(device.Number)
		if err != nil {
			return err
		}
		if len(found) > 0 {
			continue
		}
		if err := hold.Release(image, device); err != nil {
			return err
		}
	}
	return nil
}

// DetachAll unmounts every volume wherever it is and lets go of every device. Whoever still has a file open keeps it.
func (d *Driver) DetachAll() {
	for _, volume := range d.volumes.All() {
		devices, err := loop.Of(d.pool.Image(volumeFolder, volume.ID))
		if err != nil {
			log.Printf("detach %s: %v", volume.ID, err)
			continue
		}
		for _, device := range devices {
			nodes, _ := mounts.OfLoopNode(device.Number)
			points, _ := mounts.OfLoop(device.Number)
			for _, mount := range append(nodes, points...) {
				if mounts.Unmount(mount.Point, 0) != nil {
					if err := mounts.Unmount(mount.Point, unix.MNT_DETACH); err != nil {
						log.Printf("detach %s: %v", volume.ID, err)
					}
				}
			}
			if err := hold.Release(d.pool.Image(volumeFolder, volume.ID), device); err != nil {
				log.Printf("detach %s: %v", volume.ID, err)
			}
		}
	}
}
