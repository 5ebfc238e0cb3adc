package cluster

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"sync"

	"tidemark.test/kubernetes/api"
)

// CSIName is the driver's name in Kubernetes.
const CSIName = "csi.tidemark.test"

var definitionName = regexp.MustCompile(`(?m)^  name: (\S+)$`)

// The definitions of snapshots, as their module has them; the build puts them beside the programs.
func (b *Bed) define(ctx context.Context) error {
	const count = 6 // snapshots, contents and classes, of volumes and of groups
	files, err := filepath.Glob(filepath.Join(b.options.kubernetes("snapshot-definitions"), "*.yaml"))
	if err != nil || len(files) != count {
		return fmt.Errorf("%s has %d definitions, not %d; testbed/kubernetes/build csi puts them there",
			b.options.kubernetes("snapshot-definitions"), len(files), count)
	}
	failures := make([]error, count)
	var all sync.WaitGroup
	for at, file := range files {
		all.Go(func() { failures[at] = b.defineOne(ctx, file) })
	}
	all.Wait()
	return errors.Join(failures...)
}

func (b *Bed) defineOne(ctx context.Context, file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	name := definitionName.FindSubmatch(text)
	if name == nil {
		return fmt.Errorf("%s names no definition", file)
	}
	path := "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/" + string(name[1])
	// By the server: as an annotation, which kubectl's own apply writes, it would be too large.
	if err := b.client.Apply(ctx, path, text); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return b.until(ctx, APIServer, path+" to be established", func() error { return b.established(ctx, path) })
}

func (b *Bed) established(ctx context.Context, path string) error {
	var definition struct {
		Status struct {
			Conditions []struct{ Type, Status string }
		}
	}
	if err := b.client.Get(ctx, path, &definition); err != nil {
		return err
	}
	for _, condition := range definition.Status.Conditions {
		if condition.Type == "Established" && condition.Status == "True" {
			return nil
		}
	}
	return errors.New("it is not yet")
}

// What a cluster's administrator makes for a driver: the driver, and classes of volumes, snapshots and groups of them.
func (b *Bed) createClasses(ctx context.Context) error {
	storage, snapshots, groups := "storage.k8s.io/v1", "snapshot.storage.k8s.io/v1", "groupsnapshot.storage.k8s.io/v1"
	isDefault := func(annotation string) api.Object { return api.Object{annotation: "true"} }
	for _, each := range []struct {
		apiVersion, kind, plural, name string
		annotations, rest              api.Object
	}{
		{storage, "CSIDriver", "csidrivers", CSIName, nil, api.Object{"spec": api.Object{
			"attachRequired": false, "podInfoOnMount": false, "fsGroupPolicy": "File", "storageCapacity": false,
		}}},
		{storage, "StorageClass", "storageclasses", "csi", isDefault("storageclass.kubernetes.io/is-default-class"), volumes("Delete", "Immediate")},
		{storage, "StorageClass", "storageclasses", "csi-retain", nil, volumes("Retain", "Immediate")},
		{storage, "StorageClass", "storageclasses", "csi-wait", nil, volumes("Delete", "WaitForFirstConsumer")},
		{snapshots, "VolumeSnapshotClass", "volumesnapshotclasses", "csi",
			isDefault("snapshot.storage.kubernetes.io/is-default-class"), api.Object{"driver": CSIName, "deletionPolicy": "Delete"}},
		{snapshots, "VolumeSnapshotClass", "volumesnapshotclasses", "csi-retain", nil,
			api.Object{"driver": CSIName, "deletionPolicy": "Retain"}},
		{groups, "VolumeGroupSnapshotClass", "volumegroupsnapshotclasses", "csi",
			isDefault("groupsnapshot.storage.kubernetes.io/is-default-class"), api.Object{"driver": CSIName, "deletionPolicy": "Delete"}},
	} {
		object := api.Object{
			"apiVersion": each.apiVersion, "kind": each.kind,
			"metadata": api.Object{"name": each.name, "annotations": each.annotations},
		}
		for key, value := range each.rest {
			object[key] = value
		}
		var status *api.StatusError
		err := b.client.Post(ctx, "/apis/"+each.apiVersion+"/"+each.plural, object, nil)
		// It is there already when the bed goes on with earlier data.
		if err != nil && !(errors.As(err, &status) && status.Code == http.StatusConflict) {
			return err
		}
	}
	return nil
}

func volumes(reclaim, binding string) api.Object {
	return api.Object{
		"provisioner": CSIName, "reclaimPolicy": reclaim, "volumeBindingMode": binding, "allowVolumeExpansion": true,
	}
}
