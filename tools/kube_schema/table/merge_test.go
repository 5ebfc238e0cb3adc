package table

import (
	"fmt"
	"strings"
	"testing"
)

// minor is a table of one minor whose root is `M 0 a.A`.
func minor(t *testing.T, minor int, rows string) *Table {
	t.Helper()
	text := fmt.Sprintf("%s\n%s0.%d\n%sR v1 A 0\n", firstLine, madeBy, minor, rows)
	parsed, err := Parse(text)
	if err != nil {
		t.Fatalf("%v in:\n%s", err, text)
	}
	return parsed
}

var unions = []struct {
	name  string
	rows  []string // of minors 31, 32 and so on
	union string
}{
	{"fields come and go", []string{"M 0 a.A\nF 1 x s O\n", "M 0 a.A\nF 2 y s -\n"}, "M 0 a.A\nF 1 x s O\nF 2 y s E32-\n"},
	{"omitempty since", []string{"M 0 a.A\nF 1 x s -\n", "M 0 a.A\nF 1 x s O\n", "M 0 a.A\nF 1 x s O\n"}, "M 0 a.A\nF 1 x s O32-\n"},
	{"omitempty until", []string{"M 0 a.A\nF 1 x s O\n", "M 0 a.A\nF 1 x s O\n", "M 0 a.A\nF 1 x s -\n"}, "M 0 a.A\nF 1 x s O-32\n"},
	{"omitzero since", []string{"M 0 a.A\nF 1 x t O\n", "M 0 a.A\nF 1 x t O,Z\n"}, "M 0 a.A\nF 1 x t O,Z32-\n"},
	{"away for a while", []string{"M 0 a.A\nF 1 x s O\n", "M 0 a.A\n", "M 0 a.A\nF 1 x s O\n"}, "M 0 a.A\nF 1 x s O\n"},
	{"messages get new ids",
		[]string{"M 0 a.A\nF 1 x m1 -\nM 1 a.C\n", "M 0 a.A\nF 1 x m2 -\nF 2 y m1 -\nM 1 a.B\nM 2 a.C\n"},
		"M 0 a.A\nF 1 x m2 -\nF 2 y m1 E32-\nM 1 a.B\nM 2 a.C\n"},
	{"a renamed message stands for both",
		[]string{"M 0 a.A\nF 1 x *m1 O\nM 1 a.B\nF 1 p s -\nF 2 q s O\n", "M 0 a.A\nF 1 x *m1 O\nM 1 a.C\nF 1 p s O\nF 3 r s -\n"},
		"M 0 a.A\nF 1 x *m1 O\nM 1 a.C\nF 1 p s O32-\nF 2 q s O\nF 3 r s E32-\n"},
	{"renamed inside what was renamed",
		[]string{"M 0 a.A\nF 1 x m1 -\nM 1 a.B\nF 1 p m2 -\nM 2 a.C\nF 1 q s -\n", "M 0 a.A\nF 1 x m1 -\nM 1 a.D\nF 1 p m2 -\nM 2 a.E\n"},
		"M 0 a.A\nF 1 x m1 -\nM 1 a.D\nF 1 p m2 -\nM 2 a.E\nF 1 q s E-31\n"},
	{"a struct for a while", []string{"M 0 a.A\n", "M 0 a.A\nF 1 x t O\n", "M 0 a.A\n"}, "M 0 a.A\nF 1 x t O,E32-32\n"},
	{"new messages have all their fields", []string{"M 0 a.A\n", "M 0 a.A\nF 1 x *m1 O\nM 1 a.B\nF 1 y s -\n"},
		"M 0 a.A\nF 1 x *m1 O\nM 1 a.B\nF 1 y s -\n"},
}

func TestUnions(t *testing.T) {
	for _, row := range unions {
		var tables []*Table
		for i, rows := range row.rows {
			tables = append(tables, minor(t, 31+i, rows))
		}
		union, err := Merge(tables)
		if err != nil {
			t.Errorf("%s: %v", row.name, err)
			continue
		}
		expected := fmt.Sprintf("%s\n%s0.31 to 0.%d\n%sR v1 A 0\n", firstLine, madeBy, 30+len(row.rows), row.union)
		if union.String() != expected {
			t.Errorf("%s:\n%s", row.name, union)
		}
		if missing := union.Lacks(tables[0]); len(missing) > 0 { // Merge has sorted them
			t.Errorf("%s: the union lacks what the newest has: %v", row.name, missing)
		}
	}
}

