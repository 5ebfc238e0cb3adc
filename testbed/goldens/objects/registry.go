package main

import (
	"reflect"
	"runtime/debug"
	"sort"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apiextensionsv1beta1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1beta1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clientscheme "k8s.io/client-go/kubernetes/scheme"
	apiregistrationv1 "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1"
	apiregistrationv1beta1 "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1beta1"
)

// kind is one registered type that objects are stored as.
type kind struct {
	schema.GroupVersionKind
	goType reflect.Type
}

// newScheme knows every group and version of k8s.io/api, custom resource definitions and API services.
func newScheme() (*runtime.Scheme, error) {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		clientscheme.AddToScheme,
		apiextensionsv1.AddToScheme,
		apiextensionsv1beta1.AddToScheme,
		apiregistrationv1.AddToScheme,
		apiregistrationv1beta1.AddToScheme,
	} {
		if err := add(scheme); err != nil {
			return nil, err
		}
	}
	return scheme, nil
}

// storedKinds lists the top-level objects of a scheme: what has an ObjectMeta, so neither lists nor options.
func storedKinds(scheme *runtime.Scheme) []kind {
	var kinds []kind
	for gvk, goType := range scheme.AllKnownTypes() {
		meta, found := goType.FieldByName("ObjectMeta")
		if found && meta.Type == reflect.TypeOf(metav1.ObjectMeta{}) && gvk.Version != runtime.APIVersionInternal {
			kinds = append(kinds, kind{gvk, goType})
		}
	}
	sort.Slice(kinds, func(i, j int) bool { return kinds[i].String() < kinds[j].String() })
	return kinds
}

// kubernetesVersion is the version of k8s.io/api that this program was built with.
func kubernetesVersion() string {
	info, _ := debug.ReadBuildInfo()
	for _, module := range info.Deps {
		if module.Path == "k8s.io/api" {
			return module.Version
		}
	}
	return "unknown"
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	return keys
}
