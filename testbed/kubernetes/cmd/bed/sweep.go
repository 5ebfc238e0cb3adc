package main

import (
	"os"
	"os/exec"
	"syscall"

	"tidemark.test/kubernetes/cluster"
)

// Starts a process that outlives the bed, to remove what stays when its outer process is killed.
func startSweeper(folder cluster.Folder) error {
	program, err := os.Executable()
	if err != nil {
		return err
	}
	command := exec.Command(program, "sweep", string(folder))
	command.Stderr = os.Stderr
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := command.Start(); err != nil {
		return err
	}
	return command.Process.Release()
}

// Waits until no process of a bed lives, and removes what is left of it.
func sweep(args []string) error {
	folder := cluster.Folder(args[0])
	lock, err := os.OpenFile(folder.Lock(), os.O_RDWR, 0o644)
	if err != nil {
		return err
	}
	defer lock.Close()
	for {
		err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX)
		if err == nil {
			return folder.Sweep()
		}
		if err != syscall.EINTR {
			return err
		}
	}
}
