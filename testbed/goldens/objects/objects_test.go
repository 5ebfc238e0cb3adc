package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	apiequality "k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/runtime"

	"tidemark.test/goldens/container"
)

// all makes the records once for all tests.
var all = func() func(t *testing.T) []record {
	var records []record
	return func(t *testing.T) []record {
		t.Helper()
		if records == nil {
			if err := generate(7, 4, func(r record) { records = append(records, r) }); err != nil {
				t.Fatal(err)
			}
		}
		return records
	}
}()

func (r record) String() string {
	return fmt.Sprintf("%s %s as %s", r.stored, r.name, r.form)
}

func testScheme(t *testing.T) (*runtime.Scheme, codec) {
	t.Helper()
	scheme, err := newScheme()
	if err != nil {
		t.Fatal(err)
	}
	return scheme, newCodec(scheme)
}

// typed says whether a record is of a Go type and served in the version that it is stored in.
func (r record) typed(scheme *runtime.Scheme) bool {
	return scheme.Recognizes(r.stored) && !strings.HasPrefix(r.name, "served-as-") && !r.refused()
}

// foreign says whether the bytes are not as the serializers of this release write them.
func (r record) foreign() bool {
	for _, part := range []string{"-writer", "foreign-", "absent", "envelope-", "cut-off-", "bit-turned-"} {
		if strings.Contains(r.name, part) {
			return true
		}
	}
	return false
}

// refused says whether the serializers do not read the stored bytes.
func (r record) refused() bool { return len(r.sent) == 0 }

func TestStoredBytesComeBackFromTheirObject(t *testing.T) {
	scheme, c := testScheme(t)
	checked := 0
	for _, r := range all(t) {
		if !r.typed(scheme) {
			continue
		}
		object, _, err := c.serve(r.storage)
		if err != nil {
			t.Fatalf("%s: %v", r, err)
		}
		serializer := c.proto
		if r.form == "json" {
			serializer = c.json
		}
		again, err := encode(serializer, object)
		if err != nil {
			t.Fatalf("%s: %v", r, err)
		}
		second, _, err := c.serve(again)
		if err != nil {
			t.Fatalf("%s: %v", r, err)
		}
		if !apiequality.Semantic.DeepEqual(object, second) {
			t.Errorf("%s: decoded, encoded and decoded it is another object", r)
		}
		// JSON is not one form for one object: what is written as null is left out the next time.
		if r.form == "protobuf" && !r.foreign() && !bytes.Equal(again, r.storage) {
			t.Errorf("%s: encoded again it has other bytes: %s", r, difference(r.storage, again))
		}
		checked++
	}
	t.Logf("%d records", checked)
}

func TestSentJSONIsTheSameObject(t *testing.T) {
	scheme, c := testScheme(t)
	for _, r := range all(t) {
		if !r.typed(scheme) {
			continue
		}
		object, sent, err := c.serve(r.storage)
		if err != nil {
			t.Fatalf("%s: %v", r, err)
		}
		if !bytes.Equal(sent, r.sent) {
			t.Fatalf("%s: served twice it is other JSON", r)
		}
		again, _, err := c.serve(r.sent)
		if err != nil {
			t.Fatalf("%s: %v", r, err)
		}
		loseWhatJSONLoses(reflect.ValueOf(object).Elem())
		loseWhatJSONLoses(reflect.ValueOf(again).Elem())
		if !apiequality.Semantic.DeepEqual(object, again) {
			t.Errorf("%s: its JSON is another object", r)
		}
	}
}

func TestPrintedIsWhatWasSent(t *testing.T) {
	for _, r := range all(t) {
		if r.refused() {
			continue
		}
		var sent, shown any
		if err := json.Unmarshal(r.sent, &sent); err != nil {
			t.Fatalf("%s: %v", r, err)
		}
		if err := json.Unmarshal(r.printed, &shown); err != nil {
			t.Fatalf("%s: %v", r, err)
		}
		if !reflect.DeepEqual(sent, shown) {
			t.Errorf("%s: kubectl prints other values than were sent", r)
		}
	}
}

// Every field that can be stored was set in some decoded object, or else its rules went untested.
func TestEveryFieldIsVisited(t *testing.T) {
	scheme, c := testScheme(t)
	seen := map[string]bool{}
	for _, r := range all(t) {
		if !r.typed(scheme) || r.form != "protobuf" {
			continue
		}
		object, _, err := c.serve(r.storage)
		if err != nil {
			t.Fatalf("%s: %v", r, err)
		}
		visit(reflect.ValueOf(object).Elem(), seen)
	}
	fields := 0
	known := map[reflect.Type]bool{}
	for _, k := range storedKinds(scheme) {
		fields += storable(k.goType, known, func(name string) {
			if !seen[name] {
				t.Errorf("%s was never set", name)
			}
		})
	}
	t.Logf("%d types, %d fields", len(known), fields)
}

func TestEveryTypeHasItsCases(t *testing.T) {
	scheme, _ := testScheme(t)
	counts := map[string]int{}
	for _, r := range all(t) {
		counts[r.stored.String()]++
	}
	const atLeast = 4*2 + edgeCases + 2 + 4 + 1 + 2
	for _, k := range storedKinds(scheme) {
		if counts[k.GroupVersionKind.String()] < atLeast {
			t.Errorf("%s has %d cases, not %d", k.GroupVersionKind, counts[k.GroupVersionKind.String()], atLeast)
		}
	}
	if len(counts) < 80 {
		t.Errorf("only %d types are registered", len(counts))
	}
	t.Logf("%d types, %d records, %d bytes of storage", len(counts), len(all(t)), func() (n int) {
		for _, r := range all(t) {
			n += len(r.storage)
		}
		return
	}())
}

func TestSeedDecidesTheFile(t *testing.T) {
	sums := map[uint64][]string{}
	for _, seed := range []uint64{1, 1, 2} {
		path := filepath.Join(t.TempDir(), "goldens")
		count, err := write(path, seed, 1)
		if err != nil {
			t.Fatal(err)
		}
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		sums[seed] = append(sums[seed], fmt.Sprintf("%x", sha256.Sum256(content)))
		header, records, err := container.Read(path)
		if err != nil {
			t.Fatal(err)
		}
		if len(records) != count || header.Seed != seed || header.Kubernetes != kubernetesVersion() {
			t.Errorf("the header is %+v, the file has %d records of %d", header, len(records), count)
		}
	}
	if sums[1][0] != sums[1][1] {
		t.Error("the same seed made two different files")
	}
	if sums[1][0] == sums[2][0] {
		t.Error("two seeds made the same file")
	}
}

// difference shows the surroundings of the last byte in which two messages differ: lengths in front of it do as well.
func difference(a, b []byte) string {
	same := 0
	for same < len(a) && same < len(b) && a[len(a)-1-same] == b[len(b)-1-same] {
		same++
	}
	around := func(p []byte) []byte { return p[max(0, len(p)-same-40):min(len(p), len(p)-same+20)] }
	return fmt.Sprintf("%q, then %q", around(a), around(b))
}
