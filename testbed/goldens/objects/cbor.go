//go:build !no_cbor

package main

import (
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured/unstructuredscheme"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer/cbor"
)

// Raw extensions and managed fields whose bytes are CBOR: {"kind": "Inner", "n": [1, -2, 1.5, null]} and the like.
var (
	cborExtensions = [][]byte{[]byte("\xd9\xd9\xf7\xa2\x44kind\x45Inner\x41n\x84\x01\x21\xf9\x3e\x00\xf6")}
	cborFields     = [][]byte{[]byte("\xa1\x4af:metadata\xa1\x48f:labels\xa1\x41.\xa0")}
)

// handmadeSpecs are items that the serializer reads though it writes them otherwise, and some that it refuses.
var handmadeSpecs = map[string]string{
	"text-string":            "\x65hello",
	"text-string-not-utf8":   "\x62\xff\xfe",
	"byte-string-not-utf8":   "\x42\xff\xfe",
	"string-in-chunks":       "\x5f\x42he\x43llo\xff",
	"text-in-chunks":         "\x7f\x62he\x63llo\xff",
	"list-without-length":    "\x9f\x01\x02\xff",
	"map-without-length":     "\xbf\x41a\x01\x41b\x02\xff",
	"map-of-text-keys":       "\xa2\x61b\x01\x61a\x02",
	"map-of-number-keys":     "\xa1\x01\x02",
	"map-with-a-key-twice":   "\xa2\x41a\x01\x41a\x02",
	"map-with-both-keys":     "\xa2\x41a\x01\x61a\x02",
	"long-heads":             "\x9b\x00\x00\x00\x00\x00\x00\x00\x01\x1b\x00\x00\x00\x00\x00\x00\x00\x05",
	"integer-largest":        "\x1b\x7f\xff\xff\xff\xff\xff\xff\xff",
	"integer-too-large":      "\x1b\x80\x00\x00\x00\x00\x00\x00\x00",
	"integer-smallest":       "\x3b\x7f\xff\xff\xff\xff\xff\xff\xff",
	"integer-too-small":      "\x3b\x80\x00\x00\x00\x00\x00\x00\x00",
	"big-number":             "\xc2\x49\x01\x00\x00\x00\x00\x00\x00\x00\x00",
	"big-number-that-fits":   "\xc2\x41\x05",
	"big-negative-number":    "\xc3\x41\x05",
	"float-half":             "\xf9\x3c\x00",
	"float-half-subnormal":   "\xf9\x00\x01",
	"float-half-minus-zero":  "\xf9\x80\x00",
	"float-single":           "\xfa\x47\xc3\x50\x00",
	"float-double":           "\xfb\x3f\xf1\x99\x99\x99\x99\x99\x9a",
	"float-double-whole":     "\xfb\x40\x08\x00\x00\x00\x00\x00\x00",
	"float-nan":              "\xf9\x7e\x00",
	"float-infinite":         "\xf9\x7c\x00",
	"undefined":              "\xf7",
	"simple-value":           "\xf0",
	"bytes-for-base64":       "\xd6\x43\x01\x02\xff",
	"bytes-for-base64url":    "\xd5\x43\xfb\xff\xfe",
	"bytes-for-base16":       "\xd7\x43\x01\x02\xff",
	"bytes-for-base64-empty": "\xd6\x40",
	"base64-of-a-list":       "\xd6\x82\x41a\x41b",
	"time-text":              "\xc0\x74" + "2026-11-21T10:00:00Z",
	"time-text-not-a-time":   "\xc0\x43abc",
	"time-number":            "\xc1\x1a\x69\x20\x3c\x00",
	"time-number-float":      "\xc1\xfb\x41\xda\x48\x0f\x00\x20\x00\x00",
	"unknown-tag":            "\xd8\x64\x01",
	"self-described-inside":  "\xd9\xd9\xf7\x01",
	"reserved-head":          "\x1c",
	"cut-off":                "\x45he",
	"nothing":                "",
}

func newCBOR() cbor.Serializer {
	return cbor.NewSerializer(unstructuredscheme.NewUnstructuredCreator(), unstructuredscheme.NewUnstructuredObjectTyper())
}

// customCBOR stores a custom resource as a server with the feature gate CBORServingAndStorage does.
func (m *maker) customCBOR(name string, object runtime.Object) error {
	stored, err := encode(newCBOR(), object)
	if err != nil {
		return err
	}
	read, err := readCBOR(stored)
	if err != nil {
		return err
	}
	return m.addCustom(name, "cbor", stored, read)
}

func readCBOR(stored []byte) (runtime.Object, error) {
	object := &unstructured.Unstructured{}
	_, _, err := newCBOR().Decode(stored, nil, object)
	return object, err
}

// handmadeCBOR adds what other writers may have stored. What the serializer refuses has nothing sent.
func (m *maker) handmadeCBOR() error {
	const start = "\xd9\xd9\xf7\xa4\x4aapiVersion\x53shop.example.com/v1\x44kind\x46Widget\x48metadata\xa1\x44name\x41w\x44spec"
	for _, name := range sortedKeys(handmadeSpecs) {
		stored := []byte(start + handmadeSpecs[name])
		read, err := readCBOR(stored)
		if err != nil {
			m.add(record{"handmade-" + name, customKind.GroupVersionKind, "cbor", stored, nil, nil})
		} else if err := m.addCustom("handmade-"+name, "cbor", stored, read); err != nil {
			return fmt.Errorf("handmade %s: %w", name, err)
		}
	}
	return nil
}
