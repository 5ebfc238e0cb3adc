package cluster

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// NewFolder makes the path absolute; the folder need not exist.
func NewFolder(path string) (Folder, error) {
	absolute, err := filepath.Abs(path)
	return Folder(absolute), err
}

// Claim makes the folder, and refuses one that holds other things than a bed's.
func (f Folder) Claim() error {
	entries, err := os.ReadDir(string(f))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if len(entries) > 0 && !exists(f.Lock()) {
		return fmt.Errorf("the folder %s holds something else than a bed; name another by --dir", f)
	}
	if err := os.MkdirAll(f.Logs(), 0o755); err != nil {
		return err
	}
	lock, err := os.OpenFile(f.Lock(), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return err
	}
	return lock.Close()
}

// A holder is the outer process of a bed. A number alone could be another process's by now.
type holder struct {
	PID   int    `json:"pid"`
	Start string `json:"start"` // since boot, in the kernel's ticks
}

// Hold takes the lock for a new bed. It is free again when the last process that holds the file has ended.
func (f Folder) Hold() (*os.File, error) {
	lock, err := os.OpenFile(f.Lock(), os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		lock.Close()
		return nil, fmt.Errorf("a bed runs in %s already; 'bed down --dir %s' ends it", f, f)
	}
	if err := f.Sweep(); err != nil {
		return nil, err
	}
	for _, stale := range []string{f.Ready(), f.Control()} {
		if err := os.RemoveAll(stale); err != nil {
			return nil, err
		}
	}
	logs, _ := filepath.Glob(filepath.Join(f.Logs(), "*"))
	for _, log := range logs {
		if log != f.Log() {
			_ = os.Remove(log) // or it is appended to
		}
	}
	text, err := json.Marshal(holder{PID: os.Getpid(), Start: startOf(os.Getpid())})
	if err != nil {
		return nil, err
	}
	if err := lock.Truncate(0); err != nil {
		return nil, err
	}
	_, err = lock.WriteAt(text, 0)
	return lock, err
}

// IsReady tells whether the bed said that it is ready.
func (f Folder) IsReady() bool { return exists(f.Ready()) }

// End ends the bed that runs in the folder, if one does: in order, and by force after the time given.
func (f Folder) End(orderly time.Duration) error {
	lock, err := os.OpenFile(f.Lock(), os.O_RDWR, 0o644)
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("there is no bed in %s", f)
	}
	if err != nil {
		return err
	}
	defer lock.Close()
	const force = 3 * time.Minute // for the kernel, to end processes that were told to, where others want the processors
	started := time.Now()
	for told := syscall.Signal(0); ; time.Sleep(20 * time.Millisecond) {
		if syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
			return f.Sweep()
		}
		number := syscall.SIGTERM
		if time.Since(started) > orderly {
			number = syscall.SIGKILL
		}
		if told != number {
			told = number
			if pid := f.holder(); pid != 0 {
				_ = syscall.Kill(pid, number) // fails when it has just ended
			}
		}
		if time.Since(started) > orderly+force {
			return fmt.Errorf("the bed in %s does not end: something still holds %s", f, f.Lock())
		}
	}
}

func (f Folder) holder() int {
	var holder holder
	text, err := os.ReadFile(f.Lock())
	if err != nil || json.Unmarshal(text, &holder) != nil || startOf(holder.PID) != holder.Start {
		return 0
	}
	return holder.PID
}

// The start time of a process, field 22 of /proc/PID/stat; the second may hold blanks and parentheses.
func startOf(pid int) string {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return "gone"
	}
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	return fields[19]
}
