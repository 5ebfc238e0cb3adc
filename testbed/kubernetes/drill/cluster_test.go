package drill

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"tidemark.test/kubernetes/api"
	"tidemark.test/kubernetes/load"
	"tidemark.test/kubernetes/pki"
)

func (b *drilled) kubectl(kubeconfig string, args ...string) (string, error) {
	command := exec.Command(filepath.Join(programs, "kubernetes", "kubectl"), append([]string{"--kubeconfig", kubeconfig, "--cache-dir", filepath.Join(b.dir, "kubectl")}, args...)...)
	var output, said bytes.Buffer
	command.Stdout, command.Stderr = &output, &said
	err := command.Run()
	return output.String(), errors.Join(err, errors.New(said.String()))
}

func code(err error) int {
	var status *api.StatusError
	if errors.As(err, &status) {
		return status.Code
	}
	return 0
}

// Two clusters at once, by kubectl: each has its own objects, and the restricted user what is its own.
func TestTwoBedsAtOnce(t *testing.T) {
	var both sync.WaitGroup
	beds := make([]*drilled, 2)
	for at := range beds {
		both.Go(func() { beds[at] = start(t) })
	}
	both.Wait()
	for at, bed := range beds {
		if bed == nil {
			t.Fatal("one did not start")
		}
		name := fmt.Sprintf("only-in-%d", at)
		if output, err := bed.kubectl(bed.ready.Kubeconfig, "create", "namespace", name); !strings.Contains(output, "created") {
			t.Fatal(output, err)
		}
		output, err := bed.kubectl(bed.ready.RestrictedKubeconfig, "create", "configmap", "mine")
		if !strings.Contains(output, "created") {
			t.Error(output, err)
		}
		for _, forbidden := range []string{"get namespaces", "get secrets -n default", "get nodes"} {
			if _, err := bed.kubectl(bed.ready.RestrictedKubeconfig, strings.Fields(forbidden)...); !strings.Contains(err.Error(), "Forbidden") {
				t.Errorf("restricted: %s: %v", forbidden, err)
			}
		}
	}
	for at, bed := range beds {
		output, err := bed.kubectl(bed.ready.Kubeconfig, "get", "namespaces", "-o", "name")
		if !strings.Contains(output, fmt.Sprintf("only-in-%d", at)) || strings.Contains(output, fmt.Sprintf("only-in-%d", 1-at)) {
			t.Error(output, err)
		}
	}
	traces := beds[0].traces()
	beds[0].must("down")
	beds[0].expectNothing(traces)
	if output, err := beds[1].kubectl(beds[1].ready.Kubeconfig, "get", "namespace", "default"); output == "" {
		t.Errorf("the other one does not answer any more: %v", err)
	}
}

