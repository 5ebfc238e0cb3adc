package drill

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"tidemark.test/kubernetes/api"
	"tidemark.test/kubernetes/pki"
)

const encryption = `apiVersion: apiserver.config.k8s.io/v1
kind: EncryptionConfiguration
resources:
- resources: [secrets]
  providers:
%PROVIDERS%  - identity: {}
`

func secret(name string) api.Object {
	return api.Object{"apiVersion": "v1", "kind": "Secret", "metadata": api.Object{"name": name},
		"stringData": api.Object{"word": "plain-to-see"}}
}

const secrets = "/api/v1/namespaces/default/secrets"

func (b *drilled) etcdctl(args ...string) string {
	b.Helper()
	command := exec.Command(filepath.Join(programs, "etcd-3.6", "etcdctl"), append([]string{"--endpoints", b.ready.Etcd}, args...)...)
	output, err := command.CombinedOutput()
	if err != nil {
		b.Fatalf("etcdctl %v: %v\n%s", args, err, output)
	}
	return string(output)
}

// Encrypted at rest, with another provider after a restart; then the bed goes down and on again with its data.
func TestEncryptionAndAgain(t *testing.T) {
	config := filepath.Join(t.TempDir(), "encryption.yaml")
	// The first provider writes; the others read what was written before, or the API server is never ready.
	write := func(path string, providers ...string) {
		var lines strings.Builder
		for _, provider := range providers {
			key := base64.StdEncoding.EncodeToString([]byte(strings.Repeat(provider[:1], 32)))
			fmt.Fprintf(&lines, "  - %s: {keys: [{name: one, secret: %s}]}\n", provider, key)
		}
		if err := os.WriteFile(path, []byte(strings.Replace(encryption, "%PROVIDERS%", lines.String(), 1)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(config, "aescbc")
	bed := start(t, "--encryption", config, "--audit", "--no-scheduler", "--no-controller-manager")
	ctx := context.Background()
	if err := bed.client("direct", pki.Admin).Post(ctx, secrets, secret("first"), nil); err != nil {
		t.Fatal(err)
	}
	if value := bed.etcdctl("get", "/registry/secrets/default/first"); !strings.Contains(value, "k8s:enc:aescbc:v1:one:") || strings.Contains(value, "plain-to-see") {
		t.Errorf("%q", value)
	}
	if log, err := os.ReadFile(filepath.Join(bed.dir, "logs", "audit.log")); err != nil || !strings.Contains(string(log), `"resource":"secrets"`) {
		t.Errorf("audit log: %d bytes, %v", len(log), err)
	}

	write(filepath.Join(bed.dir, "encryption.yaml"), "secretbox", "aescbc")
	bed.must("restart", "kube-apiserver")
	if err := bed.client("direct", pki.Admin).Post(ctx, secrets, secret("second"), nil); err != nil {
		t.Fatal(err)
	}
	if value := bed.etcdctl("get", "/registry/secrets/default/second"); !strings.Contains(value, "k8s:enc:secretbox:v1:one:") {
		t.Errorf("%q", value)
	}

	bed.must("down", "--keep")
	bed.up("--again", "--no-scheduler", "--no-controller-manager")
	if err := bed.client("direct", pki.Admin).Get(ctx, secrets+"/second", nil); err != nil {
		t.Error(err)
	}
}

// A cluster that begins with the etcd snapshot of another has its objects.
func TestFromSnapshot(t *testing.T) {
	snapshot := filepath.Join(t.TempDir(), "snapshot.db")
	first := start(t, "--no-scheduler", "--no-controller-manager")
	ctx := context.Background()
	if err := first.client("direct", pki.Admin).Post(ctx, secrets, secret("kept"), nil); err != nil {
		t.Fatal(err)
	}
	first.etcdctl("snapshot", "save", snapshot)
	second := start(t, "--from", snapshot, "--no-scheduler", "--no-controller-manager")
	if err := second.client("direct", pki.Admin).Get(ctx, secrets+"/kept", nil); err != nil {
		t.Error(err)
	}
}

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
