// Package load fills a cluster, keeps it changing, and tells what is in it.
package load

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"time"

	"tidemark.test/kubernetes/api"
)

// A Dump is what Write has written.
type Dump struct {
	ResourceVersion string         `json:"resource_version"` // which is etcd's revision
	Objects         int            `json:"objects"`
	Kinds           map[string]int `json:"kinds"`
	Seconds         float64        `json:"seconds"`
}

type list struct {
	Metadata struct{ ResourceVersion, Continue string }
	Items    []api.Object
}

// Lists that are made up as they are asked for, and such as show the objects of another once more.
var undumped = map[string]bool{"componentstatuses": true, "events.events.k8s.io": true}

// WriteDump writes every object that can be listed, all as of one resource version, one JSON object a line, sorted by
// apiVersion, kind, namespace and name. A resource version of "" is the present one.
func WriteDump(ctx context.Context, client *api.Client, version string, to io.Writer) (Dump, error) {
	started := time.Now()
	dump := Dump{ResourceVersion: version, Kinds: map[string]int{}}
	if version == "" {
		var namespaces list
		if err := client.Get(ctx, "/api/v1/namespaces?limit=1", &namespaces); err != nil {
			return dump, err
		}
		dump.ResourceVersion = namespaces.Metadata.ResourceVersion
	}
	resources, err := client.Discover(ctx)
	if err != nil {
		return dump, err
	}
	resources = slices.DeleteFunc(resources, func(resource api.Resource) bool {
		return !resource.Can("list") || undumped[resource.ID()]
	})
	found := make([][]line, len(resources))
	err = inParallel(ctx, len(resources), func(ctx context.Context, at int) (err error) {
		found[at], err = listAt(ctx, client, resources[at], dump.ResourceVersion)
		return err
	})
	if err != nil {
		return dump, err
	}
	all := slices.Concat(found...)
	slices.SortFunc(all, func(a, b line) int { return strings.Compare(a.key, b.key) })
	buffered := bufio.NewWriter(to)
	encoder := json.NewEncoder(buffered)
	encoder.SetEscapeHTML(false)
	for _, line := range all {
		if err := encoder.Encode(line.object); err != nil {
			return dump, err
		}
		dump.Kinds[fmt.Sprintf("%s/%s", line.object["apiVersion"], line.object["kind"])]++
	}
	dump.Objects = len(all)
	dump.Seconds = time.Since(started).Seconds()
	return dump, buffered.Flush()
}

type line struct {
	key    string
	object api.Object
}

func listAt(ctx context.Context, client *api.Client, resource api.Resource, version string) ([]line, error) {
	var lines []line
	// With a continue token the version is in the token, and must not be given.
	query := url.Values{"limit": {"500"}, "resourceVersion": {version}, "resourceVersionMatch": {"Exact"}}
	for {
		var page list
		if err := client.Get(ctx, resource.Path("")+"?"+query.Encode(), &page); err != nil {
			return nil, err
		}
		if page.Metadata.ResourceVersion != version {
			return nil, fmt.Errorf("%s: asked for resource version %s, got %s", resource.ID(), version, page.Metadata.ResourceVersion)
		}
		for _, object := range page.Items {
			// Lists of built-in kinds leave these out of their items.
			object["apiVersion"], object["kind"] = resource.APIVersion(), resource.Kind
			metadata, _ := object["metadata"].(api.Object)
			namespace, _ := metadata["namespace"].(string)
			key := strings.Join([]string{resource.APIVersion(), resource.Kind, namespace, fmt.Sprint(metadata["name"])}, "\x00")
			lines = append(lines, line{key: key, object: object})
		}
		if page.Metadata.Continue == "" {
			return lines, nil
		}
		query = url.Values{"limit": {"500"}, "continue": {page.Metadata.Continue}}
	}
}
