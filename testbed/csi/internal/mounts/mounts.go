// Package mounts reads this mount namespace's table: what is mounted where is asked of the kernel each time, so a
// restarted driver knows as much as the one before.
package mounts

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Mount is one line of /proc/self/mountinfo.
type Mount struct {
	Device   string // major:minor
	Root     string // the part of the file system that is mounted
	Point    string
	FS       string
	Source   string
	ReadOnly bool
}

// All answers every mount, in the order they were made.
func All() ([]Mount, error) {
	text, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	var all []Mount
	for line := range strings.Lines(string(text)) {
		before, after, ok := strings.Cut(line, " - ")
		head, tail := strings.Fields(before), strings.Fields(after)
		if !ok || len(head) < 6 || len(tail) < 2 {
			return nil, fmt.Errorf("/proc/self/mountinfo: a line that is none: %q", line)
		}
		readOnly := false
		for _, option := range strings.Split(head[5], ",") {
			readOnly = readOnly || option == "ro"
		}
		all = append(all, Mount{head[2], unescape(head[3]), unescape(head[4]), tail[0], unescape(tail[1]), readOnly})
	}
	return all, nil
}

// unescape undoes the kernel's \040 for a blank, and the like.
func unescape(text string) string {
	for at := strings.IndexByte(text, '\\'); at >= 0 && at+4 <= len(text); {
		code, err := strconv.ParseUint(text[at+1:at+4], 8, 8)
		if err != nil {
			break
		}
		text = text[:at] + string([]byte{byte(code)}) + text[at+4:]
		next := strings.IndexByte(text[at+1:], '\\')
		if next < 0 {
			break
		}
		at += 1 + next
	}
	return text
}

// At finds what is mounted at the path, the uppermost if several are.
func At(path string) (Mount, bool, error) {
	if resolved, err := filepath.EvalSymlinks(path); err == nil {
		path = resolved
	}
	all, err := All()
	for i := len(all) - 1; i >= 0; i-- {
		if all[i].Point == filepath.Clean(path) {
			return all[i], true, err
		}
	}
	return Mount{}, false, err
}

// OfLoop finds the file systems mounted from a loop device.
func OfLoop(number int) ([]Mount, error) {
	device := fmt.Sprintf("7:%d", number)
	return where(func(m Mount) bool { return m.Device == device })
}

// OfLoopNode finds the places where the node of a loop device is bound to.
func OfLoopNode(number int) ([]Mount, error) {
	base := fmt.Sprintf("loop%d", number)
	return where(func(m Mount) bool {
		var stat unix.Stat_t
		return filepath.Base(m.Root) == base && unix.Stat(m.Point, &stat) == nil &&
			stat.Mode&unix.S_IFMT == unix.S_IFBLK && stat.Rdev == unix.Mkdev(7, uint32(number))
	})
}

func where(fits func(Mount) bool) ([]Mount, error) {
	all, err := All()
	var found []Mount
	for _, mount := range all {
		if fits(mount) {
			found = append(found, mount)
		}
	}
	return found, err
}

// Unmount takes away everything that is mounted at the path. Nothing there is no error.
func Unmount(path string, flags int) error {
	for {
		_, there, err := At(path)
		if err != nil || !there {
			return err
		}
		if err := unix.Unmount(path, flags|unix.UMOUNT_NOFOLLOW); err != nil && !errors.Is(err, unix.EINVAL) {
			return fmt.Errorf("unmount %s: %w", path, err)
		}
	}
}
