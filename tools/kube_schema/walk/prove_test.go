package walk

import (
	"reflect"
	"strings"
	"testing"

	"tidemark.test/kube_schema/table"
)

// Proven is encoded by hand, as its generated code would.
type Proven struct {
	Text string       `json:"text" protobuf:"bytes,1,opt,name=text"`
	Long *int64       `json:"long,omitempty" protobuf:"bytes,2,opt,name=long"` // the tag's word is wrong, and not looked at
	Real float64      `json:"real,omitempty" protobuf:"fixed64,300,opt,name=real"`
	Part ProvenInline `json:",inline" protobuf:"bytes,4,opt,name=part"`
	ProvenInline
}

type ProvenInline struct{}

func (Proven) Marshal() ([]byte, error) {
	return []byte{0x0a, 1, 'x', 0x10, 0x80, 1, 0xe1, 0x12, 0, 0, 0, 0, 0, 0, 0, 0, 0x22, 0}, nil
}

func (ProvenInline) Marshal() ([]byte, error) { return nil, nil }

func TestProofHolds(t *testing.T) {
	if err := proven(t).Prove(); err != nil {
		t.Error(err)
	}
}

func proven(t *testing.T) *Found {
	t.Helper()
	found, err := Objects([]Object{{"v1", "Proven", reflect.TypeFor[Proven]()}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestProofFinds(t *testing.T) {
	for why, spoil := range map[string]func(*table.MessageType){
		"it is encoded as map[1:bytes 2:varint 4:bytes 300:fixed64]": func(m *table.MessageType) { m.Fields[0].Type.Base = table.Int32 },
		"should be map[2:varint 4:bytes 300:fixed64]":                func(m *table.MessageType) { m.Fields = m.Fields[1:] },
		"filled true, it prints [Part long real text], which should be [Part long real words]": func(m *table.MessageType) {
			m.Fields[0].JSON = "words"
		},
		"filled false, it prints [Part text], which should be [Part]":      func(m *table.MessageType) { m.Fields[0].OmitEmpty = table.Always },
		"filled false, it prints [Part text], which should be [Part long ": func(m *table.MessageType) { m.Fields[1].OmitEmpty = table.When{} },
	} {
		found := proven(t)
		spoil(found.Table.Find("kube_schema/walk.Proven"))
		if err := found.Prove(); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("got %v, expected %q", err, why)
		}
	}
}

func TestWhatHasNoCodeIsNotProven(t *testing.T) {
	found, err := Objects([]Object{{"v1", "Meta", reflect.TypeFor[Meta]()}}, testSpecials)
	if err != nil {
		t.Fatal(err)
	}
	if err := found.Prove(); err == nil || !strings.Contains(err.Error(), "no code that encodes it") {
		t.Errorf("got %v", err)
	}
}

func TestTornMessagesHaveNoWireTypes(t *testing.T) {
	for _, encoded := range []string{"\x0a", "\x0a\x02x", "\x80", "\x09\x00\x00", "\x0d\x00", "\x08", "\x08\x80", "\x0b", "\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"} {
		if found, err := wireTypes([]byte(encoded)); err == nil {
			t.Errorf("%q: %v", encoded, found)
		}
	}
}
