// Command lister reads a whole cluster as a controller does: by client-go, discovery first, then every kind that can be
// listed, in pages, with the dynamic client. It prints a line of JSON for each kind, with a digest of its objects, so
// that two clusters that should be the same are compared by comparing lines.
package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/tools/clientcmd"
)

// told is what is said of one kind.
type told struct {
	Resource   string `json:"resource"` // deployments.apps
	APIVersion string `json:"apiVersion"`
	Objects    int    `json:"objects"`
	Pages      int    `json:"pages"`
	Revision   string `json:"revision"` // of the list
	SHA256     string `json:"sha256"`
	Watched    string `json:"watched,omitempty"` // the digest of what a watch began with
}

type reader struct {
	client   dynamic.Interface
	revision string // list exactly this one; empty: what there is
	page     int64
	watched  bool
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintf(os.Stderr, "lister: %v\n", err)
		os.Exit(1)
	}
}

func run() error {
	var r reader
	kubeconfig := flag.String("kubeconfig", "", "how to reach the cluster")
	patience := flag.Duration("patience", 8*time.Minute, "for all of it")
	flag.StringVar(&r.revision, "revision", "", "as of this resource version, exactly; without it the newest")
	flag.Int64Var(&r.page, "page", 50, "objects in a page")
	flag.BoolVar(&r.watched, "watch", false, "also by watches that begin with what there is, up to the mark of its end")
	flag.Parse()
	config, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	if err != nil {
		return err
	}
	config.QPS = -1 // nobody else is there to be spared
	ctx, cancel := context.WithTimeout(context.Background(), *patience)
	defer cancel()

	resources, err := listable(config.Host, discovery.NewDiscoveryClientForConfigOrDie(config))
	if err != nil {
		return err
	}
	r.client = dynamic.NewForConfigOrDie(config)
	lines := json.NewEncoder(os.Stdout)
	for _, resource := range resources {
		line, err := r.read(ctx, resource)
		if err != nil {
			return fmt.Errorf("%s: %w", resource, err)
		}
		if err := lines.Encode(line); err != nil {
			return err
		}
	}
	return nil
}

// listable are the kinds that can be listed, each in the version that the server prefers.
func listable(host string, client discovery.DiscoveryInterface) ([]schema.GroupVersionResource, error) {
	groups, err := client.ServerPreferredResources()
	if err != nil {
		return nil, fmt.Errorf("discovery of %s: %w", host, err)
	}
	var all []schema.GroupVersionResource
	for _, group := range groups {
		version, err := schema.ParseGroupVersion(group.GroupVersion)
		if err != nil {
			return nil, err
		}
		for _, resource := range group.APIResources {
			if slices.Contains(resource.Verbs, "list") && !strings.Contains(resource.Name, "/") {
				all = append(all, version.WithResource(resource.Name))
			}
		}
	}
	slices.SortFunc(all, func(a, b schema.GroupVersionResource) int {
		return cmp.Compare(a.GroupResource().String(), b.GroupResource().String())
	})
	return all, nil
}

func (r *reader) read(ctx context.Context, resource schema.GroupVersionResource) (told, error) {
	line := told{Resource: resource.GroupResource().String(), APIVersion: resource.GroupVersion().String()}
	var objects []unstructured.Unstructured
	options := metav1.ListOptions{Limit: r.page}
	if r.revision != "" {
		options.ResourceVersion, options.ResourceVersionMatch = r.revision, metav1.ResourceVersionMatchExact
	}
	for {
		list, err := r.client.Resource(resource).List(ctx, options)
		if err != nil {
			return line, err
		}
		line.Pages++
		line.Revision = list.GetResourceVersion()
		objects = append(objects, list.Items...)
		if list.GetContinue() == "" {
			break
		}
		// The token says of which revision it is.
		options = metav1.ListOptions{Limit: r.page, Continue: list.GetContinue()}
	}
	line.Objects = len(objects)
	var err error
	if line.SHA256, err = digest(objects); err != nil || !r.watched {
		return line, err
	}
	if objects, err = r.initial(ctx, resource); err != nil {
		return line, fmt.Errorf("watch: %w", err)
	}
	line.Watched, err = digest(objects)
	return line, err
}

// initial is what a watch begins with, as informers ask for it.
func (r *reader) initial(ctx context.Context, resource schema.GroupVersionResource) ([]unstructured.Unstructured, error) {
	yes := true
	events, err := r.client.Resource(resource).Watch(ctx, metav1.ListOptions{
		SendInitialEvents:    &yes,
		AllowWatchBookmarks:  true,
		ResourceVersionMatch: metav1.ResourceVersionMatchNotOlderThan,
	})
	if err != nil {
		return nil, err
	}
	defer events.Stop()
	var objects []unstructured.Unstructured
	for event := range events.ResultChan() {
		object, known := event.Object.(*unstructured.Unstructured)
		switch {
		case known && event.Type == watch.Added:
			objects = append(objects, *object)
		case known && event.Type == watch.Bookmark && object.GetAnnotations()[metav1.InitialEventsAnnotationKey] == "true":
			return objects, nil
		default:
			return nil, fmt.Errorf("%s of %T before the end of what there is", event.Type, event.Object)
		}
	}
	return nil, errors.New("it ended before it told where what there is ends")
}

// digest is of the objects in the order of their names, as JSON with sorted keys.
func digest(objects []unstructured.Unstructured) (string, error) {
	slices.SortFunc(objects, func(a, b unstructured.Unstructured) int {
		return cmp.Or(cmp.Compare(a.GetNamespace(), b.GetNamespace()), cmp.Compare(a.GetName(), b.GetName()))
	})
	sum := sha256.New()
	for _, object := range objects {
		text, err := json.Marshal(object.Object)
		if err != nil {
			return "", err
		}
		sum.Write(append(text, '\n'))
	}
	return fmt.Sprintf("%x", sum.Sum(nil)), nil
}
