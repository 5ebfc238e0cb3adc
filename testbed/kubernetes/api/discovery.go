package api

import (
	"context"
	"slices"
	"strings"
)

// A Resource is one kind of object as the server offers it, in the group's preferred version, or in the first that
// has it.
type Resource struct {
	Group, Version string
	Name           string // plural, as in paths
	Kind           string
	Namespaced     bool
	Verbs          []string
}

// APIVersion as objects carry it.
func (r Resource) APIVersion() string {
	if r.Group == "" {
		return r.Version
	}
	return r.Group + "/" + r.Version
}

// ID names a resource whatever the version: configmaps, deployments.apps.
func (r Resource) ID() string {
	if r.Group == "" {
		return r.Name
	}
	return r.Name + "." + r.Group
}

// Can tells whether the resource has a verb.
func (r Resource) Can(verb string) bool { return slices.Contains(r.Verbs, verb) }

// Path of the collection: in a namespace, or, with none, in all.
func (r Resource) Path(namespace string) string {
	path := "/apis/" + r.Group + "/" + r.Version
	if r.Group == "" {
		path = "/api/" + r.Version
	}
	if namespace != "" {
		path += "/namespaces/" + namespace
	}
	return path + "/" + r.Name
}

type groupVersion struct{ group, version string }

// Discover lists every resource that the server offers, subresources left out, in the order of their IDs.
func (c *Client) Discover(ctx context.Context) ([]Resource, error) {
	var groups struct {
		Groups []struct {
			Name             string
			PreferredVersion struct{ Version string }
			Versions         []struct{ Version string }
		}
	}
	if err := c.Get(ctx, "/apis", &groups); err != nil {
		return nil, err
	}
	order := []groupVersion{{"", "v1"}}
	for _, group := range groups.Groups {
		order = append(order, groupVersion{group.Name, group.PreferredVersion.Version})
		for _, version := range group.Versions {
			if version.Version != group.PreferredVersion.Version {
				order = append(order, groupVersion{group.Name, version.Version})
			}
		}
	}
	var all []Resource
	seen := map[string]bool{}
	for _, each := range order {
		offered, err := c.resourcesOf(ctx, each)
		if err != nil {
			return nil, err
		}
		for _, resource := range offered {
			if !seen[resource.ID()] {
				seen[resource.ID()] = true
				all = append(all, resource)
			}
		}
	}
	slices.SortFunc(all, func(a, b Resource) int { return strings.Compare(a.ID(), b.ID()) })
	return all, nil
}

func (c *Client) resourcesOf(ctx context.Context, each groupVersion) ([]Resource, error) {
	path := strings.TrimSuffix(Resource{Group: each.group, Version: each.version}.Path(""), "/")
	var list struct {
		Resources []struct {
			Name, Kind string
			Namespaced bool
			Verbs      []string
		}
	}
	if err := c.Get(ctx, path, &list); err != nil {
		return nil, err
	}
	var resources []Resource
	for _, entry := range list.Resources {
		if strings.Contains(entry.Name, "/") {
			continue
		}
		resources = append(resources, Resource{
			Group: each.group, Version: each.version,
			Name: entry.Name, Kind: entry.Kind, Namespaced: entry.Namespaced, Verbs: entry.Verbs,
		})
	}
	return resources, nil
}
