package space

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// Shadow lets the space write into folders of the machine without the machine seeing it: what is there is seen through,
// what is written goes to memory, at the empty folder given, and is gone with the space. What is mounted below them, and
// the folder `kept`, stay what they are.
func Shadow(memory, kept string, folders ...string) error {
	if err := unix.Mount("tmpfs", memory, "tmpfs", 0, "mode=0755"); err != nil {
		return fmt.Errorf("memory at %s: %w", memory, err)
	}
	for _, folder := range folders {
		if err := shadow(memory, kept, folder); err != nil {
			return fmt.Errorf("a layer over %s: %w", folder, err)
		}
	}
	return nil
}

func shadow(memory, kept, folder string) error {
	within, err := mountsBelow(folder)
	if err != nil {
		return err
	}
	if strings.HasPrefix(kept, folder+"/") {
		within = append(within, kept)
	}
	var held []*os.File
	for _, path := range within {
		file, err := os.OpenFile(path, unix.O_PATH, 0)
		if err != nil {
			return err
		}
		defer file.Close()
		held = append(held, file)
	}
	upper := filepath.Join(memory, strings.ReplaceAll(folder, "/", "_"))
	work := upper + ".work"
	for _, each := range []string{upper, work} {
		if err := os.Mkdir(each, 0o755); err != nil {
			return err
		}
	}
	options := fmt.Sprintf("lowerdir=%s,upperdir=%s,workdir=%s", folder, upper, work)
	if err := unix.Mount("overlay", folder, "overlay", 0, options); err != nil {
		return err
	}
	for at, path := range within {
		if err := unix.Mount(fmt.Sprintf("/proc/self/fd/%d", held[at].Fd()), path, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
			return fmt.Errorf("%s again: %w", path, err)
		}
	}
	return nil
}

// The topmost mounts below a folder; what is mounted below them comes with them.
func mountsBelow(folder string) ([]string, error) {
	text, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	var found []string
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) < 5 || !strings.HasPrefix(fields[4], folder+"/") {
			continue
		}
		path := fields[4]
		if !slices.ContainsFunc(found, func(above string) bool { return path == above || strings.HasPrefix(path, above+"/") }) {
			found = append(found, path)
		}
	}
	return found, nil
}

// Bind lets a folder or file be seen at another path too. A folder is made when it is not there.
func Bind(what, at string) error {
	if info, err := os.Stat(what); err == nil && info.IsDir() {
		if err := os.MkdirAll(at, 0o755); err != nil {
			return err
		}
	}
	if err := unix.Mount(what, at, "", unix.MS_BIND, ""); err != nil {
		return fmt.Errorf("%s at %s: %w", what, at, err)
	}
	return nil
}

// ShareMounts lets mounts that a process of the space makes be seen in its other mount namespaces, where these ask for it
// (containers, with propagation), and still not outside.
func ShareMounts() error { return unix.Mount("", "/", "", unix.MS_REC|unix.MS_SHARED, "") }
