package main

import (
	"encoding/binary"
	"math/rand"
	"reflect"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// olderWriter leaves fields out: a writer that did not know them yet, so that even what is always written is missing.
func olderWriter(random *rand.Rand) *edit {
	return &edit{field: func() bool { return random.Intn(8) > 0 }}
}

// newerWriter puts fields that no release knows behind each message, of all wire types.
func newerWriter() *edit {
	next := uint64(0)
	return &edit{tail: func() []wireField {
		next++
		fixed := binary.LittleEndian.AppendUint64(nil, next)
		fields := []wireField{
			{900, wireVarint, binary.AppendUvarint(nil, next)},
			{901, wireBytes, []byte("what a later release keeps here")},
			{902, wireFixed32, fixed[:4]},
			{536870911, wireFixed64, fixed},
		}
		return fields[next%4:]
	}}
}

// packedWriter writes lists of numbers in the packed form, which readers of protobuf take as well.
func packedWriter() *edit {
	return &edit{pack: true}
}

// foreignLeaves writes times with nanoseconds and quantities as people write them, and parts of both left out.
func foreignLeaves() *edit {
	at := 0
	turn := func(choices [][]byte) func([]byte) []byte {
		return func([]byte) []byte {
			at++
			return choices[at%len(choices)]
		}
	}
	times := [][]byte{
		nil,
		timestamp(1_700_000_000, 123_456_789),
		timestamp(1_700_000_000, 999),
		timestamp(-62_135_596_800, 0), // year 1: the zero time, though written
		timestamp(-1, 500_000_000),
		appendField(nil, wireField{1, wireVarint, binary.AppendUvarint(nil, 1_700_000_000)}),
		appendField(nil, wireField{2, wireVarint, binary.AppendUvarint(nil, 5_000)}),
		appendField(timestamp(1, 0), wireField{900, wireBytes, []byte("unknown")}),
	}
	quantities := [][]byte{nil}
	for _, text := range edgeQuantities {
		quantities = append(quantities, appendField(nil, wireField{1, wireBytes, []byte(text)}))
	}
	return &edit{leaf: map[reflect.Type]func([]byte) []byte{
		reflect.TypeOf(metav1.Time{}):       turn(times),
		reflect.TypeOf(metav1.MicroTime{}):  turn(times),
		reflect.TypeOf(resource.Quantity{}): turn(quantities),
	}}
}

func timestamp(seconds int64, nanoseconds int32) []byte {
	out := appendField(nil, wireField{1, wireVarint, binary.AppendUvarint(nil, uint64(seconds))})
	return appendField(out, wireField{2, wireVarint, binary.AppendUvarint(nil, uint64(nanoseconds))})
}