func TestWhatNoUnionCanSay(t *testing.T) {
	for _, row := range []struct {
		why  string
		rows []string
	}{
		{"a.A field 1: y in 0.32 and x in 0.31", []string{"M 0 a.A\nF 1 x s -\n", "M 0 a.A\nF 1 y s -\n"}},
		{"a.A field 1 x: i in 0.32 and s in 0.31", []string{"M 0 a.A\nF 1 x s -\n", "M 0 a.A\nF 1 x i -\n"}},
		{"a.A field 1 x: [s in 0.32 and s in 0.31", []string{"M 0 a.A\nF 1 x s -\n", "M 0 a.A\nF 1 x [s -\n"}},
		{"omitempty holds in minors [32]", []string{"M 0 a.A\nF 1 x s -\n", "M 0 a.A\nF 1 x s O\n", "M 0 a.A\nF 1 x s -\n"}},
		{"a.C field 1: q in 0.32 and p in 0.31",
			[]string{"M 0 a.A\nF 1 x m1 -\nM 1 a.B\nF 1 p s -\n", "M 0 a.A\nF 1 x m1 -\nM 1 a.C\nF 1 q s -\n"}},
		{"a.C, once a.B, field 1: flags",
			[]string{"M 0 a.A\nF 1 x m1 -\nF 2 y m2 -\nM 1 a.B\nF 1 p s -\nM 2 a.C\nF 1 p s O\n",
				"M 0 a.A\nF 1 x m1 -\nF 2 y m1 -\nM 1 a.C\nF 1 p s O\n"}},
		{"a.A field 1 x: there in 0.31 and 0.33, and not in 0.32", []string{"M 0 a.A\nF 1 x s -\n", "M 0 a.A\n", "M 0 a.A\nF 1 x s -\n"}},
		{"is printed by a.A too", []string{"M 0 a.A\nF 1 x s -\n", "M 0 a.A\nF 2 x s -\n"}},
	} {
		var tables []*Table
		for i, rows := range row.rows {
			tables = append(tables, minor(t, 31+i, rows))
		}
		if _, err := Merge(tables); err == nil || !strings.Contains(err.Error(), row.why) {
			t.Errorf("got %v, expected %q", err, row.why)
		}
	}
}

func TestOnlyNeighbouringMinorsMerge(t *testing.T) {
	old, middle, last := minor(t, 31, "M 0 a.A\n"), minor(t, 32, "M 0 a.A\n"), minor(t, 33, "M 0 a.A\n")
	if _, err := Merge([]*Table{middle, old, last}); err != nil {
		t.Error(err)
	}
	if _, err := Merge([]*Table{old, last}); err == nil {
		t.Error("a minor may be missing")
	}
	if _, err := Merge([]*Table{old, old}); err == nil {
		t.Error("a minor may be there twice")
	}
	if _, err := Merge(nil); err == nil {
		t.Error("nothing makes a union")
	}
	if union, err := Merge([]*Table{old, middle}); err != nil {
		t.Error(err)
	} else if _, err := Merge([]*Table{union, last}); err == nil {
		t.Error("a union is merged once more")
	}
}

func TestWhatAUnionLacks(t *testing.T) {
	union, err := Merge([]*Table{minor(t, 31, "M 0 a.A\nF 1 x s O\n"), minor(t, 32, "M 0 a.A\nF 1 x s -\n")})
	if err != nil {
		t.Fatal(err)
	}
	for rows, missing := range map[string]string{
		"M 0 a.A\nF 1 x s -\n":            "",
		"M 0 a.A\n":                       "",
		"M 0 a.A\nF 1 x s O\n":            "a.A field 1: x s O rather than x s -",
		"M 0 a.A\nF 1 x s -\nF 2 y s -\n": "a.A field 2 y",
		"M 0 a.A\nF 1 y s -\n":            "a.A field 1: y s - rather than x s -",
		"M 0 a.A\nF 1 x *s -\n":           "a.A field 1: x *s - rather than x s -",
		"M 0 a.A\nF 1 x s -\nM 1 a.B\n":   "message a.B",
	} {
		if got := strings.Join(union.Lacks(minor(t, 32, rows)), "; "); got != missing {
			t.Errorf("%q: %q", rows, got)
		}
	}
	other := minor(t, 32, "M 0 a.A\nF 1 x s -\n")
	other.Roots[0].Kind = "B"
	if got := union.Lacks(other); len(got) != 1 || got[0] != "kind v1 B as a.A" {
		t.Error(got)
	}
	if got := union.Lacks(minor(t, 33, "M 0 a.A\n")); len(got) != 1 {
		t.Error("a minor that the union does not know")
	}
}
