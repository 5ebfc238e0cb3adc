// Package cgroup makes and removes one cgroup of a bed's own, in which kubelets put their pods. Cgroups are the one thing
// of a bed that no namespace holds: they stay after its processes, so whoever is outside removes them.
//
// Both versions: with version 1 every controller is a hierarchy of its own, with version 2 there is one hierarchy, in
// which each cgroup says which controllers its children have.
package cgroup

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// Name of the cgroup of the bed in a folder, below the top of each hierarchy. It follows from the folder's path, so that
// it can be found when the bed was killed.
func Name(folder string) string {
	return fmt.Sprintf("tidemark-bed-%x", sha256.Sum256([]byte(folder)))[:len("tidemark-bed-")+12]
}

type hierarchy struct {
	path    string // where it is mounted
	version int
}

func hierarchies() ([]hierarchy, error) {
	text, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	var all []hierarchy
	for line := range strings.Lines(string(text)) {
		// 36 35 98:0 / /sys/fs/cgroup/cpu rw,relatime shared:1 - cgroup cgroup rw,cpu
		mount, kind, found := strings.Cut(line, " - ")
		fields := strings.Fields(mount)
		if !found || len(fields) < 5 {
			continue
		}
		switch strings.Fields(kind)[0] {
		case "cgroup":
			all = append(all, hierarchy{fields[4], 1})
		case "cgroup2":
			all = append(all, hierarchy{fields[4], 2})
		}
	}
	if len(all) == 0 {
		return nil, errors.New("no cgroups are mounted below /sys/fs/cgroup: pods need them")
	}
	return all, nil
}

// Make makes a cgroup, as in "tidemark-bed-0123/node-1", in every hierarchy that pods need.
func Make(name string) error {
	all, err := hierarchies()
	if err != nil {
		return err
	}
	first := slices.ContainsFunc(all, func(each hierarchy) bool { return each.version == 1 })
	for _, each := range all {
		// Beside hierarchies of version 1 the other one has what these leave: nothing that pods need.
		if first && each.version == 2 {
			continue
		}
		if err := each.make(name); err != nil {
			return fmt.Errorf("cgroup %s: %w", name, err)
		}
	}
	return nil
}

func (h hierarchy) make(name string) error {
	path := h.path
	for part := range strings.SplitSeq(name, "/") {
		parent := path
		path = filepath.Join(path, part)
		if err := os.Mkdir(path, 0o755); err != nil && !errors.Is(err, os.ErrExist) {
			return err
		}
		if h.version == 2 {
			if err := handDown(parent); err != nil {
				return err
			}
			continue
		}
		// In a new cpuset there is nothing, and no process may join it.
		for _, file := range []string{"cpuset.cpus", "cpuset.mems"} {
			text, err := os.ReadFile(filepath.Join(parent, file))
			if errors.Is(err, os.ErrNotExist) {
				continue // another controller's hierarchy
			}
			if err == nil {
				err = os.WriteFile(filepath.Join(path, file), text, 0)
			}
			if err != nil {
				return err
			}
		}
	}
	if h.version == 2 {
		return handDown(path)
	}
	return nil
}

// What runc and the kubelet use, if it is there.
var controllers = []string{"cpu", "cpuset", "hugetlb", "io", "memory", "pids"}

// Children get those controllers that the cgroup has. At the top of a machine they have them already, or keep them.
func handDown(path string) error {
	given := map[string]bool{}
	control := filepath.Join(path, "cgroup.subtree_control")
	for _, controller := range words(control) {
		given[controller] = true
	}
	for _, controller := range words(filepath.Join(path, "cgroup.controllers")) {
		if given[controller] || !slices.Contains(controllers, controller) {
			continue
		}
		err := os.WriteFile(control, []byte("+"+controller), 0)
		if errors.Is(err, syscall.EBUSY) {
			return fmt.Errorf("%s: the controller %s cannot be handed down, for processes are in that cgroup itself; "+
				"in a container, move them into one below it first", control, controller)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func words(path string) []string {
	text, _ := os.ReadFile(path) // what is not there has none
	return strings.Fields(string(text))
}

// Remove removes a cgroup and all below it, from every hierarchy; it is no error when there is none. Their processes
// have ended, but the kernel may take a moment to know it: so long it tries.
func Remove(name string, patience time.Duration) error {
	all, err := hierarchies()
	if err != nil {
		return nil // then there is nothing to remove
	}
	deadline := time.Now().Add(patience)
	for _, each := range all {
		for {
			err := remove(filepath.Join(each.path, name))
			if err == nil {
				break
			}
			if time.Now().After(deadline) {
				return fmt.Errorf("left behind: %w", err)
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
	return nil
}

// The files in a cgroup's folder go with it, so it is removed though it is not empty.
func remove(path string) error {
	entries, err := os.ReadDir(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if !entry.IsDir() {
			continue
		}
		if err := remove(filepath.Join(path, entry.Name())); err != nil {
			return err
		}
	}
	if err := syscall.Rmdir(path); err != nil && !errors.Is(err, syscall.ENOENT) {
		return &os.PathError{Op: "rmdir", Path: path, Err: err}
	}
	return nil
}

// Left lists the folders of a cgroup that are there.
func Left(name string) []string {
	all, _ := hierarchies()
	var left []string
	for _, each := range all {
		if _, err := os.Stat(filepath.Join(each.path, name)); err == nil {
			left = append(left, filepath.Join(each.path, name))
		}
	}
	return left
}
