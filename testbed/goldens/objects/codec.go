package main

import (
	"bytes"
	"encoding/json"
	"fmt"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	jsonserializer "k8s.io/apimachinery/pkg/runtime/serializer/json"
	"k8s.io/apimachinery/pkg/runtime/serializer/protobuf"
)

// codec is the pair of serializers of an API server for typed objects: one for its storage, one for its clients.
type codec struct {
	proto runtime.Serializer
	json  runtime.Serializer
}

func newCodec(scheme *runtime.Scheme) codec {
	return codec{
		proto: protobuf.NewSerializer(scheme, scheme),
		json:  jsonserializer.NewSerializerWithOptions(jsonserializer.DefaultMetaFactory, scheme, scheme, jsonserializer.SerializerOptions{}),
	}
}

// clearUnstored takes away what an API server does not store: it reads the resource version from etcd's revision.
func clearUnstored(object runtime.Object) error {
	accessor, err := meta.Accessor(object)
	if err != nil {
		return err
	}
	accessor.SetResourceVersion("")
	accessor.SetSelfLink("")
	return nil
}

func encode(serializer runtime.Encoder, object runtime.Object) ([]byte, error) {
	var out bytes.Buffer
	err := serializer.Encode(object, &out)
	return out.Bytes(), err
}

// serve reads stored bytes as an API server does and gives the object with what a client gets for it.
func (c codec) serve(stored []byte) (runtime.Object, []byte, error) {
	serializer := c.json
	if bytes.HasPrefix(stored, protobufMagic) {
		serializer = c.proto
	}
	object, gvk, err := serializer.Decode(stored, nil, nil)
	if err != nil {
		return nil, nil, fmt.Errorf("stored bytes do not decode: %w", err)
	}
	object.GetObjectKind().SetGroupVersionKind(*gvk)
	sent, err := encode(c.json, object)
	if err != nil {
		return nil, nil, fmt.Errorf("object does not encode as JSON: %w", err)
	}
	return object, sent, nil
}

// printed is what kubectl get -o json --show-managed-fields prints for an object that was sent: it parses and indents.
func printed(sent []byte) ([]byte, error) {
	object, _, err := unstructured.UnstructuredJSONScheme.Decode(sent, nil, nil)
	if err != nil {
		return nil, err
	}
	out, err := json.MarshalIndent(object, "", "    ")
	return append(out, '\n'), err
}

var protobufMagic = []byte{'k', '8', 's', 0}

// openEnvelope splits stored bytes into the envelope's fields; sealEnvelope is the way back.
func openEnvelope(stored []byte) (runtime.Unknown, error) {
	var envelope runtime.Unknown
	err := envelope.Unmarshal(stored[len(protobufMagic):])
	return envelope, err
}

func sealEnvelope(envelope runtime.Unknown) ([]byte, error) {
	body, err := envelope.Marshal()
	return append(bytes.Clone(protobufMagic), body...), err
}
