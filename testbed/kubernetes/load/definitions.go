package load

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"tidemark.test/kubernetes/api"
)

const definitionsPath = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"

// The custom kinds: one in namespaces, in two versions and with a status, and one that is not.
func definitions() []api.Object {
	schema := api.Object{"openAPIV3Schema": api.Object{"type": "object", "properties": api.Object{
		"spec": api.Object{"type": "object", "properties": api.Object{
			"size":  api.Object{"type": "integer", "format": "int64"},
			"text":  api.Object{"type": "string"},
			"price": api.Object{"type": "number"},
			"free":  api.Object{"type": "object", "x-kubernetes-preserve-unknown-fields": true},
		}},
		"status": api.Object{"type": "object", "x-kubernetes-preserve-unknown-fields": true},
	}}}
	version := func(name string, storage bool) api.Object {
		return api.Object{
			"name": name, "served": true, "storage": storage, "schema": schema, "subresources": api.Object{"status": api.Object{}},
		}
	}
	definition := func(plural, singular, kind, scope string, versions ...api.Object) api.Object {
		return api.Object{
			"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
			"metadata": api.Object{"name": plural + ".shop.example.com", "labels": api.Object{"fill": "true"}},
			"spec": api.Object{
				"group": "shop.example.com", "scope": scope, "versions": versions,
				"names": api.Object{"plural": plural, "singular": singular, "kind": kind, "listKind": kind + "List"},
			},
		}
	}
	return []api.Object{
		definition("widgets", "widget", "Widget", "Namespaced", version("v1", true), version("v1beta1", false)),
		definition("regions", "region", "Region", "Cluster", version("v1", true)),
	}
}

// Creates them, and waits until objects of them can be.
func define(ctx context.Context, client *api.Client) (created int, err error) {
	for _, definition := range definitions() {
		err := client.Post(ctx, definitionsPath, definition, nil)
		if err == nil {
			created++
		} else if !isConflict(err) {
			return created, err
		}
		name := definition["metadata"].(api.Object)["name"].(string)
		if err := established(ctx, client, name); err != nil {
			return created, err
		}
	}
	return created, nil
}

func established(ctx context.Context, client *api.Client, name string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		var definition struct {
			Status struct {
				Conditions []struct{ Type, Status string }
			}
		}
		if err := client.Get(ctx, definitionsPath+"/"+name, &definition); err != nil {
			return err
		}
		for _, condition := range definition.Status.Conditions {
			if condition.Type == "Established" && condition.Status == "True" {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s is not established: %w", name, ctx.Err())
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func isConflict(err error) bool {
	var status *api.StatusError
	return errors.As(err, &status) && status.Code == http.StatusConflict
}
