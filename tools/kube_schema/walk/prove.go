package walk

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"tidemark.test/kube_schema/table"
)

// Prove compares the table with what Kubernetes' own code does, message by message: the fields and wire types that its
// protobuf code writes, and the names that encoding/json prints of a message with nothing in it and of a filled one.
func (f *Found) Prove() error {
	var wrong []error
	for i := range f.Table.Messages {
		message := &f.Table.Messages[i]
		empty := reflect.New(f.Types[message.Name])
		filled := reflect.New(f.Types[message.Name])
		fill(filled.Elem())
		for _, err := range []error{f.proveWire(message, filled), f.proveNames(message, empty, false), f.proveNames(message, filled, true)} {
			if err != nil {
				wrong = append(wrong, fmt.Errorf("%s: %w", message.Name, err))
			}
		}
	}
	return errors.Join(wrong...)
}

// fill puts something into every stored field but what prints by code, which is always written.
func fill(value reflect.Value) {
	for i := range value.NumField() {
		if _, stored := value.Type().Field(i).Tag.Lookup("protobuf"); !stored {
			continue
		}
		switch field := value.Field(i); field.Kind() {
		case reflect.Pointer:
			field.Set(reflect.New(field.Type().Elem()))
		case reflect.Slice:
			field.Set(reflect.MakeSlice(field.Type(), 1, 1))
		case reflect.Map:
			field.Set(reflect.MakeMap(field.Type()))
			field.SetMapIndex(reflect.Zero(field.Type().Key()), reflect.Zero(field.Type().Elem()))
		case reflect.String:
			field.SetString("x")
		case reflect.Bool:
			field.SetBool(true)
		case reflect.Int32, reflect.Int64:
			field.SetInt(1)
		case reflect.Uint32, reflect.Uint64:
			field.SetUint(1)
		case reflect.Float32, reflect.Float64:
			field.SetFloat(1)
		case reflect.Struct:
			if !marshals(field.Type()) {
				fill(field)
			}
		}
	}
}

func (f *Found) proveWire(message *table.MessageType, filled reflect.Value) error {
	encoder, ok := filled.Interface().(interface{ Marshal() ([]byte, error) })
	if !ok {
		return errors.New("there is no code that encodes it")
	}
	encoded, err := encoder.Marshal()
	if err != nil {
		return err
	}
	written, err := wireTypes(encoded)
	if err != nil {
		return err
	}
	expected := map[int]string{}
	for _, field := range message.Fields {
		expected[field.Number] = field.Type.Wire()
	}
	if !maps.Equal(written, expected) {
		return fmt.Errorf("it is encoded as %v, which should be %v", written, expected)
	}
	return nil
}

// wireTypes are the fields of an encoded message.
func wireTypes(encoded []byte) (map[int]string, error) {
	found := map[int]string{}
	for len(encoded) > 0 {
		tag, n := binary.Uvarint(encoded)
		if n <= 0 {
			return nil, errors.New("a torn tag")
		}
		var name string
		length := 0
		switch tag & 7 {
		case 0:
			name = "varint"
			_, length = binary.Uvarint(encoded[n:])
		case 1:
			name, length = "fixed64", 8
		case 5:
			name, length = "fixed32", 4
		case 2:
			name = "bytes"
			size, m := binary.Uvarint(encoded[n:])
			length = m + int(size)
		}
		if length <= 0 || n+length > len(encoded) {
			return nil, fmt.Errorf("field %d is torn or of a strange type", tag>>3)
		}
		found[int(tag>>3)] = name
		encoded = encoded[n+length:]
	}
	return found, nil
}

func (f *Found) proveNames(message *table.MessageType, value reflect.Value, filled bool) error {
	text, err := json.Marshal(value.Interface())
	if err != nil {
		return err
	}
	var printed map[string]json.RawMessage
	if err := json.Unmarshal(text, &printed); err != nil {
		return err
	}
	got := slices.Sorted(maps.Keys(printed))
	expected := f.names(message, filled)
	slices.Sort(expected)
	if !slices.Equal(got, expected) {
		return fmt.Errorf("filled %v, it prints %v, which should be %v", filled, got, expected)
	}
	return nil
}

// names are what is printed of a message in which everything is there (but times are zero), or nothing is.
func (f *Found) names(message *table.MessageType, filled bool) []string {
	var printed []string
	for _, field := range message.Fields {
		isStruct := field.Type.Prefix == "" && !strings.ContainsRune("sbilwvdfy", rune(field.Type.Base))
		switch {
		case field.Hidden:
		case field.Inline && (filled || isStruct):
			printed = append(printed, f.names(f.Table.Find(field.Type.Message), filled)...)
		case field.Inline:
		case field.OmitZero.Holds && (isStruct || !filled):
		case filled || isStruct || !field.OmitEmpty.Holds:
			printed = append(printed, field.JSON)
		}
	}
	return printed
}
