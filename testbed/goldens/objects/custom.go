package main

import (
	"fmt"
	"math/rand"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// customKind is what all custom resources of the goldens are.
var customKind = kind{GroupVersionKind: schema.GroupVersionKind{Group: "shop.example.com", Version: "v1", Kind: "Widget"}}

// writtenSpecs are texts as clients may have sent them to a server that stores what it got.
var writtenSpecs = []string{
	`{}`, `null`, `[]`, `""`,
	`{"a":1.0,"b":1e2,"c":1E-7,"d":0.1,"e":-0,"f":-0.0,"g":123456789012345678,"h":1e21,"i":1e20,"j":0.000001,"k":1.50}`,
	`{"max":9223372036854775807,"min":-9223372036854775808,"over":9223372036854775808,"under":-9223372036854775809,"far":123456789012345678901234567890}`,
	`{"largest":1.7976931348623157e308,"smallest":5e-324,"third":0.3333333333333333,"exact":9007199254740993,"float":9007199254740993.0}`,
	` { "spaced" : [ 1 , [ ] , { } , null , true , false ] } `,
	`{"z":1,"a":{"c":1,"b":2},"B":3,"é":4,"😀":5,"\uffee":6,"":7,"a.b/c":8}`,
	`{"twice":1,"twice":{"kept":true}}`,
	`{"text":"<&>\u2028\u2029\u0000\u001f\u007f\b\f\n\r\t\"\\\/\u00e9\ud83d\ude00","alone":"\ud83d","low":"\ude00"}`,
	"{\"raw\":\"\u2028 <b> \u007f\"}",
	"{\"stray\":\"\xff \xc3\"}",
	`{"null":null,"list":[null,[null]],"map":{"null":null}}`,
	`{"deep":` + strings.Repeat(`[`, 200) + strings.Repeat(`]`, 200) + `}`,
	`{"a":{"b":{"c":{"d":{"e":{"f":{}}}}}}}`,
}

// custom makes custom resources, stored as JSON and, where the release knows it, as CBOR.
func (m *maker) custom() error {
	for i, spec := range writtenSpecs {
		text := `{"apiVersion":"shop.example.com/v1","kind":"Widget","metadata":{"name":"w","namespace":"shop"},"spec":` + spec + `}`
		if err := m.customRecord(fmt.Sprintf("written-%d", i), "json", []byte(text)); err != nil {
			return fmt.Errorf("written-%d: %w", i, err)
		}
	}
	for i := range 20 * m.random {
		name := fmt.Sprintf("random-%d", i)
		object := customObject(m.source(customKind, name), false)
		stored, err := encode(unstructured.UnstructuredJSONScheme, object)
		if err == nil {
			err = m.customRecord(name, "json", stored)
		}
		if err == nil {
			err = m.customCBOR(name, customObject(m.source(customKind, name), true))
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return m.handmadeCBOR()
}

// customObject is a custom resource of random content. JSON has no bytes of its own; CBOR has.
func customObject(random *rand.Rand, bytes bool) *unstructured.Unstructured {
	object := &unstructured.Unstructured{Object: map[string]any{
		"spec":   customMap(random, bytes, 4),
		"status": customValue(random, bytes, 3),
	}}
	object.SetGroupVersionKind(customKind.GroupVersionKind)
	object.SetName("w")
	object.SetNamespace("shop")
	object.SetLabels(map[string]string{"app": edgeKeys[random.Intn(len(edgeKeys))]})
	return object
}

func customMap(random *rand.Rand, bytes bool, depth int) map[string]any {
	content := map[string]any{}
	for range random.Intn(6) {
		key := edgeKeys[random.Intn(len(edgeKeys))]
		if random.Intn(2) == 0 {
			key = plainString(random.Int63n(1000))
		}
		content[key] = customValue(random, bytes, depth)
	}
	return content
}

func customValue(random *rand.Rand, bytes bool, depth int) any {
	switch choice := random.Intn(10); {
	case choice < 2 && depth > 0:
		return customMap(random, bytes, depth-1)
	case choice < 4 && depth > 0:
		list := []any{}
		for range random.Intn(4) {
			list = append(list, customValue(random, bytes, depth-1))
		}
		return list
	case choice == 4:
		return nil
	case choice == 5:
		return random.Intn(2) == 0
	case choice == 6:
		return edgeInts[random.Intn(len(edgeInts))]
	case choice == 7:
		return edgeFloats[random.Intn(len(edgeFloats))]
	case choice == 8 && bytes:
		return edgeBytes[random.Intn(len(edgeBytes))]
	}
	return edgeStrings[random.Intn(len(edgeStrings))]
}

// customRecord reads a stored custom resource as an API server with no schema does.
func (m *maker) customRecord(name, form string, stored []byte) error {
	object, _, err := unstructured.UnstructuredJSONScheme.Decode(stored, nil, nil)
	if err != nil {
		return err
	}
	return m.addCustom(name, form, stored, object)
}

func (m *maker) addCustom(name, form string, stored []byte, object runtime.Object) error {
	sent, err := encode(unstructured.UnstructuredJSONScheme, object)
	if err != nil {
		return err
	}
	// Strings from CBOR need not be UTF-8, and only in what was sent they are.
	shown, err := printed(sent)
	if err != nil {
		return err
	}
	m.add(record{name, customKind.GroupVersionKind, form, stored, sent, shown})
	return nil
}
