package records

import (
	"os"
	"path/filepath"
	"testing"
)

func TestRecordsOutliveTheProgram(t *testing.T) {
	folder := t.TempDir()
	table, err := Open[Volume](folder)
	if err != nil {
		t.Fatal(err)
	}
	for i, id := range []string{"b", "a", "c"} {
		if err := table.Put(Volume{ID: id, Name: "name of " + id, Seq: int64(i), Parameters: map[string]string{"k": id}}); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 { // one that is not there is no error
		if err := table.Drop("a"); err != nil {
			t.Fatal(err)
		}
	}
	// What a crash left before its rename was never promised.
	half := filepath.Join(folder, "d.json.new")
	if err := os.WriteFile(half, []byte(`{"ID": "d`), 0o600); err != nil {
		t.Fatal(err)
	}
	again, err := Open[Volume](folder)
	if err != nil {
		t.Fatal(err)
	}
	all := again.All()
	if len(all) != 2 || all[0].ID != "b" || all[1].ID != "c" || all[1].Parameters["k"] != "c" {
		t.Errorf("%+v", all)
	}
	if found, ok := again.Named("name of c"); !ok || found.ID != "c" {
		t.Errorf("%+v, %v", found, ok)
	}
	if _, ok := again.Named("name of a"); ok {
		t.Error("dropped, and still there")
	}
	if _, err := os.Stat(half); !os.IsNotExist(err) {
		t.Errorf("half a record is left: %v", err)
	}
}

func TestDamagedRecordIsSaid(t *testing.T) {
	for _, text := range []string{"", "{", "[]", `{"ID": 1}`} {
		folder := t.TempDir()
		if err := os.WriteFile(filepath.Join(folder, "a.json"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open[Volume](folder); err == nil {
			t.Errorf("%q is taken for a record", text)
		}
	}
}
