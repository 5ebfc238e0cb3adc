package drill

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"tidemark.test/kubernetes/api"
	"tidemark.test/kubernetes/load"
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

// An EncryptionConfiguration. The first provider writes; the others read what was written before, or the API server is
// never ready.
func (b *drilled) encryptBy(path string, providers ...string) {
	b.Helper()
	var lines strings.Builder
	for _, provider := range providers {
		key := base64.StdEncoding.EncodeToString([]byte(strings.Repeat(provider[:1], 32)))
		fmt.Fprintf(&lines, "  - %s: {keys: [{name: one, secret: %s}]}\n", provider, key)
	}
	if err := os.WriteFile(path, []byte(strings.Replace(encryption, "%PROVIDERS%", lines.String(), 1)), 0o600); err != nil {
		b.Fatal(err)
	}
}

// A feature that is off by default, that does nothing until asked, and that all programs know.
const gate = "AllowUnsafeMalformedObjectDeletion"

const secrets = "/api/v1/namespaces/default/secrets"

func (b *drilled) etcdctl(args ...string) string {
	b.Helper()
	// It gives up after five seconds, if not told otherwise.
	common := []string{"--endpoints", b.ready.Etcd, "--dial-timeout", "1m", "--command-timeout", "1m"}
	command := exec.Command(filepath.Join(programs, "etcd-3.6", "etcdctl"), append(common, args...)...)
	output, err := command.CombinedOutput()
	if err != nil {
		b.Fatalf("etcdctl %v: %v\n%s", args, err, output)
	}
	return string(output)
}

// One control plane, from its start to its end: what is told of it, kept in it, and done to it.
func TestAControlPlane(t *testing.T) {
	t.Parallel()
	config := filepath.Join(t.TempDir(), "encryption.yaml")
	bed := &drilled{T: t, dir: filepath.Join(t.TempDir(), "bed")}
	bed.encryptBy(config, "aescbc")
	bed.whenOver()
	bed.up("--encryption", config, "--audit", "--feature-gates", gate+"=true")
	for _, part := range []struct {
		name string
		is   func(*drilled)
	}{
		{"encrypted and audited", (*drilled).encryptsAndAudits},
		{"front", (*drilled).hasAFront},
		{"fill and dump", (*drilled).fillsAndDumps},
		{"etcd's snapshot", (*drilled).beginsAgainElsewhere},
		{"restarts under churn, with a new key", (*drilled).goesOnUnderChurn},
		{"again", (*drilled).goesOnAgain},
	} {
		t.Run(part.name, func(t *testing.T) { part.is(bed.of(t)) })
	}
}

// Makes a secret, which etcd then has as that provider writes it.
func (b *drilled) encrypts(name, provider string) {
	b.Helper()
	if err := b.client("direct", pki.Admin).Post(context.Background(), secrets, secret(name), nil); err != nil {
		b.Fatal(err)
	}
	value := b.etcdctl("get", "/registry/secrets/default/"+name)
	if !strings.Contains(value, "k8s:enc:"+provider+":v1:one:") || strings.Contains(value, "plain-to-see") {
		b.Errorf("%q", value)
	}
}

func (b *drilled) encryptsAndAudits() {
	b.encrypts("first", "aescbc")
	if log, err := os.ReadFile(filepath.Join(b.dir, "logs", "audit.log")); err != nil || !strings.Contains(string(log), `"resource":"secrets"`) {
		b.Errorf("audit log: %d bytes, %v", len(log), err)
	}
	metrics, err := b.kubectl(b.ready.Kubeconfig, "get", "--raw", "/metrics")
	if want := `kubernetes_feature_enabled{name="` + gate + `",stage="ALPHA"} 1`; err != nil || !strings.Contains(metrics, want) {
		b.Errorf("not among %d bytes of metrics: %s: %v", len(metrics), want, err)
	}
}

// A cluster that begins with the etcd snapshot of another has its objects.
func (b *drilled) beginsAgainElsewhere() {
	snapshot := filepath.Join(b.TempDir(), "snapshot.db")
	b.etcdctl("snapshot", "save", snapshot)
	const alpha = "internal.apiserver.k8s.io/v1alpha1" // which a server serves only when told
	other := start(b.T, "--from", snapshot, "--encryption", filepath.Join(b.dir, "encryption.yaml"), "--no-scheduler", "--no-controller-manager",
		"--runtime-config", alpha+"=true")
	if err := other.client("direct", pki.Admin).Get(context.Background(), secrets+"/first", nil); err != nil {
		b.Error(err)
	}
	for bed, want := range map[*drilled]int{b: 404, other: 0} {
		if err := bed.client("direct", pki.Admin).Get(context.Background(), "/apis/"+alpha, nil); code(err) != want || want == 0 && err != nil {
			b.Errorf("%s: %v, not %d", alpha, err, want)
		}
	}
}

