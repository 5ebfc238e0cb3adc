package pool

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"tidemark.test/csi/internal/records"
)

// Image is the path of a volume's or snapshot's image.
func (p *Pool) Image(folder, id string) string { return filepath.Join(p.Root, folder, id+".img") }

// Draft is an image that is being made: it has another name until Keep.
type Draft struct{ final string }

// Path is where it is made.
func (d Draft) Path() string { return d.final + ".new" }

// New begins an image.
func (p *Pool) New(folder, id string) Draft { return Draft{p.Image(folder, id)} }

// Keep makes it survive a crash, under its name.
func (d Draft) Keep() error {
	file, err := os.OpenFile(d.Path(), os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := file.Sync(); err != nil {
		return err
	}
	if err := os.Rename(d.Path(), d.final); err != nil {
		return err
	}
	return records.SyncFolder(filepath.Dir(d.final))
}

// Drop removes what was begun; after Keep there is nothing.
func (d Draft) Drop() { _ = os.Remove(d.Path()) }

// Remove removes the image, kept or not: what was made with it failed.
func (d Draft) Remove() {
	d.Drop()
	_ = os.Remove(d.final)
}

// Blank makes an image of zeros, which take no room.
func (d Draft) Blank(size int64) error { return sparse(d.Path(), size, os.O_TRUNC) }

// Format makes an ext4 in it. Everything is initialized here, so that the kernel has nothing to write later on its own.
func (d Draft) Format() error {
	out, err := exec.Command("mkfs.ext4", "-q", "-F", "-m", "0", "-E", "lazy_itable_init=0,lazy_journal_init=0", d.Path()).CombinedOutput()
	if err != nil {
		return fmt.Errorf("mkfs.ext4: %w: %s", err, strings.TrimSpace(string(out)))
	}
	return nil
}

// Resize makes the ext4 in it as large as the image is.
func (d Draft) Resize() error {
	out, err := exec.Command("e2fsck", "-f", "-p", d.Path()).CombinedOutput()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 1 {
		err = nil // it had something to put right, and did
	}
	if err != nil {
		return fmt.Errorf("e2fsck: %w: %s", err, strings.TrimSpace(string(out)))
	}
	if out, err = exec.Command("resize2fs", d.Path()).CombinedOutput(); err != nil {
		return fmt.Errorf("resize2fs: %w: %s", err, strings.TrimSpace(string(out)))
	}
	return nil
}

// CopyOf makes an image with the content that the other has now: in an instant where blocks can be shared.
func (d Draft) CopyOf(source string, reflinks bool) error {
	from, err := os.Open(source)
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := os.OpenFile(d.Path(), os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer to.Close()
	if reflinks {
		if err := unix.IoctlFileClone(int(to.Fd()), int(from.Fd())); err != nil {
			return fmt.Errorf("reflink %s: %w", source, err)
		}
		return nil
	}
	return copyData(to, from)
}

// copyData copies what is no hole.
func copyData(to, from *os.File) error {
	info, err := from.Stat()
	if err != nil {
		return err
	}
	for at := int64(0); ; {
		begin, err := unix.Seek(int(from.Fd()), at, unix.SEEK_DATA)
		if errors.Is(err, unix.ENXIO) {
			break // holes from here on
		}
		if err != nil {
			return err
		}
		if at, err = unix.Seek(int(from.Fd()), begin, unix.SEEK_HOLE); err != nil {
			return err
		}
		if _, err := io.Copy(io.NewOffsetWriter(to, begin), io.NewSectionReader(from, begin, at-begin)); err != nil {
			return err
		}
	}
	return to.Truncate(info.Size())
}

// Grow makes an image larger; one that is as large already is left.
func Grow(path string, size int64) error { return sparse(path, size, 0) }

func sparse(path string, size int64, flags int) error {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|flags, 0o600)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if info.Size() < size {
		if err := file.Truncate(size); err != nil {
			return err
		}
	}
	return file.Sync()
}

// Ext4 looks for the superblock: how large the file system in the image or device says it is, 0 if it has none.
func Ext4(path string) (int64, error) {
	file, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	block := make([]byte, 1024)
	if _, err := file.ReadAt(block, 1024); errors.Is(err, io.EOF) {
		return 0, nil
	} else if err != nil {
		return 0, err
	}
	if binary.LittleEndian.Uint16(block[0x38:]) != 0xEF53 {
		return 0, nil
	}
	blocks := int64(binary.LittleEndian.Uint32(block[4:]))
	if binary.LittleEndian.Uint32(block[0x60:])&0x80 != 0 { // 64bit
		blocks |= int64(binary.LittleEndian.Uint32(block[0x150:])) << 32
	}
	return blocks << (10 + binary.LittleEndian.Uint32(block[0x18:])), nil
}

// Empty says whether the image has no data at all.
func Empty(path string) (bool, error) {
	file, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer file.Close()
	_, err = unix.Seek(int(file.Fd()), 0, unix.SEEK_DATA)
	if errors.Is(err, unix.ENXIO) {
		return true, nil
	}
	return false, err
}
