package main

import (
	"encoding/binary"
	"errors"
	"reflect"
	"strconv"
	"strings"
	"sync"
)

// Wire types of protobuf that Kubernetes' messages use.
const (
	wireVarint  = 0
	wireFixed64 = 1
	wireBytes   = 2
	wireFixed32 = 5
)

// wireField is one field of a message as it stands on the wire. For wireBytes body is without its length.
type wireField struct {
	number   int
	wireType int
	body     []byte
}

var errWire = errors.New("not a protobuf message")

func parseMessage(message []byte) ([]wireField, error) {
	var fields []wireField
	for len(message) > 0 {
		tag, n := binary.Uvarint(message)
		if n <= 0 {
			return nil, errWire
		}
		message = message[n:]
		field := wireField{number: int(tag >> 3), wireType: int(tag & 7)}
		size := 0
		switch field.wireType {
		case wireVarint:
			_, size = binary.Uvarint(message)
		case wireFixed64:
			size = 8
		case wireFixed32:
			size = 4
		case wireBytes:
			length, n := binary.Uvarint(message)
			message, size = message[max(n, 0):], int(length)
		}
		if size < 0 || size > len(message) || (size == 0 && field.wireType != wireBytes) {
			return nil, errWire
		}
		field.body, message = message[:size], message[size:]
		fields = append(fields, field)
	}
	return fields, nil
}

func appendField(out []byte, field wireField) []byte {
	out = binary.AppendUvarint(out, uint64(field.number)<<3|uint64(field.wireType))
	if field.wireType == wireBytes {
		out = binary.AppendUvarint(out, uint64(len(field.body)))
	}
	return append(out, field.body...)
}

// edit changes the bytes of messages as other writers would have written them, beyond what today's types can encode.
type edit struct {
	// field says whether a field stays; nil: all do.
	field func() bool
	// leaf gives other bytes for a type with an encoding of its own; nil: as they were.
	leaf map[reflect.Type]func(body []byte) []byte
	// tail is put behind the last field of each message; nil: nothing.
	tail func() []wireField
	// pack writes lists of numbers in one field.
	pack bool
	// changed counts what was done, so that a case in which nothing changed is left out.
	changed int
}

// message edits the bytes of a message of a Go type, and those of every message in it.
func (e *edit) message(t reflect.Type, raw []byte) ([]byte, error) {
	fields, err := parseMessage(raw)
	if err != nil {
		return nil, err
	}
	types := wireTypes(t)
	var out []byte
	for i := 0; i < len(fields); i++ {
		field := fields[i]
		if e.field != nil && !e.field() {
			e.changed++
			continue
		}
		fieldType := types[field.number]
		if e.pack && field.wireType == wireVarint && fieldType != nil && fieldType.Kind() == reflect.Slice {
			for ; i+1 < len(fields) && fields[i+1].number == field.number; i++ {
				field.body = append(field.body[:len(field.body):len(field.body)], fields[i+1].body...)
			}
			field.wireType = wireBytes
			e.changed++
		} else if field.wireType == wireBytes && fieldType != nil {
			if field.body, err = e.inside(fieldType, field.body); err != nil {
				return nil, err
			}
		}
		out = appendField(out, field)
	}
	if e.tail != nil {
		for _, field := range e.tail() {
			out = appendField(out, field)
			e.changed++
		}
	}
	return out, nil
}

// inside edits the body of a length-delimited field of a Go type.
func (e *edit) inside(t reflect.Type, body []byte) ([]byte, error) {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if change, ok := e.leaf[t]; ok {
		e.changed++
		return change(body), nil
	}
	switch {
	case t.Kind() == reflect.Map:
		return e.mapEntry(t.Elem(), body)
	case t.Kind() == reflect.Struct && len(wireTypes(t)) > 0:
		return e.message(t, body)
	}
	return body, nil
}

func (e *edit) mapEntry(valueType reflect.Type, body []byte) ([]byte, error) {
	fields, err := parseMessage(body)
	if err != nil {
		return nil, err
	}
	var out []byte
	for _, field := range fields {
		if e.field != nil && !e.field() {
			e.changed++
			continue
		}
		if field.number == 2 && field.wireType == wireBytes && valueType.Kind() != reflect.Slice {
			if field.body, err = e.inside(valueType, field.body); err != nil {
				return nil, err
			}
		}
		out = appendField(out, field)
	}
	return out, nil
}

var wireTypesCache sync.Map

// wireTypes maps the field numbers of a struct to Go types, read from its tags.
func wireTypes(t reflect.Type) map[int]reflect.Type {
	if known, ok := wireTypesCache.Load(t); ok {
		return known.(map[int]reflect.Type)
	}
	types := map[int]reflect.Type{}
	for i := range t.NumField() {
		parts := strings.Split(t.Field(i).Tag.Get("protobuf"), ",")
		if len(parts) < 2 {
			continue
		}
		if number, err := strconv.Atoi(parts[1]); err == nil {
			types[number] = t.Field(i).Type
		}
	}
	wireTypesCache.Store(t, types)
	return types
}
