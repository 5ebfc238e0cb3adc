package main

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

// A definition stored as v1beta1 is served as v1, and what v1beta1 keeps above the versions has moved into them.
func TestDefinitionsAreServedAsV1(t *testing.T) {
	hoisted, count := 0, 0
	for _, r := range all(t) {
		if !strings.HasPrefix(r.name, "served-as-v1") {
			continue
		}
		count++
		var stored, sent struct {
			APIVersion string
			Spec       map[string]json.RawMessage
		}
		if err := json.Unmarshal(r.storage, &stored); err != nil {
			t.Fatalf("%s: %v", r, err)
		}
		if err := json.Unmarshal(r.sent, &sent); err != nil {
			t.Fatalf("%s: %v", r, err)
		}
		if stored.APIVersion != "apiextensions.k8s.io/v1beta1" || sent.APIVersion != "apiextensions.k8s.io/v1" {
			t.Errorf("%s: stored as %s, served as %s", r, stored.APIVersion, sent.APIVersion)
		}
		for _, above := range []string{"validation", "subresources", "additionalPrinterColumns"} {
			if stored.Spec[above] != nil {
				hoisted++
			}
			if sent.Spec[above] != nil {
				t.Errorf("%s: %s is still above the versions", r, above)
			}
		}
	}
	if count == 0 || hoisted == 0 {
		t.Errorf("%d definitions, in which %d fields stand above the versions", count, hoisted)
	}
}

// Custom resources are stored as JSON by every release, and as CBOR by those that know it.
func TestCustomResourcesComeInBothForms(t *testing.T) {
	forms := map[string]int{}
	refused := 0
	for _, r := range all(t) {
		if r.stored != customKind.GroupVersionKind {
			continue
		}
		forms[r.form]++
		if r.refused() {
			refused++
			continue
		}
		if r.form == "cbor" != bytes.HasPrefix(r.storage, []byte("\xd9\xd9\xf7")) {
			t.Errorf("%s: stored bytes start with %x", r, r.storage[:3])
		}
	}
	t.Logf("%v, %d refused", forms, refused)
	if forms["json"] < 80 {
		t.Errorf("only %d custom resources as JSON", forms["json"])
	}
	if cborFields == nil {
		return
	}
	if forms["cbor"] < 80 || refused == 0 || refused > 20 {
		t.Errorf("%d custom resources as CBOR, %d of them refused", forms["cbor"], refused)
	}
}

// Editing without a change gives the same bytes: the walk over the wire loses nothing.
func TestEditThatChangesNothingKeepsTheBytes(t *testing.T) {
	scheme, _ := testScheme(t)
	types := map[string]reflect.Type{}
	for _, k := range storedKinds(scheme) {
		types[k.GroupVersionKind.String()] = k.goType
	}
	for _, r := range all(t) {
		if r.form != "protobuf" || r.refused() || r.foreign() {
			continue
		}
		envelope, err := openEnvelope(r.storage)
		if err != nil {
			t.Fatalf("%s: %v", r, err)
		}
		raw, err := new(edit).message(types[r.stored.String()], envelope.Raw)
		if err != nil || !bytes.Equal(raw, envelope.Raw) {
			t.Errorf("%s: the walk gives other bytes (%v)", r, err)
		}
	}
}