// It goes down, and on again with its data.
func (b *drilled) goesOnAgain() {
	b.must("down", "--keep")
	b.up("--again", "--no-scheduler", "--no-controller-manager")
	client := b.client("direct", pki.Admin)
	for _, name := range []string{"first", "second"} {
		if err := client.Get(context.Background(), secrets+"/"+name, nil); err != nil {
			b.Error(err)
		}
	}
}

// The listener that ends TLS: who the user is comes through, and it answers by errors when told.
func (b *drilled) hasAFront() {
	ctx := context.Background()
	admin, restricted := b.client("front", pki.Admin), b.client("front", pki.Restricted)
	who := func(client *api.Client) string {
		var review struct {
			Status struct{ UserInfo struct{ Username string } }
		}
		question := api.Object{"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
		if err := client.Post(ctx, "/apis/authentication.k8s.io/v1/selfsubjectreviews", question, &review); err != nil {
			b.Fatal(err)
		}
		return review.Status.UserInfo.Username
	}
	if a, r := who(admin), who(restricted); a != "admin" || r != "restricted" {
		b.Errorf("through the front: '%s' and '%s'", a, r)
	}
	if err := restricted.Get(ctx, "/api/v1/namespaces", nil); code(err) != 403 {
		b.Errorf("restricted: %v", err)
	}

	b.must("break", "front", "--status", "429", "--retry-after", "1", "--times", "2", "--method", "GET", "--path", "^/api/v1/secrets")
	if err := admin.Get(ctx, "/api/v1/configmaps", nil); err != nil {
		b.Errorf("another path: %v", err)
	}
	for number, want := range []int{429, 429, 0} {
		if err := admin.Get(ctx, "/api/v1/secrets?limit=1", nil); code(err) != want {
			b.Errorf("request %d: %v", number, err)
		}
	}
	b.must("break", "front", "--status", "503")
	// Kubectl takes the reason of an answer to a discovery, and has words of its own for the message.
	if _, err := b.kubectl(b.ready.FrontKubeconfig, "get", "namespaces"); err == nil || !strings.Contains(err.Error(), "Error from server (ServiceUnavailable)") {
		b.Errorf("kubectl: %v", err)
	}
	b.must("heal", "front")
	if output, err := b.kubectl(b.ready.FrontKubeconfig, "get", "namespaces"); !strings.Contains(output, "kube-system") {
		b.Errorf("healed: %v", err)
	}
	b.must("break", "apiserver", "--refuse")
	if err := b.client("apiserver", pki.Admin).Get(ctx, "/api", nil); err == nil {
		b.Error("a listener that refuses answered")
	}
	if err := b.client("direct", pki.Admin).Get(ctx, "/api", nil); err != nil {
		b.Errorf("direct is never broken: %v", err)
	}
	b.must("heal", "apiserver")
}

// Every kind that can be created is; a dump of then is the same later, while things change.
func (b *drilled) fillsAndDumps() {
	var filling load.Filling
	wanted := 1000 * min(scale(), 3)
	if err := json.Unmarshal([]byte(b.must("fill", "--objects", strconv.Itoa(wanted), "--seed", "7")), &filling); err != nil {
		b.Fatal(err)
	}
	b.Logf("filled: %d objects of %d kinds in %.1f s, without %v", filling.Created, len(filling.Kinds), filling.Seconds, filling.Without)
	for kind, reason := range filling.Without {
		if reason == "unknown to the bed" {
			b.Errorf("can be created, but the bed does not know how: %s", kind)
		}
	}
	if filling.Created < wanted*9/10 {
		b.Errorf("created: %d", filling.Created)
	}
	first, second := filepath.Join(b.TempDir(), "first"), filepath.Join(b.TempDir(), "second")
	var dump, again load.Dump
	if err := json.Unmarshal([]byte(b.must("dump", "--out", first)), &dump); err != nil {
		b.Fatal(err)
	}
	if dump.Objects < filling.Created {
		b.Errorf("%d objects dumped, %d filled", dump.Objects, filling.Created)
	}
	b.must("churn", "--rate", "50", "--for", "2s")
	if err := json.Unmarshal([]byte(b.must("dump", "--out", second, "--resource-version", dump.ResourceVersion)), &again); err != nil {
		b.Fatal(err)
	}
	b.Logf("dumped: %d objects of %d kinds in %.1f s", dump.Objects, len(dump.Kinds), dump.Seconds)
	one, _ := os.ReadFile(first)
	two, _ := os.ReadFile(second)
	if len(one) == 0 || !bytes.Equal(one, two) {
		b.Error("a dump of the same resource version differs")
	}
	client := b.client("direct", pki.Admin)
	for _, offered := range offered(b.T, client) {
		if offered.Can("list") && offered.Can("create") && filling.Kinds[offered.ID()] == 0 && filling.Without[offered.ID()] == "" {
			b.Errorf("nothing of %s was made", offered.ID())
		}
	}
}

func offered(t *testing.T, client *api.Client) []api.Resource {
	t.Helper()
	all, err := client.Discover(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return all
}
