package main

import (
	"fmt"
	"reflect"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// envelopes makes the cases around one small object: the envelope in every shape, cut off at each byte, bits turned.
func (m *maker) envelopes() error {
	k := kind{corev1.SchemeGroupVersion.WithKind("ConfigMap"), reflect.TypeOf(corev1.ConfigMap{})}
	object := &corev1.ConfigMap{Data: map[string]string{"a": "1", "b": strings.Repeat("x", 130)}, BinaryData: map[string][]byte{"c": {0xff}}}
	object.Name, object.Namespace, object.Labels = "shape", "shop", map[string]string{"app": "x"}
	object.SetGroupVersionKind(k.GroupVersionKind)
	stored, err := encode(m.proto, object)
	if err != nil {
		return err
	}
	envelope, err := openEnvelope(stored)
	if err != nil {
		return err
	}
	m.shapes(k, envelope)
	for length := len(protobufMagic); length < len(stored); length++ {
		m.servedOrRefused(k, fmt.Sprintf("cut-off-at-%d", length), stored[:length])
	}
	dice := m.source(k, "turned")
	for i := range 20 * m.random {
		changed := envelope
		changed.Raw = append([]byte(nil), envelope.Raw...)
		at := dice.Intn(len(changed.Raw))
		changed.Raw[at] ^= 1 << dice.Intn(8)
		body, err := sealEnvelope(changed)
		if err != nil {
			return err
		}
		m.servedOrRefused(k, fmt.Sprintf("bit-turned-%d", i), body)
	}
	return nil
}

// shapes writes the envelope's fields in other orders, with others beside them, and not at all.
func (m *maker) shapes(k kind, envelope runtime.Unknown) {
	typeMeta, _ := envelope.TypeMeta.Marshal()
	meta, raw := wireField{1, wireBytes, typeMeta}, wireField{2, wireBytes, envelope.Raw}
	encoding := func(text string) wireField { return wireField{3, wireBytes, []byte(text)} }
	content := func(text string) wireField { return wireField{4, wireBytes, []byte(text)} }
	shapes := map[string][]wireField{
		"without-content-type":      {meta, raw},
		"raw-first":                 {raw, meta},
		"protobuf-content-type":     {meta, raw, encoding(""), content("application/vnd.kubernetes.protobuf")},
		"json-content-type":         {meta, {2, wireBytes, []byte(`{"metadata":{"name":"shape"}}`)}, encoding(""), content("application/json")},
		"encoded-content":           {meta, raw, encoding("gzip"), content("")},
		"unknown-field":             {meta, {900, wireBytes, []byte("later")}, raw, {901, wireVarint, []byte{1}}},
		"raw-twice":                 {meta, {2, wireBytes, envelope.Raw[:0]}, raw},
		"no-raw":                    {meta},
		"no-type":                   {raw},
		"unknown-field-in-its-type": {{1, wireBytes, appendField(typeMeta, wireField{9, wireVarint, []byte{1}})}, raw},
	}
	for _, name := range sortedKeys(shapes) {
		stored := append([]byte(nil), protobufMagic...)
		for _, field := range shapes[name] {
			stored = appendField(stored, field)
		}
		m.servedOrRefused(k, "envelope-"+name, stored)
	}
}

// servedOrRefused adds a record with nothing sent when the serializers do not read the bytes.
func (m *maker) servedOrRefused(k kind, name string, stored []byte) {
	if err := m.serveRecord(k, name, "protobuf", stored); err != nil {
		m.add(record{name, k.GroupVersionKind, "protobuf", stored, nil, nil})
	}
}
