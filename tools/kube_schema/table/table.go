// Package table is the table of Kubernetes API types as values and as text.
//
// The text, line by line (fields separated by one blank):
//
//	tidemark-kube-schema 1
//	# made by tools/kube_schema from k8s.io/api, apiextensions-apiserver and kube-aggregator 0.20 to 0.36
//	M <id> <name>                        a message; ids from 0 in order
//	F <number> <json name> <type> <flags> a field of the M above, by ascending number
//	R <apiVersion> <Kind> <message id>   a kind that is stored, sorted
//
// README.md one folder up says what types and flags mean.
package table

import (
	"fmt"
	"strings"
)

// Bases of types. Those that end in "of a message" have the message's id behind them.
const (
	String       = 's'
	Bool         = 'b'
	Int32        = 'i'
	Int64        = 'l'
	Uint32       = 'w'
	Uint64       = 'v'
	Double       = 'd'
	Float        = 'f'
	Bytes        = 'y'
	Time         = 't'
	MicroTime    = 'T'
	Duration     = 'D'
	Quantity     = 'q'
	IntOrString  = 'x'
	FieldsV1     = 'F'
	RawExtension = 'r'
	Unknown      = 'U'
	JSON         = 'j'

	Message         = 'm' // of a message
	SchemaOrBool    = 'B' // of a message: JSONSchemaProps
	SchemaOrArray   = 'A' // likewise
	SchemaOrStrings = 'S' // likewise
)

const (
	bases            = "sbilwvdfytTDqxFrUj"
	basesWithMessage = "mBAS"
)

// Type is what a field holds. Prefix is "*" (pointer), "[" (list), "{" (map from string), "<" (a message whose field 1
// is a list, printed as that list), or a few of them, outermost first.
type Type struct {
	Prefix  string
	Base    byte
	Message string // the message's name, "" unless the base has one
}

// Wire is how the field is tagged on the wire: "varint", "fixed64", "fixed32" or "bytes".
func (t Type) Wire() string {
	if strings.ContainsAny(t.Prefix, "{<") {
		return "bytes"
	}
	switch t.Base {
	case Bool, Int32, Int64, Uint32, Uint64:
		return "varint"
	case Double:
		return "fixed64"
	case Float:
		return "fixed32"
	default:
		return "bytes"
	}
}

func (t Type) String() string {
	if t.Message == "" {
		return t.Prefix + string(t.Base)
	}
	return fmt.Sprintf("%s%c(%s)", t.Prefix, t.Base, t.Message)
}

// When is the minors in which a flag holds.
type When struct {
	Holds    bool
	From, To int // 0: no bound
}

// Always is a flag without bounds.
var Always = When{Holds: true}

// In tells whether the flag holds in a minor.
func (w When) In(minor int) bool {
	return w.Holds && (w.From == 0 || minor >= w.From) && (w.To == 0 || minor <= w.To)
}

// Field is one line F.
type Field struct {
	Number    int
	JSON      string // "-" when Inline or Hidden
	Type      Type
	OmitEmpty When // O
	OmitZero  When // Z
	Exists    When // E, only of a field that is printed when it is not on the wire: the minors that have it; not set: all
	Inline    bool // I: a message on the wire, but its fields stand among ours in JSON
	Hidden    bool // N: never in JSON
}

// MessageType is one line M with its fields.
type MessageType struct {
	Name   string // core/v1.Volume
	Fields []Field
}

// Root is one line R.
type Root struct {
	APIVersion, Kind string
	Message          string
}

// Table is the whole. Messages are in the order of their ids, which is that of their names.
type Table struct {
	First, Last int    // minors
	Note        string // what the header says besides
	Messages    []MessageType
	Roots       []Root
}

// Find is the message of that name, nil when there is none.
func (t *Table) Find(name string) *MessageType {
	for i := range t.Messages {
		if t.Messages[i].Name == name {
			return &t.Messages[i]
		}
	}
	return nil
}

// Field is the field of that number, nil when there is none.
func (m *MessageType) Field(number int) *Field {
	for i := range m.Fields {
		if m.Fields[i].Number == number {
			return &m.Fields[i]
		}
	}
	return nil
}
