package drill

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"tidemark.test/kubernetes/api"
	"tidemark.test/kubernetes/pki"
)

func gunzip(t *testing.T, path string) io.Reader {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	text, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// The fixture of a cluster that is encrypted at rest: a server that begins with its snapshot and its configuration
// gives out what the fixture says, object by object, resource versions included.
func TestTheEncryptedFixtureIsReadByARealServer(t *testing.T) {
	t.Parallel()
	const fixture = "../../../testdata/kubernetes-1.36-encrypted"
	snapshot := filepath.Join(t.TempDir(), "snapshot.db")
	file, err := os.Create(snapshot)
	if err == nil {
		_, err = io.Copy(file, gunzip(t, filepath.Join(fixture, "snapshot.db.gz")))
		err = errors.Join(err, file.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	bed := start(t, "--from", snapshot, "--encryption", filepath.Join(fixture, "encryption.yaml"), "--no-scheduler", "--no-controller-manager")
	client := bed.client("direct", pki.Admin)
	compared := 0
	for archive := tar.NewReader(gunzip(t, filepath.Join(fixture, "json.tar.gz"))); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		name, isList := strings.CutSuffix(filepath.Base(header.Name), ".json")
		if !isList || !strings.HasSuffix(name, "_secrets") && !strings.Contains(name, "shop.example.com") {
			continue
		}
		var kept, now struct{ Items []api.Object }
		decoder := json.NewDecoder(archive)
		decoder.UseNumber()
		err = decoder.Decode(&kept)
		bed.until("the list of "+name, func() bool {
			// A server that has just started says of custom kinds that their storage is (re)initializing.
			failed := client.Get(context.Background(), "/"+strings.ReplaceAll(name, "_", "/"), &now)
			if code(failed) == http.StatusTooManyRequests {
				return false
			}
			err = errors.Join(err, failed)
			return true
		})
		if err != nil || !reflect.DeepEqual(kept, now) {
			t.Errorf("%s: %d objects in the fixture, %d now: %v", name, len(kept.Items), len(now.Items), err)
		}
		compared += len(kept.Items)
	}
	if compared < 40 {
		t.Errorf("compared: %d", compared)
	}
}
