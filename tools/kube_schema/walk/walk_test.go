package walk

import (
	"reflect"
	"strings"
	"testing"

	"tidemark.test/kube_schema/table"
)

type (
	Kind struct {
		TypeMeta
		Meta    `json:"metadata,omitempty" protobuf:"bytes,1,opt,name=metadata"`
		Source  `json:",inline,omitempty" protobuf:"bytes,2,opt,name=source"`
		*Common `protobuf:"bytes,3,req"`

		Text    string            `json:"text" protobuf:"bytes,4,opt,name=text"`
		Named   Name              `json:"named,omitempty" protobuf:"bytes,5,opt,name=named,casttype=Name"`
		Yes     *bool             `json:"yes,omitempty" protobuf:"varint,6,opt,name=yes"`
		Int     int32             `json:"int" protobuf:"varint,7,opt,name=int"`
		Longs   []int64           `json:"longs" protobuf:"varint,8,rep,name=longs"`
		Word    uint32            `json:"word" protobuf:"varint,9,opt,name=word"`
		Long    uint64            `json:"long" protobuf:"varint,10,opt,name=long"`
		Double  *float64          `json:"double,omitzero" protobuf:"fixed64,11,opt,name=double"`
		Float   float32           `json:"float" protobuf:"fixed32,12,opt,name=float"`
		Bytes   []byte            `json:"bytes,omitempty,omitzero" protobuf:"bytes,13,opt,name=bytes"`
		Map     map[Name]Time     `json:"map" protobuf:"bytes,14,opt,name=map"`
		Blobs   map[string][]byte `json:"blobs" protobuf:"bytes,15,rep,name=blobs"`
		Extra   map[string]Extra  `json:"extra" protobuf:"bytes,16,rep,name=extra"`
		Self    *Kind             `json:"self" protobuf:"bytes,17,opt,name=self"`
		Schema  *SchemaOr         `json:"schema" protobuf:"bytes,18,opt,name=schema"`
		Hidden  string            `json:"-" protobuf:"bytes,19,opt,name=hidden"`
		Unnamed string            `protobuf:"bytes,20,opt,name=unnamed"`
		NotHere chan int          `json:"notHere"`
	}
	TypeMeta struct{ Kind, APIVersion string }
	Meta     struct {
		Made Time `json:"made,omitempty,omitzero" protobuf:"bytes,8,opt,name=made"`
	}
	Source struct {
		Extra Extra `json:"sources" protobuf:"bytes,1,opt,name=sources"`
	}
	Common   struct{}
	Name     string
	Extra    []string
	Time     struct{}
	Schema   struct{}
	SchemaOr struct{}
)

func (Time) MarshalJSON() ([]byte, error)     { return nil, nil }
func (SchemaOr) MarshalJSON() ([]byte, error) { return nil, nil }
func (*Extra) Marshal() ([]byte, error)       { return nil, nil }

var testSpecials = map[reflect.Type]Special{
	reflect.TypeFor[Time]():     {Base: table.Time},
	reflect.TypeFor[SchemaOr](): {Base: table.SchemaOrBool, Message: reflect.TypeFor[Schema]()},
}

func TestEveryKindOfField(t *testing.T) {
	found, err := Objects([]Object{{"v1", "Kind", reflect.TypeFor[Kind]()}}, testSpecials)
	if err != nil {
		t.Fatal(err)
	}
	found.Table.First, found.Table.Last = 36, 36
	if err := found.Table.Check(); err != nil {
		t.Error(err)
	}
	_, rows, _ := strings.Cut(found.Table.String(), "0.36\n")
	if expected := `M 0 kube_schema/walk.Common
M 1 kube_schema/walk.Kind
F 1 metadata m2 O
F 2 - m4 I
F 3 - *m0 I
F 4 text s -
F 5 named s O
F 6 yes *b O
F 7 int i -
F 8 longs [l -
F 9 word w -
F 10 long v -
F 11 double *d Z
F 12 float f -
F 13 bytes y O,Z
F 14 map {t -
F 15 blobs {y -
F 16 extra {<s -
F 17 self *m1 -
F 18 schema *B3 -
F 19 - s N
F 20 Unnamed s -
M 2 kube_schema/walk.Meta
F 8 made t O,Z
M 3 kube_schema/walk.Schema
M 4 kube_schema/walk.Source
F 1 sources <s -
R v1 Kind 1
`; rows != expected {
		t.Errorf("got:\n%s", rows)
	}
}

