// Package pool is where images lie: a loop-mounted btrfs or xfs, whose files are copied in an instant (reflinks), or a
// plain folder, where a copy takes as long as it is big.
package pool

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"tidemark.test/csi/internal/loop"
	"tidemark.test/csi/internal/mounts"
	"tidemark.test/csi/internal/records"
)

// Options say what backs a pool.
type Options struct {
	File  string // the image of the pool's file system; with none, the folder itself
	Bytes int64  // the image's size when it is made
	FS    string // btrfs, xfs, none, or auto: the first that this machine has
	At    string // where it is mounted
}

// Pool is an open one.
type Pool struct {
	Root     string
	FS       string
	Reflinks bool
	mounted  bool
}

// Open makes the pool where there is none, and mounts it where it is not.
func Open(options Options) (*Pool, error) {
	fs, err := choose(options.FS)
	if err != nil {
		return nil, err
	}
	pool := &Pool{Root: options.At, FS: fs, mounted: fs != "none"}
	if pool.mounted {
		if err := mount(options, fs); err != nil {
			return nil, err
		}
	} else if pool.Root = options.File; os.MkdirAll(pool.Root, 0o700) != nil {
		return nil, fmt.Errorf("pool: %s can not be made a folder", pool.Root)
	}
	if pool.Reflinks, err = pool.probe(); err != nil {
		pool.Close()
		return nil, err
	}
	return pool, nil
}

func choose(wish string) (string, error) {
	switch wish {
	case "none":
		return wish, nil
	case "btrfs", "xfs":
		if !has(wish) {
			return "", fmt.Errorf("pool: this machine's kernel has no %s, or there is no mkfs.%s (packages btrfs-progs, xfsprogs)", wish, wish)
		}
		return wish, nil
	case "auto":
		for _, fs := range []string{"btrfs", "xfs"} {
			if has(fs) {
				return fs, nil
			}
		}
		return "none", nil
	}
	return "", fmt.Errorf("pool: no such file system '%s' (btrfs, xfs, none, auto)", wish)
}

func has(fs string) bool {
	if _, err := exec.LookPath("mkfs." + fs); err != nil {
		return false
	}
	_ = exec.Command("modprobe", "-q", fs).Run()
	known, err := os.ReadFile("/proc/filesystems")
	return err == nil && slices.Contains(strings.Fields(string(known)), fs)
}

// mount mounts the pool's image. A driver that was killed left it mounted: then it is taken as it is.
func mount(options Options, fs string) error {
	if err := ensureMade(options, fs); err != nil {
		return err
	}
	if err := os.MkdirAll(options.At, 0o700); err != nil {
		return err
	}
	attached, err := loop.Of(options.File)
	if err != nil {
		return err
	}
	if there, ok, err := mounts.At(options.At); err != nil {
		return err
	} else if ok {
		if slices.ContainsFunc(attached, func(d loop.Device) bool { return d.Path() == there.Source }) {
			return nil
		}
		return fmt.Errorf("pool: something else is mounted at %s", options.At)
	}
	device, file, err := take(options.File, attached)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := unix.Mount(device.Path(), options.At, fs, 0, ""); err != nil {
		return fmt.Errorf("pool: mount %s (%s) at %s: %w", options.File, fs, options.At, err)
	}
	return nil
}

func take(file string, attached []loop.Device) (loop.Device, *os.File, error) {
	for _, device := range attached {
		if opened, err := device.Open(); err == nil {
			return device, opened, nil
		}
	}
	return loop.Attach(file, false)
}

func ensureMade(options Options, fs string) error {
	if _, err := os.Stat(options.File); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(options.File), 0o700); err != nil {
		return err
	}
	fresh := options.File + ".new"
	if err := sparse(fresh, options.Bytes, os.O_TRUNC); err != nil {
		return err
	}
	arguments := map[string][]string{"btrfs": {"-q", "-f", "-m", "single"}, "xfs": {"-q", "-f", "-m", "reflink=1"}}[fs]
	if fs == "btrfs" && options.Bytes < 1<<30 {
		arguments = append(arguments, "--mixed") // separate chunks for metadata would eat a small one
		arguments = append(arguments, "-d", "single")
	}
	if out, err := exec.Command("mkfs."+fs, append(arguments, fresh)...).CombinedOutput(); err != nil {
		return fmt.Errorf("pool: mkfs.%s %s: %w: %s", fs, fresh, err, strings.TrimSpace(string(out)))
	}
	return os.Rename(fresh, options.File)
}

// probe finds out by trying whether the pool's files can share blocks.
func (p *Pool) probe() (bool, error) {
	one, other := filepath.Join(p.Root, ".probe"), filepath.Join(p.Root, ".probe-copy")
	defer os.Remove(one)
	defer os.Remove(other)
	if err := os.WriteFile(one, make([]byte, 4096), 0o600); err != nil {
		return false, err
	}
	from, err := os.Open(one)
	if err != nil {
		return false, err
	}
	defer from.Close()
	to, err := os.Create(other)
	if err != nil {
		return false, err
	}
	defer to.Close()
	err = unix.IoctlFileClone(int(to.Fd()), int(from.Fd()))
	if p.mounted && err != nil {
		return false, fmt.Errorf("pool: %s has no reflinks: %w", p.FS, err)
	}
	return err == nil, nil
}

// Close unmounts the pool. Whoever still uses a file of it keeps it until he is done.
func (p *Pool) Close() error {
	if !p.mounted {
		return nil
	}
	err := unix.Unmount(p.Root, 0)
	// A process that just let go of an image may not be quite gone.
	for deadline := time.Now().Add(time.Second); errors.Is(err, unix.EBUSY) && time.Now().Before(deadline); {
		time.Sleep(5 * time.Millisecond)
		err = unix.Unmount(p.Root, 0)
	}
	if errors.Is(err, unix.EBUSY) {
		err = unix.Unmount(p.Root, unix.MNT_DETACH)
	}
	if err != nil && !errors.Is(err, unix.EINVAL) {
		return fmt.Errorf("pool: unmount %s: %w", p.Root, err)
	}
	return nil
}

// Room is how much the pool's file system has, and how much of it is free.
func (p *Pool) Room() (total, free int64, err error) {
	var stat unix.Statfs_t
	if err := unix.Statfs(p.Root, &stat); err != nil {
		return 0, 0, err
	}
	return int64(stat.Blocks) * stat.Bsize, int64(stat.Bavail) * stat.Bsize, nil
}

// Sweep removes the images that no record speaks of: a driver that was killed left them.
func (p *Pool) Sweep(folder string, known func(id string) bool) ([]string, error) {
	path := filepath.Join(p.Root, folder)
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, err
	}
	var swept []string
	for _, entry := range entries {
		id, isImage := strings.CutSuffix(entry.Name(), ".img")
		if !isImage && !strings.HasSuffix(entry.Name(), ".img.new") || isImage && known(id) {
			continue
		}
		if err := os.Remove(filepath.Join(path, entry.Name())); err != nil {
			return swept, err
		}
		swept = append(swept, entry.Name())
	}
	return swept, records.SyncFolder(path)
}
