package main

import (
	"fmt"
	"math"
	"reflect"
	"time"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apiextensionsv1beta1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1beta1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// mostOnPath ends types that contain themselves (JSONSchemaProps): so many of one type on the way down, no more.
const mostOnPath = 2

// filler sets the fields of objects by reflection, in a style.
type filler struct {
	style
	onPath map[reflect.Type]int
}

func fill(object any, s style) {
	f := filler{s, map[reflect.Type]int{}}
	f.value(reflect.ValueOf(object).Elem())
}

func (f *filler) value(v reflect.Value) {
	if f.special(v) {
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		if f.mayEnter(v.Type().Elem()) && f.present() {
			v.Set(reflect.New(v.Type().Elem()))
			f.value(v.Elem())
		}
	case reflect.Struct:
		f.structure(v)
	case reflect.Slice:
		f.slice(v)
	case reflect.Map:
		f.mapping(v)
	case reflect.String:
		v.SetString(f.text(edgeStrings))
	case reflect.Bool:
		v.SetBool(f.number()%2 == 1 || f.edge(2) == 1)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(f.integer(v.Type().Bits()))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(uint64(max(0, f.integer(v.Type().Bits()))))
	case reflect.Float32, reflect.Float64:
		v.SetFloat(f.float())
	case reflect.Interface:
		// runtime.Object beside raw bytes: never in storage.
	default:
		panic(fmt.Sprintf("no way to fill a %s", v.Type()))
	}
}

func (f *filler) structure(v reflect.Value) {
	f.onPath[v.Type()]++
	for i := range v.NumField() {
		if v.Field(i).CanSet() {
			f.value(v.Field(i))
		}
	}
	f.onPath[v.Type()]--
}

// mayEnter is false for what would nest a type into itself too often.
func (f *filler) mayEnter(t reflect.Type) bool {
	return f.onPath[t] < mostOnPath
}

func (f *filler) slice(v reflect.Value) {
	if v.Type().Elem().Kind() == reflect.Uint8 {
		v.SetBytes(f.bytes())
		return
	}
	n := f.length()
	if n < 0 || !f.mayEnter(v.Type().Elem()) {
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), n, n))
	for i := range n {
		f.value(v.Index(i))
	}
}

func (f *filler) mapping(v reflect.Value) {
	n := f.length()
	if n < 0 || !f.mayEnter(v.Type().Elem()) {
		return
	}
	v.Set(reflect.MakeMap(v.Type()))
	for range n {
		key := reflect.New(v.Type().Key()).Elem()
		key.SetString(f.text(edgeKeys))
		entry := reflect.New(v.Type().Elem()).Elem()
		f.value(entry)
		v.SetMapIndex(key, entry)
	}
}

func (f *filler) text(choices []string) string {
	if i := f.edge(len(choices)); i >= 0 {
		return choices[i]
	}
	return plainString(f.number())
}

func (f *filler) bytes() []byte {
	if i := f.edge(len(edgeBytes)); i >= 0 {
		return edgeBytes[i]
	}
	return []byte(plainString(f.number()))
}

func (f *filler) integer(bits int) int64 {
	n := int64(0)
	if i := f.edge(len(edgeInts)); i >= 0 {
		n = edgeInts[i]
	} else {
		n = f.number()
	}
	largest := int64(math.MaxInt64) >> (64 - bits)
	return max(-largest-1, min(largest, n))
}

func (f *filler) float() float64 {
	if i := f.edge(len(edgeFloats)); i >= 0 {
		return edgeFloats[i]
	}
	return float64(f.number()) / 8
}

func (f *filler) time() time.Time {
	if i := f.edge(len(edgeTimes)); i >= 0 {
		return edgeTimes[i]
	}
	if n := f.number(); n != 0 {
		const tenThousandDays = 864_000_000
		return time.Unix(1_700_000_000+n%tenThousandDays, n%1_000_000_000).UTC()
	}
	return time.Time{}
}

func (f *filler) quantity() resource.Quantity {
	if i := f.edge(len(edgeQuantities)); i >= 0 {
		return resource.MustParse(edgeQuantities[i])
	}
	n := f.number()
	quantity := resource.NewMilliQuantity(n, resource.DecimalSI)
	if n%2 == 0 {
		quantity = resource.NewQuantity(n, resource.BinarySI)
	}
	// Read once, as a server reads it from its client: 5000 in binary units becomes 5k.
	return resource.MustParse(quantity.String())
}

func (f *filler) intOrString() intstr.IntOrString {
	if i := f.edge(len(edgeIntOrStrings)); i >= 0 {
		return edgeIntOrStrings[i]
	}
	n := f.number()
	if n%2 == 0 {
		return intstr.IntOrString{IntVal: int32(n % math.MaxInt32)}
	}
	return intstr.FromString(plainString(n))
}

// pick draws from a list whose first entry is the zero value and whose second is a plain one.
func pick[T any](f *filler, choices []T) T {
	if i := f.edge(len(choices)); i >= 0 {
		return choices[i]
	}
	if f.number() == 0 {
		return choices[0]
	}
	return choices[1+int(f.number()&1)]
}

// special sets the types that have an encoding of their own, and says whether v is one.
func (f *filler) special(v reflect.Value) bool {
	switch target := v.Addr().Interface().(type) {
	case *metav1.TypeMeta:
		// In the envelope only; nested ones are not stored at all.
	case *metav1.Time:
		target.Time = f.time()
	case *metav1.MicroTime:
		target.Time = f.time()
	case *metav1.Duration:
		if i := f.edge(len(edgeDurations)); i >= 0 {
			target.Duration = edgeDurations[i]
		} else {
			target.Duration = time.Duration(f.number())
		}
	case *resource.Quantity:
		*target = f.quantity()
	case *intstr.IntOrString:
		*target = f.intOrString()
	case *metav1.FieldsV1:
		*target = pick(f, edgeFields())
	case *runtime.RawExtension:
		*target = pick(f, edgeRawExtensions())
	case *apiextensionsv1.JSON:
		*target = pick(f, edgeSchemaJSON())
	case *apiextensionsv1beta1.JSON:
		*target = apiextensionsv1beta1.JSON(pick(f, edgeSchemaJSON()))
	case *apiextensionsv1.JSONSchemaPropsOrBool, *apiextensionsv1beta1.JSONSchemaPropsOrBool:
		f.structure(v)
		if !v.FieldByName("Schema").IsNil() {
			v.FieldByName("Allows").SetBool(true)
		}
	case *apiextensionsv1.JSONSchemaPropsOrArray, *apiextensionsv1beta1.JSONSchemaPropsOrArray:
		f.oneOf(v, "Schema", "JSONSchemas")
	case *apiextensionsv1.JSONSchemaPropsOrStringArray, *apiextensionsv1beta1.JSONSchemaPropsOrStringArray:
		f.oneOf(v, "Schema", "Property")
	default:
		return false
	}
	return true
}

// oneOf fills a struct and keeps one of two fields: its JSON could not show both.
func (f *filler) oneOf(v reflect.Value, first, second string) {
	f.structure(v)
	drop := first
	if f.number()%2 == 0 {
		drop = second
	}
	v.FieldByName(drop).SetZero()
}
