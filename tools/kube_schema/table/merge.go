package table

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Merge is the union of tables of one minor each. A field that changed keeps what the newest minor says, and flags get
// the minors in which they hold. Anything that one line cannot say is an error: a number that got another JSON name or
// another type, a flag that came and went.
//
// Where a field became a pointer (`becamePointers`), the pointer stands for both: what an older server wrote is always on
// the wire, so it prints as that server printed it, but for an omitempty zero.
//
// Where a field's message was renamed (core/v1 Handler is LifecycleHandler since 0.23), the newest name stands for both,
// with the fields of both.
func Merge(tables []*Table) (*Table, error) {
	m := merger{seen: map[string]observations{}, adopted: map[adoption]bool{}, told: map[string]bool{}}
	if err := m.take(tables); err != nil {
		return nil, err
	}
	union := &Table{First: m.minors[len(m.minors)-1], Last: m.minors[0], Roots: m.roots(tables)}
	for m.followRenames() {
	}
	for name := range m.reachable(union.Roots) {
		union.Messages = append(union.Messages, m.message(name))
	}
	union.Sort()
	if len(m.wrong) > 0 {
		return nil, errors.Join(m.wrong...)
	}
	return union, union.Check()
}

// Three alpha and beta fields of dynamic resource allocation. Another one should be looked at before it is added here.
var becamePointers = map[string]bool{
	"resource/v1alpha3.DeviceRequest field 6":         true, // adminAccess, in 0.32
	"resource/v1alpha3.AllocatedDeviceStatus field 5": true, // data, in 0.33
	"resource/v1beta1.AllocatedDeviceStatus field 5":  true, // likewise
}

// observations are the fields of one message, by minor and number.
type observations map[int]map[int]Field

type adoption struct {
	by, of string
	minor  int
}

type merger struct {
	minors  []int // the newest first
	seen    map[string]observations
	adopted map[adoption]bool
	wrong   []error
	told    map[string]bool
}

func (m *merger) complain(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !m.told[text] {
		m.told[text] = true
		m.wrong = append(m.wrong, errors.New(text))
	}
}

// take sorts the tables, the newest first, and keeps what they say of each message.
func (m *merger) take(tables []*Table) error {
	slices.SortFunc(tables, func(a, b *Table) int { return cmp.Compare(b.Last, a.Last) })
	for i, table := range tables {
		if table.First != table.Last {
			return fmt.Errorf("a table of minors %s: only tables of one minor can be merged", table.minors())
		}
		if i > 0 && table.Last != tables[i-1].Last-1 {
			return fmt.Errorf("0.%d is followed by 0.%d", table.Last, tables[i-1].Last)
		}
		m.minors = append(m.minors, table.Last)
		for _, message := range table.Messages {
			fields := map[int]Field{}
			for _, field := range message.Fields {
				fields[field.Number] = field
			}
			if m.seen[message.Name] == nil {
				m.seen[message.Name] = observations{}
			}
			m.seen[message.Name][table.Last] = fields
		}
	}
	if len(m.minors) == 0 {
		return errors.New("no tables")
	}
	return nil
}

func (m *merger) roots(newestFirst []*Table) []Root {
	var all []Root
	known := map[[2]string]string{}
	for _, table := range newestFirst {
		for _, root := range table.Roots {
			key := [2]string{root.APIVersion, root.Kind}
			if newest, ok := known[key]; !ok {
				known[key] = root.Message
				all = append(all, root)
			} else if newest != root.Message {
				m.adopt(adoption{newest, root.Message, table.Last})
			}
		}
	}
	return all
}

// followRenames compares each field's type with that of the newest minor that has the field, and returns whether that
// has changed what is known of any message.
func (m *merger) followRenames() bool {
	before := len(m.adopted)
	for name, byMinor := range m.seen {
		newest := map[int]Field{}
		since := map[int]int{}
		for _, minor := range m.minors {
			for number, field := range byMinor[minor] {
				now, ok := newest[number]
				if !ok {
					newest[number], since[number] = field, minor
					continue
				}
				m.same(fmt.Sprintf("%s field %d", name, number), now, since[number], field, minor)
			}
		}
	}
	return len(m.adopted) > before
}

