package load

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"tidemark.test/kubernetes/api"
)

// A Filling is what Fill has made.
type Filling struct {
	Seed    uint64            `json:"seed"`
	Created int               `json:"created"`
	Existed int               `json:"existed"` // from an earlier filling with the same seed
	Kinds   map[string]int    `json:"kinds"`
	Without map[string]string `json:"without"` // creatable, but not made, and why
	Seconds float64           `json:"seconds"`
}

// Kinds whose objects are calls, or are made by making something else.
var without = map[string]string{
	"bindings":                                         "a call",
	"componentstatuses":                                "a call",
	"tokenreviews.authentication.k8s.io":               "a call",
	"selfsubjectreviews.authentication.k8s.io":         "a call",
	"subjectaccessreviews.authorization.k8s.io":        "a call",
	"selfsubjectaccessreviews.authorization.k8s.io":    "a call",
	"localsubjectaccessreviews.authorization.k8s.io":   "a call",
	"selfsubjectrulesreviews.authorization.k8s.io":     "a call",
	"events.events.k8s.io":                             "the same objects as events",
	"customresourcedefinitions.apiextensions.k8s.io":   "made first, two of them",
	"apiservices.apiregistration.k8s.io":               "made by the custom kinds; others would break discovery",
	"clustertrustbundles.certificates.k8s.io":          "needs a certificate per object",
	"storageversionmigrations.storagemigration.k8s.io": "would be carried out",
}

// How many of each hundred objects are of the common kinds; the rest is spread over all kinds alike.
var common = map[string]int{"configmaps": 25, "secrets": 15, "pods": 10, "widgets.shop.example.com": 10, "leases.coordination.k8s.io": 5}

// Kinds that act on others as soon as they exist, so few are enough.
var few = map[string]int{
	"priorityclasses.scheduling.k8s.io": 3, "servicecidrs.networking.k8s.io": 3,
	"flowschemas.flowcontrol.apiserver.k8s.io": 3, "prioritylevelconfigurations.flowcontrol.apiserver.k8s.io": 3,
}

const namespaces = 8

// Fill makes so many objects, spread over every kind that can be created, in eight namespaces and outside of any.
// The same seed makes the same objects.
func Fill(ctx context.Context, client *api.Client, seed uint64, objects int) (Filling, error) {
	started := time.Now()
	filling := Filling{Seed: seed, Kinds: map[string]int{}, Without: map[string]string{}}
	made, err := define(ctx, client)
	if err != nil {
		return filling, err
	}
	filling.Created = made
	resources, err := client.Discover(ctx)
	if err != nil {
		return filling, err
	}
	resources = slices.DeleteFunc(resources, func(resource api.Resource) bool {
		if !resource.Can("create") {
			return true
		}
		if contents[resource.ID()] != nil {
			return false
		}
		reason := without[resource.ID()]
		if reason == "" {
			reason = "unknown to the bed"
		}
		filling.Without[resource.ID()] = reason
		return true
	})
	for _, order := range plan(resources, objects) {
		if err := filling.carryOut(ctx, client, order); err != nil {
			return filling, err
		}
	}
	filling.Seconds = time.Since(started).Seconds()
	return filling, nil
}

type order struct {
	resource api.Resource
	number   int
	name     string // "" for one made of seed and number
}

// Three batches: namespaces, the account that every pod in one needs, and whatever may lie in them.
func plan(resources []api.Resource, objects int) [3][]order {
	var batches [3][]order
	each := max(2, (objects-namespaces)*35/100/max(1, len(resources)))
	for _, resource := range resources {
		count := each + (objects*common[resource.ID()])/100
		if limit := few[resource.ID()]; limit != 0 {
			count = limit
		}
		batch := &batches[2]
		if resource.ID() == "namespaces" {
			count, batch = namespaces, &batches[0]
		}
		if resource.ID() == "serviceaccounts" {
			// The controller manager makes them, too, but later, or is not there.
			for number := range namespaces {
				batches[1] = append(batches[1], order{resource, number, "default"})
			}
		}
		for number := range count {
			*batch = append(*batch, order{resource, number, ""})
		}
	}
	return batches
}

func (f *Filling) carryOut(ctx context.Context, client *api.Client, orders []order) error {
	var mutex sync.Mutex
	return inParallel(ctx, len(orders), func(ctx context.Context, at int) error {
		resource := orders[at].resource
		object := objectOf(f.Seed, orders[at])
		namespace, _ := object["metadata"].(api.Object)["namespace"].(string)
		err := client.Post(ctx, resource.Path(namespace), object, nil)
		mutex.Lock()
		defer mutex.Unlock()
		switch {
		case err == nil:
			f.Created++
			f.Kinds[resource.ID()]++
		case isConflict(err):
			f.Existed++
		default:
			return fmt.Errorf("seed %d, number %d: %w", f.Seed, orders[at].number, err)
		}
		return nil
	})
}

func objectOf(seed uint64, order order) api.Object {
	maker := newMaker(seed, order.resource.ID(), order.number)
	if order.resource.Namespaced {
		maker.namespace = fmt.Sprintf("fill-%d-%d", seed, order.number%namespaces)
	}
	name := order.name
	if name == "" {
		name = fmt.Sprintf("fill-%d-%d", seed, order.number)
	}
	if order.resource.ID() == "ipaddresses.networking.k8s.io" {
		name = fmt.Sprintf("10.99.%d.%d", seed%256, order.number%256) // must be one
	}
	return maker.object(order.resource.APIVersion(), order.resource.Kind, name, contents[order.resource.ID()](maker))
}