// The listener that ends TLS: who the user is comes through, and it answers by errors when told.
func TestFront(t *testing.T) {
	bed := start(t, "--no-controller-manager", "--no-scheduler")
	ctx := context.Background()
	admin, restricted := bed.client("front", pki.Admin), bed.client("front", pki.Restricted)
	who := func(client *api.Client) string {
		var review struct {
			Status struct{ UserInfo struct{ Username string } }
		}
		question := api.Object{"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
		if err := client.Post(ctx, "/apis/authentication.k8s.io/v1/selfsubjectreviews", question, &review); err != nil {
			t.Fatal(err)
		}
		return review.Status.UserInfo.Username
	}
	if a, r := who(admin), who(restricted); a != "admin" || r != "restricted" {
		t.Errorf("through the front: '%s' and '%s'", a, r)
	}
	if err := restricted.Get(ctx, "/api/v1/namespaces", nil); code(err) != 403 {
		t.Errorf("restricted: %v", err)
	}

	bed.must("break", "front", "--status", "429", "--retry-after", "1", "--times", "2", "--method", "GET", "--path", "^/api/v1/secrets")
	if err := admin.Get(ctx, "/api/v1/configmaps", nil); err != nil {
		t.Errorf("another path: %v", err)
	}
	for number, want := range []int{429, 429, 0} {
		if err := admin.Get(ctx, "/api/v1/secrets?limit=1", nil); code(err) != want {
			t.Errorf("request %d: %v", number, err)
		}
	}
	bed.must("break", "front", "--status", "503")
	// Kubectl takes the reason of an answer to a discovery, and has words of its own for the message.
	if _, err := bed.kubectl(bed.ready.FrontKubeconfig, "get", "namespaces"); !strings.Contains(err.Error(), "Error from server (ServiceUnavailable)") {
		t.Errorf("kubectl: %v", err)
	}
	bed.must("heal", "front")
	if output, err := bed.kubectl(bed.ready.FrontKubeconfig, "get", "namespaces"); !strings.Contains(output, "kube-system") {
		t.Errorf("healed: %v", err)
	}
	bed.must("break", "apiserver", "--refuse")
	if err := bed.client("apiserver", pki.Admin).Get(ctx, "/api", nil); err == nil {
		t.Error("a listener that refuses answered")
	}
	if err := bed.client("direct", pki.Admin).Get(ctx, "/api", nil); err != nil {
		t.Errorf("direct is never broken: %v", err)
	}
}

// While objects come and go each process is killed, or stands still, in turn; afterwards everything works.
func TestEachProcessIsRestartedUnderChurn(t *testing.T) {
	bed := start(t)
	churning, churned := exec.Command(program, "churn", "--dir", bed.dir, "--rate", "30", "--for", "1h"), new(bytes.Buffer)
	churning.Stdout, churning.Stderr = churned, os.Stderr
	if err := churning.Start(); err != nil {
		t.Fatal(err)
	}
	ended := false
	t.Cleanup(func() {
		if !ended {
			_ = churning.Process.Kill()
			_ = churning.Wait()
		}
	})
	slowest := 0.0
	for _, process := range []string{"kube-scheduler", "kube-controller-manager", "kube-apiserver", "etcd"} {
		started := time.Now()
		bed.must("restart", process)
		took := time.Since(started).Seconds()
		slowest = max(slowest, took)
		t.Logf("%s killed, started and at work again in %.1f s; %s", process, took, bed.memory())
		bed.must("pause", process)
		time.Sleep(time.Second)
		bed.must("resume", process)
	}
	time.Sleep(5 * time.Second)
	if err := churning.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	err := churning.Wait()
	ended = true
	var done load.Churning
	if err := errors.Join(err, json.Unmarshal(churned.Bytes(), &done)); err != nil {
		t.Fatal(err, churned)
	}
	t.Logf("churned: %s", churned)
	if done.Succeeded < 100 || done.Longest > slowest+30 {
		t.Errorf("too little came through: the slowest restart took %.1f s", slowest)
	}
	for _, process := range bed.status().Processes {
		if process.State != "running" || process.Starts != 2 {
			t.Errorf("%+v", process)
		}
	}
	// Controllers work again: a new namespace gets its account.
	client := bed.client("direct", pki.Admin)
	namespace := api.Object{"apiVersion": "v1", "kind": "Namespace", "metadata": api.Object{"name": "after"}}
	if err := client.Post(context.Background(), "/api/v1/namespaces", namespace, nil); err != nil {
		t.Fatal(err)
	}
	started := time.Now()
	bed.until("the service account of a new namespace", func() bool {
		return client.Get(context.Background(), "/api/v1/namespaces/after/serviceaccounts/default", nil) == nil
	})
	t.Logf("a new namespace has its account after %.1f s", time.Since(started).Seconds())
}

// A process that ends because another is down is told of by the restart of that one: with its last lines.
func TestARestartTellsWhoDiedMeanwhile(t *testing.T) {
	bed := start(t, "--only-etcd")
	look := filepath.Join(t.TempDir(), "look")
	script := "#!/bin/sh\nwhile kill -0 $1; do sleep 0.02; done\necho etcd is gone; exit 7\n"
	if err := os.WriteFile(look, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	bed.must("run", "--name", "look", look, fmt.Sprint(bed.status().Processes[0].PID))
	_, err := bed.run("restart", "etcd")
	if err == nil || !strings.Contains(err.Error(), "look died meanwhile (exit status 7)") || !strings.Contains(err.Error(), "etcd is gone") {
		t.Errorf("said: %v", err)
	}
}

// Every kind that can be created is; a dump of then is the same later, while things change.
func TestFillAndDump(t *testing.T) {
	bed := start(t)
	var filling load.Filling
	if err := json.Unmarshal([]byte(bed.must("fill", "--objects", "1000", "--seed", "7")), &filling); err != nil {
		t.Fatal(err)
	}
	t.Logf("filled: %d objects of %d kinds in %.1f s, without %v", filling.Created, len(filling.Kinds), filling.Seconds, filling.Without)
	for kind, reason := range filling.Without {
		if reason == "unknown to the bed" {
			t.Errorf("can be created, but the bed does not know how: %s", kind)
		}
	}
	if filling.Created < 900 {
		t.Errorf("created: %d", filling.Created)
	}
	first, second := filepath.Join(t.TempDir(), "first"), filepath.Join(t.TempDir(), "second")
	var dump, again load.Dump
	if err := json.Unmarshal([]byte(bed.must("dump", "--out", first)), &dump); err != nil {
		t.Fatal(err)
	}
	if dump.Objects < filling.Created {
		t.Errorf("%d objects dumped, %d filled", dump.Objects, filling.Created)
	}
	bed.must("churn", "--rate", "50", "--for", "3s")
	if err := json.Unmarshal([]byte(bed.must("dump", "--out", second, "--resource-version", dump.ResourceVersion)), &again); err != nil {
		t.Fatal(err)
	}
	t.Logf("dumped: %d objects of %d kinds in %.1f s", dump.Objects, len(dump.Kinds), dump.Seconds)
	one, _ := os.ReadFile(first)
	two, _ := os.ReadFile(second)
	if len(one) == 0 || !bytes.Equal(one, two) {
		t.Error("a dump of the same resource version differs")
	}
	client := bed.client("direct", pki.Admin)
	for _, offered := range offered(t, client) {
		if offered.Can("list") && offered.Can("create") && filling.Kinds[offered.ID()] == 0 && filling.Without[offered.ID()] == "" {
			t.Errorf("nothing of %s was made", offered.ID())
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
