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
	"time"

	"tidemark.test/kubernetes/api"
	"tidemark.test/kubernetes/load"
	"tidemark.test/kubernetes/pki"
)

// While objects come and go each process is killed, or stands still, in turn; afterwards everything works.
func (b *drilled) goesOnUnderChurn() {
	churning, churned := exec.Command(program, "churn", "--dir", b.dir, "--rate", "30", "--for", "1h"), new(bytes.Buffer)
	churning.Stdout, churning.Stderr = churned, os.Stderr
	if err := churning.Start(); err != nil {
		b.Fatal(err)
	}
	ended := false
	b.Cleanup(func() {
		if !ended {
			_ = churning.Process.Kill()
			_ = churning.Wait()
		}
	})
	b.encryptBy(filepath.Join(b.dir, "encryption.yaml"), "secretbox", "aescbc") // which kube-apiserver's restart reads
	for _, process := range []string{"kube-scheduler", "kube-controller-manager", "kube-apiserver", "etcd"} {
		started := time.Now()
		b.must("restart", process)
		b.Logf("%s killed, started and at work again in %.1f s; %s", process, time.Since(started).Seconds(), b.memory())
		b.must("pause", process)
		time.Sleep(time.Second)
		b.must("resume", process)
	}
	b.changes(100)
	if err := churning.Process.Signal(os.Interrupt); err != nil {
		b.Fatal(err)
	}
	err := churning.Wait()
	ended = true
	var done load.Churning
	if err := errors.Join(err, json.Unmarshal(churned.Bytes(), &done)); err != nil {
		b.Fatal(err, churned)
	}
	b.Logf("churned: %s", churned)
	if done.Succeeded < 100 {
		b.Error("too little came through")
	}
	for _, process := range b.status().Processes {
		if process.State != "running" || process.Starts != 2 {
			b.Errorf("%+v", process)
		}
	}
	b.givesANamespaceItsAccount("after")
	b.encrypts("second", "secretbox")
}

// Waits until this many changes were made; a change is one revision of etcd.
func (b *drilled) changes(count int64) {
	b.Helper()
	client, first := b.client("direct", pki.Admin), int64(0)
	b.until(fmt.Sprintf("%d changes", count), func() bool {
		var list struct {
			Metadata struct {
				ResourceVersion int64 `json:",string"`
			}
		}
		if client.Get(context.Background(), "/api/v1/namespaces/default/configmaps?limit=1", &list) != nil {
			return false
		}
		if first == 0 {
			first = list.Metadata.ResourceVersion
		}
		return list.Metadata.ResourceVersion >= first+count
	})
}

// What controllers do: a new namespace gets its account.
func (b *drilled) givesANamespaceItsAccount(name string) {
	b.Helper()
	client := b.client("direct", pki.Admin)
	namespace := api.Object{"apiVersion": "v1", "kind": "Namespace", "metadata": api.Object{"name": name}}
	if err := client.Post(context.Background(), "/api/v1/namespaces", namespace, nil); err != nil {
		b.Fatal(err)
	}
	started := time.Now()
	b.until("the service account of a new namespace", func() bool {
		return client.Get(context.Background(), "/api/v1/namespaces/"+name+"/serviceaccounts/default", nil) == nil
	})
	b.Logf("a new namespace has its account after %.1f s", time.Since(started).Seconds())
}