// same makes sure that two lines can be one, and joins the messages that they name.
func (m *merger) same(where string, now Field, nowMinor int, then Field, thenMinor int) {
	if now.JSON != then.JSON || now.Inline != then.Inline || now.Hidden != then.Hidden {
		m.complain("%s: %s in 0.%d and %s in 0.%d", where, now.JSON, nowMinor, then.JSON, thenMinor)
	}
	if now.Type == then.Type || (now.Type.Prefix == "*" && now.Type.Base == then.Type.Base && then.Type.Prefix == "" && becamePointers[where]) {
		return
	}
	if now.Type.Prefix != then.Type.Prefix || now.Type.Base != then.Type.Base {
		m.complain("%s %s: %s in 0.%d and %s in 0.%d", where, now.JSON, now.Type, nowMinor, then.Type, thenMinor)
		return
	}
	m.adopt(adoption{now.Type.Message, then.Type.Message, thenMinor})
}

// adopt makes what a minor says of one message part of what it says of another.
func (m *merger) adopt(which adoption) {
	if m.adopted[which] {
		return
	}
	m.adopted[which] = true
	if m.seen[which.by][which.minor] == nil {
		m.seen[which.by][which.minor] = map[int]Field{}
	}
	ours := m.seen[which.by][which.minor]
	for number, field := range m.seen[which.of][which.minor] {
		have, ok := ours[number]
		if !ok {
			ours[number] = field
			continue
		}
		where := fmt.Sprintf("%s, once %s, field %d", which.by, which.of, number)
		m.same(where, have, which.minor, field, which.minor)
		if have.OmitEmpty != field.OmitEmpty || have.OmitZero != field.OmitZero {
			m.complain("%s: flags %s and %s in 0.%d", where, have.flags(), field.flags(), which.minor)
		}
	}
}

// reachable are the names of the messages that the roots need.
func (m *merger) reachable(roots []Root) map[string]bool {
	found := map[string]bool{}
	var follow func(name string)
	follow = func(name string) {
		if found[name] {
			return
		}
		found[name] = true
		for _, field := range m.message(name).Fields {
			if field.Type.Message != "" {
				follow(field.Type.Message)
			}
		}
	}
	for _, root := range roots {
		follow(root.Message)
	}
	return found
}

func (m *merger) message(name string) MessageType {
	merged := MessageType{Name: name}
	for _, minor := range m.minors {
		for number, field := range m.seen[name][minor] {
			if merged.Field(number) == nil {
				merged.Fields = append(merged.Fields, field)
			}
		}
	}
	for i := range merged.Fields {
		field := &merged.Fields[i]
		where := fmt.Sprintf("%s field %d %s", name, field.Number, field.JSON)
		field.OmitEmpty = m.when(name, field.Number, where+": omitempty", func(f Field) bool { return f.OmitEmpty.Holds })
		if field.printedWhenAbsent() {
			field.Exists = m.existence(name, field.Number, where)
		}
		field.OmitZero = m.when(name, field.Number, where+": omitzero", func(f Field) bool { return f.OmitZero.Holds })
	}
	return merged
}

// printedWhenAbsent tells of a field that JSON may show though it is not on the wire: a struct, or without omitempty.
func (f Field) printedWhenAbsent() bool {
	isStruct := f.Type.Prefix == "" && !strings.ContainsRune("sbilwvdfy", rune(f.Type.Base))
	return !f.Inline && !f.Hidden && (isStruct || !f.OmitEmpty.Holds || f.OmitEmpty != Always)
}

// existence is the minors that have a field, of those that have its message.
func (m *merger) existence(message string, number int, where string) When {
	var with, without []int // ascending
	for _, minor := range slices.Backward(m.minors) {
		if fields, ok := m.seen[message][minor]; !ok {
			continue
		} else if _, ok := fields[number]; ok {
			with = append(with, minor)
		} else {
			without = append(without, minor)
		}
	}
	if len(without) == 0 {
		return When{}
	}
	when := Always
	first, last := with[0], with[len(with)-1]
	for _, minor := range without {
		switch {
		case minor < first:
			when.From = first
		case minor > last:
			when.To = last
		default:
			m.complain("%s: there in 0.%d and 0.%d, and not in 0.%d", where, first, last, minor)
		}
	}
	return when
}

// when is the minors in which a flag of a field holds, of those that have the field.
func (m *merger) when(message string, number int, where string, holds func(Field) bool) When {
	var with, without []int // ascending
	for _, minor := range slices.Backward(m.minors) {
		if field, ok := m.seen[message][minor][number]; !ok {
			continue
		} else if holds(field) {
			with = append(with, minor)
		} else {
			without = append(without, minor)
		}
	}
	switch {
	case len(with) == 0:
		return When{}
	case len(without) == 0:
		return Always
	case with[len(with)-1] < without[0]:
		return When{Holds: true, To: with[len(with)-1]}
	case without[len(without)-1] < with[0]:
		return When{Holds: true, From: with[0]}
	default:
		m.complain("%s holds in minors %v and not in %v", where, with, without)
		return When{}
	}
}
