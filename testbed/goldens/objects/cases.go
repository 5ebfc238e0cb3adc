package main

import (
	"fmt"
	"hash/fnv"
	"math/rand"
	"reflect"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// record is one golden: what stands in storage, and what the API server and kubectl make of it.
type record struct {
	name    string
	stored  schema.GroupVersionKind // as the storage bytes name it
	form    string                  // protobuf, json or cbor
	storage []byte
	sent    []byte
	printed []byte
}

// edgeCases is how many objects walk through the edge values, each from another start.
const edgeCases = 8

// An API server stores its own types as protobuf, and as JSON where --storage-media-type asks for it.
var (
	bothForms    = []string{"protobuf", "json"}
	protobufOnly = bothForms[:1]
)

// maker makes the records of typed objects.
type maker struct {
	codec
	seed   uint64
	random int
	add    func(record)
}

// source gives a case's dice: the same for a seed whatever other cases there are.
func (m *maker) source(k kind, name string) *rand.Rand {
	sum := fnv.New64a()
	fmt.Fprintf(sum, "%d %s %s", m.seed, k.GroupVersionKind, name)
	return rand.New(rand.NewSource(int64(sum.Sum64())))
}

// kind makes every case of one type.
func (m *maker) kind(k kind) error {
	fills := []struct {
		name  string
		style func() style // nil: untouched
	}{
		{"full", func() style { return &full{} }},
		{"zero", nil},
		{"empty", func() style { return hollow{0} }},
		{"hollow", func() style { return hollow{1} }},
	}
	for _, each := range fills {
		if err := m.filled(k, each.name, bothForms, each.style); err != nil {
			return err
		}
	}
	for i := range edgeCases {
		forms := protobufOnly
		if i < 2 {
			forms = bothForms
		}
		if err := m.filled(k, fmt.Sprintf("edge-%d", i), forms, func() style { return &edges{at: i * 7} }); err != nil {
			return err
		}
	}
	for i := range m.random {
		name := fmt.Sprintf("random-%d", i)
		if err := m.filled(k, name, protobufOnly, func() style { return chance{m.source(k, name)} }); err != nil {
			return err
		}
	}
	return m.edited(k)
}

// filled stores one fill in each of the forms.
func (m *maker) filled(k kind, name string, forms []string, fresh func() style) error {
	for _, form := range forms {
		serializer := m.proto
		if form == "json" {
			serializer = m.json
		}
		var s style
		if fresh != nil {
			s = fresh()
		}
		stored, err := m.encodeFilled(k, serializer, s)
		if err == nil {
			err = m.serveRecord(k, name, form, stored)
		}
		if err != nil {
			return fmt.Errorf("%s as %s: %w", name, form, err)
		}
	}
	return nil
}

// edited makes the cases whose bytes were written by others than today's types.
func (m *maker) edited(k kind) error {
	whole, err := m.encodeFilled(k, m.proto, &full{})
	if err != nil {
		return err
	}
	envelope, err := openEnvelope(whole)
	if err != nil {
		return err
	}
	absent := runtime.Unknown{TypeMeta: envelope.TypeMeta}
	if err := m.sealed(k, "absent", absent); err != nil {
		return err
	}
	edits := []struct {
		name string
		edit *edit
	}{
		{"newer-writer", newerWriter()},
		{"packed-writer", packedWriter()},
		{"foreign-leaves", foreignLeaves()},
	}
	for i := range 3 {
		name := fmt.Sprintf("older-writer-%d", i)
		edits = append(edits, struct {
			name string
			edit *edit
		}{name, olderWriter(m.source(k, name))})
	}
	for _, each := range edits {
		changed := envelope
		if changed.Raw, err = each.edit.message(k.goType, envelope.Raw); err == nil && each.edit.changed > 0 {
			err = m.sealed(k, each.name, changed)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", each.name, err)
		}
	}
	return nil
}

func (m *maker) sealed(k kind, name string, envelope runtime.Unknown) error {
	stored, err := sealEnvelope(envelope)
	if err != nil {
		return err
	}
	return m.serveRecord(k, name, "protobuf", stored)
}

// encodeFilled makes an object of a kind in a style (nil: untouched) and encodes it as it would be stored.
func (m *maker) encodeFilled(k kind, serializer runtime.Serializer, s style) ([]byte, error) {
	object := reflect.New(k.goType).Interface().(runtime.Object)
	if s != nil {
		fill(object, s)
	}
	object.GetObjectKind().SetGroupVersionKind(k.GroupVersionKind)
	if err := clearUnstored(object); err != nil {
		return nil, err
	}
	return encode(serializer, object)
}

// serveRecord adds a record for stored bytes.
func (m *maker) serveRecord(k kind, name, form string, stored []byte) error {
	_, sent, err := m.serve(stored)
	if err != nil {
		return err
	}
	shown, err := printed(sent)
	if err != nil {
		return fmt.Errorf("kubectl does not read what was sent: %w", err)
	}
	m.add(record{name, k.GroupVersionKind, form, stored, sent, shown})
	return nil
}
