package counters

import (
	"os"
	"path/filepath"
	"testing"
)

func TestItGoesOnWhereTheFileEnds(t *testing.T) {
	path := filepath.Join(t.TempDir(), "counters")
	for _, cut := range []int{0, 3, 0} {
		file, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		for range 4 {
			if err := file.Append(); err != nil {
				t.Fatal(err)
			}
		}
		file.Close()
		info, _ := os.Stat(path)
		if err := os.Truncate(path, info.Size()-int64(cut)); err != nil {
			t.Fatal(err)
		}
	}
	if last, err := Check(path); last != 11 || err != nil {
		t.Errorf("%d, %v", last, err)
	}
}

func TestCheckRefuses(t *testing.T) {
	for content, want := range map[string]int64{
		"000000001\n000000003\n":                   1,
		"000000002\n":                              0,
		"000000001\n000000001\n":                   1,
		"00000001\n\n":                             0,
		"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00": 0,
	} {
		path := filepath.Join(t.TempDir(), "counters")
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		if last, err := Check(path); err == nil || last != want {
			t.Errorf("%q: %d, %v", content, last, err)
		}
	}
}

func TestSum(t *testing.T) {
	path := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if sum, err := Sum(path); sum != "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" || err != nil {
		t.Errorf("%s, %v", sum, err)
	}
}
