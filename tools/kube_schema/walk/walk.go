// Package walk makes a table from Go types: it follows the struct tags `protobuf` and `json` of all that the roots hold.
package walk

import (
	"encoding"
	"encoding/json"
	"fmt"
	"path"
	"reflect"
	"slices"

	"tidemark.test/kube_schema/table"
)

// Object is a kind that is stored.
type Object struct {
	APIVersion, Kind string
	Type             reflect.Type
}

// Special is how the table spells a type that prints by code. Message is nil unless the base needs one.
type Special struct {
	Base    byte
	Message reflect.Type
}

// Found is a table and the Go types of its messages by their names.
type Found struct {
	Table *table.Table
	Types map[string]reflect.Type
}

// Objects is the table of these kinds and of all messages that they hold. What a table cannot say is an error, and so
// is a type that prints by code and is not among the specials.
func Objects(objects []Object, specials map[reflect.Type]Special) (*Found, error) {
	w := walker{specials: specials, types: map[string]reflect.Type{}, found: &table.Table{}}
	for _, object := range objects {
		name, err := w.message(object.Type)
		if err != nil {
			return nil, fmt.Errorf("%s %s: %w", object.APIVersion, object.Kind, err)
		}
		w.found.Roots = append(w.found.Roots, table.Root{APIVersion: object.APIVersion, Kind: object.Kind, Message: name})
	}
	for len(w.pending) > 0 {
		next := w.pending[0]
		w.pending = w.pending[1:]
		if err := w.fields(next); err != nil {
			return nil, err
		}
	}
	w.found.Sort()
	return &Found{Table: w.found, Types: w.types}, nil
}

type walker struct {
	specials map[reflect.Type]Special
	types    map[string]reflect.Type // by name of message
	pending  []reflect.Type
	found    *table.Table
}

// messageName is core/v1.Volume for k8s.io/api/core/v1.Volume.
func messageName(goType reflect.Type) string {
	folder, version := path.Split(goType.PkgPath())
	return path.Base(folder) + "/" + version + "." + goType.Name()
}

// message is the name of a struct's message, which will be in the table.
func (w *walker) message(goType reflect.Type) (string, error) {
	if goType.Kind() != reflect.Struct || goType.Name() == "" {
		return "", fmt.Errorf("%s is no named struct", goType)
	}
	if marshals(goType) {
		return "", fmt.Errorf("%s prints by code that we do not know", goType)
	}
	name := messageName(goType)
	if known, ok := w.types[name]; !ok {
		w.types[name] = goType
		w.pending = append(w.pending, goType)
	} else if known != goType {
		return "", fmt.Errorf("%s and %s would both be named %s", known.PkgPath(), goType.PkgPath(), name)
	}
	return name, nil
}

func marshals(goType reflect.Type) bool {
	for _, each := range []reflect.Type{goType, reflect.PointerTo(goType)} {
		if each.Implements(reflect.TypeFor[json.Marshaler]()) || each.Implements(reflect.TypeFor[encoding.TextMarshaler]()) {
			return true
		}
	}
	return false
}

func (w *walker) fields(goType reflect.Type) error {
	message := table.MessageType{Name: messageName(goType)}
	for i := range goType.NumField() {
		goField := goType.Field(i)
		if _, stored := goField.Tag.Lookup("protobuf"); !stored {
			continue // TypeMeta: apiVersion and kind stand in the envelope
		}
		field, err := w.field(goField)
		if err != nil {
			return fmt.Errorf("%s.%s: %w", goType, goField.Name, err)
		}
		if known := message.Field(field.Number); known != nil {
			return fmt.Errorf("%s: two fields %d", goType, field.Number)
		}
		message.Fields = append(message.Fields, field)
	}
	w.found.Messages = append(w.found.Messages, message)
	return nil
}

func (w *walker) field(goField reflect.StructField) (table.Field, error) {
	var field table.Field
	if !goField.IsExported() && !goField.Anonymous {
		return field, fmt.Errorf("not exported, but stored")
	}
	var err error
	if field.Number, err = protobufTag(goField.Tag.Get("protobuf")); err != nil {
		return field, err
	}
	if err := jsonTag(goField, &field); err != nil {
		return field, err
	}
	if field.Type, err = w.typeOf(goField.Type); err != nil {
		return field, err
	}
	if field.Inline && field.Type.Base != table.Message {
		return field, fmt.Errorf("a %s cannot be inline", field.Type)
	}
	return field, nil
}

// typeOf spells a field's type. Which combinations of prefixes there are is the table's own check.
func (w *walker) typeOf(goType reflect.Type) (table.Type, error) {
	if special, ok := w.specials[goType]; ok {
		return w.special(special)
	}
	switch kind := goType.Kind(); {
	case kind == reflect.Pointer:
		return w.prefixed("*", goType.Elem())
	case marshals(goType):
		return table.Type{}, fmt.Errorf("%s prints by code that we do not know", goType)
	case kind == reflect.Slice && isMessage(goType):
		return w.prefixed("<", goType.Elem())
	case isMessage(goType) && kind != reflect.Struct:
		return table.Type{}, fmt.Errorf("%s is a message, but neither struct nor list", goType)
	case kind == reflect.Slice && goType.Elem().Kind() == reflect.Uint8:
		return table.Type{Base: table.Bytes}, nil
	case kind == reflect.Slice:
		return w.prefixed("[", goType.Elem())
	case kind == reflect.Map:
		if goType.Key().Kind() != reflect.String || marshals(goType.Key()) {
			return table.Type{}, fmt.Errorf("%s: its keys are no strings", goType)
		}
		return w.prefixed("{", goType.Elem())
	case kind == reflect.Struct:
		name, err := w.message(goType)
		return table.Type{Base: table.Message, Message: name}, err
	case scalars[kind] != 0:
		return table.Type{Base: scalars[kind]}, nil
	default:
		return table.Type{}, fmt.Errorf("%s has no form in protobuf", goType)
	}
}

var scalars = map[reflect.Kind]byte{
	reflect.String: table.String, reflect.Bool: table.Bool,
	reflect.Int32: table.Int32, reflect.Int64: table.Int64, reflect.Uint32: table.Uint32, reflect.Uint64: table.Uint64,
	reflect.Float64: table.Double, reflect.Float32: table.Float,
}

func (w *walker) prefixed(prefix string, elem reflect.Type) (table.Type, error) {
	inner, err := w.typeOf(elem)
	inner.Prefix = prefix + inner.Prefix
	return inner, err
}

func (w *walker) special(special Special) (table.Type, error) {
	if special.Message == nil {
		return table.Type{Base: special.Base}, nil
	}
	name, err := w.message(special.Message)
	return table.Type{Base: special.Base, Message: name}, err
}

// isMessage tells whether a type is a message of its own on the wire. Lists and maps are not, but for those with the
// comment +protobuf.nullable=true: their generated code says it.
func isMessage(goType reflect.Type) bool {
	encoder := reflect.TypeFor[interface{ Marshal() ([]byte, error) }]()
	return goType.Name() != "" && slices.ContainsFunc([]reflect.Type{goType, reflect.PointerTo(goType)},
		func(each reflect.Type) bool { return each.Implements(encoder) })
}
