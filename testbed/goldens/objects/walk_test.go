package main

import (
	"bytes"
	"encoding/json"
	"reflect"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apiextensionsv1beta1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1beta1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// stored tells the fields that have a place in protobuf. An embedded one may have a tag without a name.
func stored(field reflect.StructField) bool {
	tag := field.Tag.Get("protobuf")
	return tag != "" && tag != "-"
}

// visit notes every field that is not zero.
func visit(v reflect.Value, seen map[string]bool) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			visit(v.Elem(), seen)
		}
	case reflect.Slice:
		for i := range v.Len() {
			visit(v.Index(i), seen)
		}
	case reflect.Map:
		for entries := v.MapRange(); entries.Next(); {
			visit(entries.Value(), seen)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if field := v.Type().Field(i); stored(field) && !v.Field(i).IsZero() {
				seen[fieldName(v.Type(), field)] = true
				visit(v.Field(i), seen)
			}
		}
	}
}

// storable names every field that a type and the types in it can store, and counts them.
func storable(t reflect.Type, known map[reflect.Type]bool, each func(name string)) int {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Map {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || known[t] {
		return 0
	}
	known[t] = true
	fields := 0
	for i := range t.NumField() {
		if field := t.Field(i); stored(field) && !(field.Type.Kind() == reflect.Struct && field.Type.NumField() == 0) {
			fields++
			each(fieldName(t, field))
			fields += storable(field.Type, known, each)
		}
	}
	return fields
}

func fieldName(t reflect.Type, field reflect.StructField) string {
	return t.PkgPath() + "." + t.Name() + "." + field.Name
}

// loseWhatJSONLoses makes an object what it is after JSON: text is UTF-8, raw JSON is compact, and a pointer to what
// prints as null is no pointer.
func loseWhatJSONLoses(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			loseWhatJSONLoses(v.Elem())
			if text, err := json.Marshal(v.Interface()); err == nil && string(text) == "null" {
				v.SetZero()
			}
		}
	case reflect.String:
		v.SetString(string([]rune(v.String()))) // each stray byte becomes U+FFFD
	case reflect.Slice:
		for i := range v.Len() {
			loseWhatJSONLoses(v.Index(i))
		}
	case reflect.Map:
		loseInMap(v)
	case reflect.Struct:
		loseInStruct(v)
	}
}

func loseInMap(v reflect.Value) {
	if v.IsNil() {
		return
	}
	changed := reflect.MakeMap(v.Type())
	for entries := v.MapRange(); entries.Next(); {
		key := reflect.New(v.Type().Key()).Elem()
		key.Set(entries.Key())
		loseWhatJSONLoses(key)
		value := reflect.New(v.Type().Elem()).Elem()
		value.Set(entries.Value())
		loseWhatJSONLoses(value)
		changed.SetMapIndex(key, value)
	}
	v.Set(changed)
}

func loseInStruct(v reflect.Value) {
	switch target := v.Addr().Interface().(type) {
	case *runtime.RawExtension:
		target.Raw = asSent(target)
	case *metav1.FieldsV1:
		target.Raw = asSent(target)
	case *apiextensionsv1.JSON:
		target.Raw = asSent(target)
	case *apiextensionsv1beta1.JSON:
		target.Raw = asSent(target)
	case *intstr.IntOrString:
		loseWhatJSONLoses(v.FieldByName("StrVal"))
		if target.Type == intstr.Int {
			target.StrVal = ""
		} else {
			target.IntVal = 0
		}
	case *metav1.Time, *metav1.MicroTime:
	default:
		if allows := v.FieldByName("Allows"); allows.IsValid() && !v.FieldByName("Schema").IsNil() {
			allows.SetBool(true) // JSONSchemaPropsOrBool: a schema stands for both
		}
		for i := range v.NumField() {
			if v.Field(i).CanSet() {
				loseWhatJSONLoses(v.Field(i))
			}
		}
	}
}

// asSent is raw JSON as an encoder passes it on; nil for null.
func asSent(raw json.Marshaler) []byte {
	text, err := json.Marshal(raw)
	if err != nil || bytes.Equal(text, []byte("null")) {
		return nil
	}
	return text
}