type (
	MarshalsText struct{}
	TextKey      string
	MapMessage   map[string]string
)

func (*MarshalsText) MarshalText() ([]byte, error) { return nil, nil }
func (TextKey) MarshalText() ([]byte, error)       { return nil, nil }
func (MapMessage) Marshal() ([]byte, error)        { return nil, nil }

type Duplicate struct {
	A string `json:"a" protobuf:"bytes,1,opt,name=a"`
	B string `json:"b" protobuf:"bytes,1,opt,name=b"`
}
type NoNumber struct {
	A string `json:"a" protobuf:"bytes,x,opt,name=a"`
}
type Zeroth struct {
	A string `json:"a" protobuf:"bytes,0,opt,name=a"`
}
type ShortTag struct {
	A string `json:"a" protobuf:"bytes,1"`
}
type NotExported struct {
	a string `protobuf:"bytes,1,opt,name=a"`
}
type Quoted struct {
	A int64 `json:"a,string" protobuf:"varint,1,opt,name=a"`
}
type Dashed struct {
	A string `json:"-," protobuf:"bytes,1,opt,name=a"`
}
type Blank struct {
	A string `json:"a b" protobuf:"bytes,1,opt,name=a"`
}
type PlainInt struct {
	A int `json:"a" protobuf:"varint,1,opt,name=a"`
}
type Interface struct {
	A any `json:"a" protobuf:"bytes,1,opt,name=a"`
}
type IntKeys struct {
	A map[int32]string `json:"a" protobuf:"bytes,1,rep,name=a"`
}
type TextKeys struct {
	A map[TextKey]string `json:"a" protobuf:"bytes,1,rep,name=a"`
}
type UnknownCode struct {
	A MarshalsText `json:"a" protobuf:"bytes,1,opt,name=a"`
}
type UnknownMap struct {
	A MapMessage `json:"a" protobuf:"bytes,1,opt,name=a"`
}
type InlineSpecial struct {
	Time `json:",inline" protobuf:"bytes,1,opt,name=time"`
	A    string `json:"a" protobuf:"bytes,2,opt,name=a"`
}
type NoName struct {
	A struct{} `json:"a" protobuf:"bytes,1,opt,name=a"`
}

func TestWhatATableCannotSay(t *testing.T) {
	for goType, why := range map[reflect.Type]string{
		reflect.TypeFor[Duplicate]():     "two fields 1",
		reflect.TypeFor[NoNumber]():      "its protobuf tag is",
		reflect.TypeFor[Zeroth]():        "its protobuf tag is",
		reflect.TypeFor[ShortTag]():      "its protobuf tag is",
		reflect.TypeFor[NotExported]():   "not exported, but stored",
		reflect.TypeFor[Quoted]():        `the option "string"`,
		reflect.TypeFor[Dashed]():        "has no place in the table",
		reflect.TypeFor[Blank]():         "has no place in the table",
		reflect.TypeFor[PlainInt]():      "int has no form in protobuf",
		reflect.TypeFor[Interface]():     "has no form in protobuf",
		reflect.TypeFor[IntKeys]():       "its keys are no strings",
		reflect.TypeFor[TextKeys]():      "its keys are no strings",
		reflect.TypeFor[UnknownCode]():   "prints by code that we do not know",
		reflect.TypeFor[MarshalsText]():  "prints by code that we do not know",
		reflect.TypeFor[InlineSpecial](): "prints by code that we do not know",
		reflect.TypeFor[UnknownMap]():    "neither struct nor list",
		reflect.TypeFor[NoName]():        "is no named struct",
		reflect.TypeFor[Name]():          "is no named struct",
	} {
		_, err := Objects([]Object{{"v1", "Kind", goType}}, testSpecials)
		if err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%s: got %v, expected %q", goType, err, why)
		}
	}
}
