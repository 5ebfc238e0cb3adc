package main

import (
	"errors"
	"fmt"
	"reflect"
	"runtime/debug"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apiextensionsv1beta1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1beta1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/kubernetes/scheme"
	apiregistrationv1 "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1"
	apiregistrationv1beta1 "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1beta1"

	"tidemark.test/kube_schema/table"
	"tidemark.test/kube_schema/walk"
)

var metadata = reflect.TypeFor[metav1.ObjectMeta]()

// The whole of what Kubernetes prints by code instead of by struct tags; the walk refuses any other such type.
func specials() map[reflect.Type]walk.Special {
	jsonSchema := reflect.TypeFor[apiextensionsv1.JSONSchemaProps]()
	jsonSchemaBeta := reflect.TypeFor[apiextensionsv1beta1.JSONSchemaProps]()
	return map[reflect.Type]walk.Special{
		reflect.TypeFor[metav1.Time]():               {Base: table.Time},
		reflect.TypeFor[metav1.MicroTime]():          {Base: table.MicroTime},
		reflect.TypeFor[metav1.Duration]():           {Base: table.Duration},
		reflect.TypeFor[metav1.FieldsV1]():           {Base: table.FieldsV1},
		reflect.TypeFor[resource.Quantity]():         {Base: table.Quantity},
		reflect.TypeFor[intstr.IntOrString]():        {Base: table.IntOrString},
		reflect.TypeFor[runtime.RawExtension]():      {Base: table.RawExtension},
		reflect.TypeFor[runtime.Unknown]():           {Base: table.Unknown},
		reflect.TypeFor[apiextensionsv1.JSON]():      {Base: table.JSON},
		reflect.TypeFor[apiextensionsv1beta1.JSON](): {Base: table.JSON},

		reflect.TypeFor[apiextensionsv1.JSONSchemaPropsOrBool]():        {Base: table.SchemaOrBool, Message: jsonSchema},
		reflect.TypeFor[apiextensionsv1.JSONSchemaPropsOrArray]():       {Base: table.SchemaOrArray, Message: jsonSchema},
		reflect.TypeFor[apiextensionsv1.JSONSchemaPropsOrStringArray](): {Base: table.SchemaOrStrings, Message: jsonSchema},

		reflect.TypeFor[apiextensionsv1beta1.JSONSchemaPropsOrBool]():        {Base: table.SchemaOrBool, Message: jsonSchemaBeta},
		reflect.TypeFor[apiextensionsv1beta1.JSONSchemaPropsOrArray]():       {Base: table.SchemaOrArray, Message: jsonSchemaBeta},
		reflect.TypeFor[apiextensionsv1beta1.JSONSchemaPropsOrStringArray](): {Base: table.SchemaOrStrings, Message: jsonSchemaBeta},
	}
}

// objects are the kinds that have metadata, which is what the API server stores. Lists, options and the like have none.
func objects() ([]walk.Object, error) {
	all := runtime.NewScheme()
	if err := errors.Join(scheme.AddToScheme(all), apiextensionsv1.AddToScheme(all), apiextensionsv1beta1.AddToScheme(all),
		apiregistrationv1.AddToScheme(all), apiregistrationv1beta1.AddToScheme(all)); err != nil {
		return nil, err
	}
	var found []walk.Object
	for kind, goType := range all.AllKnownTypes() {
		if kind.Version == runtime.APIVersionInternal {
			continue
		}
		if field, ok := goType.FieldByName("ObjectMeta"); !ok || field.Type != metadata {
			continue
		}
		found = append(found, walk.Object{APIVersion: kind.GroupVersion().String(), Kind: kind.Kind, Type: goType})
	}
	return found, nil
}

// minorOfModules is 36 when this program was built against k8s.io modules 0.36, all of them.
func minorOfModules() (int, error) {
	build, ok := debug.ReadBuildInfo()
	if !ok {
		return 0, errors.New("the program does not know what modules it was built from")
	}
	minors := map[string]int{}
	for _, module := range build.Deps {
		switch name, ok := strings.CutPrefix(module.Path, "k8s.io/"); name {
		case "api", "apimachinery", "client-go", "apiextensions-apiserver", "kube-aggregator":
			var minor, patch int
			if _, err := fmt.Sscanf(module.Version, "v0.%d.%d", &minor, &patch); err != nil || !ok {
				return 0, fmt.Errorf("%s: its version %q is not v0.MINOR.PATCH", module.Path, module.Version)
			}
			minors[name] = minor
		}
	}
	minor, ok := minors["api"]
	if !ok {
		return 0, errors.New("the program was built without the module k8s.io/api")
	}
	for name, other := range minors {
		if other != minor {
			return 0, fmt.Errorf("k8s.io/%s is of minor %d and k8s.io/api of %d", name, other, minor)
		}
	}
	return minor, nil
}
