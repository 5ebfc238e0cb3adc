package container

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

func sample(t *testing.T) (string, Header, []Record) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "goldens")
	header := Header{Seed: 1 << 63, Random: 7, Kubernetes: "v0.36.3", Columns: []string{"case", "storage"}}
	records := []Record{{[]byte("first"), []byte("k8s\x00")}, {[]byte{}, []byte{}}}
	w, err := Create(path, header)
	if err != nil {
		t.Fatal(err)
	}
	for _, record := range records {
		w.Add(record)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	header.Count = 2
	return path, header, records
}

func TestReadGivesWhatWasWritten(t *testing.T) {
	path, header, records := sample(t)
	gotHeader, got, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(gotHeader, header) || !reflect.DeepEqual(got, records) {
		t.Errorf("read %+v %q, wrote %+v %q", gotHeader, got, header, records)
	}
}

func TestEveryPrefixIsTornAndNothingMayFollow(t *testing.T) {
	path, _, _ := sample(t)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for n := range whole {
		os.WriteFile(path, whole[:n], 0o600)
		if _, _, err := Read(path); err == nil {
			t.Errorf("%d of %d bytes were read as a whole file", n, len(whole))
		}
	}
	os.WriteFile(path, append(whole, 0), 0o600)
	if _, _, err := Read(path); err == nil {
		t.Error("a byte behind the last record went unnoticed")
	}
}

func TestRecordMustHaveAFieldPerColumn(t *testing.T) {
	w, err := Create(filepath.Join(t.TempDir(), "goldens"), Header{Columns: []string{"a", "b"}})
	if err != nil {
		t.Fatal(err)
	}
	w.Add(Record{[]byte("only one")})
	if w.Close() == nil {
		t.Error("a record of one field was taken for two columns")
	}
}
