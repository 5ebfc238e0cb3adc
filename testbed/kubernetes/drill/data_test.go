package drill

import (
	"context"
	"encoding/base64"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
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
