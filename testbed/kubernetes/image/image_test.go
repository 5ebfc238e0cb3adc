package image

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// Each part is what its name says, and the programs are in the last. (That containerd takes it the drills show.)
func TestEveryPartIsNamedByItsContent(t *testing.T) {
	folder := t.TempDir()
	program, packed := filepath.Join(folder, "program"), filepath.Join(folder, "images.tar")
	if err := os.WriteFile(program, []byte("a static program"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := Write(packed, Image{"localhost/one:1", []string{program}}, Image{"localhost/two:1", []string{program}}); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(packed)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	files := read(t, file)
	var index struct{ Manifests []descriptor }
	decode(t, files["index.json"], &index)
	if len(index.Manifests) != 2 || index.Manifests[1].Annotations["io.containerd.image.name"] != "localhost/two:1" {
		t.Fatalf("%+v", index)
	}
	var manifest struct {
		Config descriptor
		Layers []descriptor
	}
	decode(t, part(t, files, index.Manifests[0]), &manifest)
	var config struct{ Config struct{ Entrypoint []string } }
	decode(t, part(t, files, manifest.Config), &config)
	layer := read(t, bytes.NewReader(part(t, files, manifest.Layers[0])))
	if string(layer[config.Config.Entrypoint[0][1:]]) != "a static program" {
		t.Errorf("%v has no %v", layer, config.Config.Entrypoint)
	}
	if err := Write(packed, Image{"localhost/none:1", []string{filepath.Join(folder, "none")}}); err == nil {
		t.Error("a program that is missing is no error")
	}
}

func read(t *testing.T, from io.Reader) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	for reader := tar.NewReader(from); ; {
		header, err := reader.Next()
		if err == io.EOF {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		if files[header.Name], err = io.ReadAll(reader); err != nil {
			t.Fatal(err)
		}
	}
}

func part(t *testing.T, files map[string][]byte, of descriptor) []byte {
	t.Helper()
	content := files["blobs/sha256/"+of.Digest[len("sha256:"):]]
	if fmt.Sprintf("sha256:%x", sha256.Sum256(content)) != of.Digest || len(content) != of.Size {
		t.Fatalf("%+v is %q", of, content)
	}
	return content
}

func decode(t *testing.T, text []byte, into any) {
	t.Helper()
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatal(err)
	}
}
