// Package records remembers on disk what the driver has promised: one file a volume, snapshot or group. A record is
// what makes a thing exist: it is written after the image and dropped before it. Whatever the driver is killed at, a
// restart lists whole things only.
package records

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"tidemark.test/csi/internal/crash"
)

// Volume is a volume; its image has at least Bytes.
type Volume struct {
	ID, Name       string
	Seq            int64
	Bytes          int64
	Block          bool
	Parameters     map[string]string `json:",omitempty"`
	Mutable        map[string]string `json:",omitempty"`
	SourceSnapshot string            `json:",omitempty"`
	SourceVolume   string            `json:",omitempty"`
	Created        time.Time
	Attached       map[string]Attachment `json:",omitempty"` // by node, where the driver attaches
}

// Attachment is how a volume is attached to a node.
type Attachment struct {
	ReadOnly bool
	Mode     int32
	Block    bool
}

// Snapshot is a snapshot; one of a group stands in the group's record, so a group is there whole or not at all.
type Snapshot struct {
	ID, Name   string
	Seq        int64
	VolumeID   string
	Bytes      int64
	Block      bool
	Parameters map[string]string `json:",omitempty"`
	Created    time.Time
	ReadyAt    time.Time
	GroupID    string `json:",omitempty"`
}

// Group is a group of snapshots of one moment.
type Group struct {
	ID, Name   string
	Seq        int64
	VolumeIDs  []string
	Parameters map[string]string `json:",omitempty"`
	Created    time.Time
	Members    []Snapshot
}

func (v Volume) key() (string, string, int64)   { return v.ID, v.Name, v.Seq }
func (s Snapshot) key() (string, string, int64) { return s.ID, s.Name, s.Seq }
func (g Group) key() (string, string, int64)    { return g.ID, g.Name, g.Seq }

type record interface {
	key() (id, name string, seq int64)
}

// Table is the records of one kind. Calls may come from any goroutine.
type Table[T record] struct {
	folder string
	lock   sync.RWMutex
	byID   map[string]T
}

// Open reads the records in the folder. A file that a crash left half written is removed: its record was never promised.
func Open[T record](folder string) (*Table[T], error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	table := &Table[T]{folder: folder, byID: map[string]T{}}
	for _, entry := range entries {
		path := filepath.Join(folder, entry.Name())
		if !strings.HasSuffix(entry.Name(), ".json") {
			if err := os.Remove(path); err != nil {
				return nil, err
			}
			continue
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		var value T
		if err := json.Unmarshal(text, &value); err != nil {
			return nil, fmt.Errorf("%s is not a record: %w", path, err)
		}
		id, _, _ := value.key()
		table.byID[id] = value
	}
	return table, nil
}

// Put writes a record; when it is back the record survives a crash.
func (t *Table[T]) Put(value T) error {
	id, _, _ := value.key()
	text, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return err
	}
	if err := write(filepath.Join(t.folder, id+".json"), text); err != nil {
		return err
	}
	t.lock.Lock()
	defer t.lock.Unlock()
	t.byID[id] = value
	return nil
}

// Drop removes a record; one that is not there is no error.
func (t *Table[T]) Drop(id string) error {
	if err := os.Remove(filepath.Join(t.folder, id+".json")); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := SyncFolder(t.folder); err != nil {
		return err
	}
	t.lock.Lock()
	defer t.lock.Unlock()
	delete(t.byID, id)
	return nil
}

// Get finds a record.
func (t *Table[T]) Get(id string) (T, bool) {
	t.lock.RLock()
	defer t.lock.RUnlock()
	value, ok := t.byID[id]
	return value, ok
}

// Named finds a record by the name that the orchestrator gave.
func (t *Table[T]) Named(name string) (T, bool) {
	for _, value := range t.All() {
		if _, other, _ := value.key(); other == name {
			return value, true
		}
	}
	var none T
	return none, false
}

// All answers every record, oldest first.
func (t *Table[T]) All() []T {
	t.lock.RLock()
	defer t.lock.RUnlock()
	all := make([]T, 0, len(t.byID))
	for _, value := range t.byID {
		all = append(all, value)
	}
	slices.SortFunc(all, func(a, b T) int {
		_, _, one := a.key()
		_, _, other := b.key()
		return cmp.Compare(one, other)
	})
	return all
}

func write(path string, text []byte) error {
	fresh := path + ".new"
	file, err := os.OpenFile(fresh, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer file.Close()
	if _, err := file.Write(text); err != nil {
		return err
	}
	if err := file.Sync(); err != nil {
		return err
	}
	crash.At(crash.RecordWritten)
	if err := os.Rename(fresh, path); err != nil {
		return err
	}
	return SyncFolder(filepath.Dir(path))
}

// SyncFolder makes the names in a folder survive a crash.
func SyncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	defer folder.Close()
	return folder.Sync()
}
