package cluster

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"tidemark.test/kubernetes/api"
	"tidemark.test/kubernetes/pki"
	"tidemark.test/kubernetes/process"
)

// Healthy is not yet of use: after its restart kube-apiserver is ready some tenths of a second before it knows who may
// do what, and a kube-controller-manager that builds its controllers then is refused, and exits. So a program counts as
// started when the work that others wait for is done.
func (b *Bed) serves(ctx context.Context, name string) error {
	switch name {
	case APIServer:
		return b.knowsWhoMay(ctx)
	case Controller:
		return b.controls(ctx)
	case Etcd:
		// The API server holds connections to the one that was killed, and waits before it dials again.
		if b.Processes.State(APIServer) == process.Running {
			return b.answers(ctx, b.apiServer())
		}
	}
	return b.csiServes(ctx, name)
}

// The administrator's group may do everything without a role; the scheduler's rights come from roles.
func (b *Bed) knowsWhoMay(ctx context.Context) error {
	client, err := api.New(fmt.Sprintf("127.0.0.1:%d", apiServerPort), b.folder.Keys(), pki.Scheduler)
	if err != nil {
		return err
	}
	return b.until(ctx, APIServer, "it to know the scheduler's rights", func() error {
		return client.Get(ctx, "/api/v1/pods?limit=1", nil)
	})
}

// A new namespace gets its account, without which no pod can be created there, and goes again when told.
func (b *Bed) controls(ctx context.Context) error {
	if b.Processes.State(APIServer) != process.Running {
		return nil // so somebody wants to see it without
	}
	var made struct{ Metadata struct{ Name string } }
	namespace := api.Object{"apiVersion": "v1", "kind": "Namespace", "metadata": api.Object{"generateName": "bed-probe-"}}
	if err := b.client.Post(ctx, "/api/v1/namespaces", namespace, &made); err != nil {
		return err
	}
	path := "/api/v1/namespaces/" + made.Metadata.Name
	err := b.until(ctx, Controller, "the account of a new namespace", func() error {
		return b.client.Get(ctx, path+"/serviceaccounts/default", nil)
	})
	if err != nil {
		return errors.Join(err, b.client.Delete(ctx, path))
	}
	if err := b.client.Delete(ctx, path); err != nil {
		return err
	}
	return b.until(ctx, Controller, "a deleted namespace to go", func() error {
		var status *api.StatusError
		err := b.client.Get(ctx, path, nil)
		if errors.As(err, &status) && status.Code == http.StatusNotFound {
			return nil
		}
		return errors.Join(errors.New("it is still there"), err)
	})
}

// What has died since, in words: a process that starts while another is down may end by that.
func (b *Bed) diedSince(before []process.Status) error {
	var said []string
	for _, now := range b.Processes.Status() {
		same := func(then process.Status) bool {
			return then.Name == now.Name && then.State == now.State && then.Starts == now.Starts
		}
		if now.State == process.Died && !slices.ContainsFunc(before, same) {
			said = append(said, fmt.Sprintf("%s died meanwhile (%s); the last lines of %s:\n%s", now.Name, now.End,
				b.Processes.Log(now.Name), b.Processes.Tail(now.Name, tailLines)))
		}
	}
	if len(said) == 0 {
		return nil
	}
	return errors.New(strings.Join(said, "\n"))
}
