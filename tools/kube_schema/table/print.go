package table

import (
	"fmt"
	"strings"
)

const (
	firstLine = "tidemark-kube-schema 1"
	madeBy    = "# made by tools/kube_schema from k8s.io/api, apiextensions-apiserver and kube-aggregator "
)

// String is the table as text.
func (t *Table) String() string {
	var out strings.Builder
	fmt.Fprintf(&out, "%s\n%s%s\n", firstLine, madeBy, t.minors())
	ids := map[string]int{}
	for id, message := range t.Messages {
		ids[message.Name] = id
	}
	for id, message := range t.Messages {
		fmt.Fprintf(&out, "M %d %s\n", id, message.Name)
		for _, field := range message.Fields {
			fmt.Fprintf(&out, "F %d %s %s %s\n", field.Number, field.JSON, field.Type.spell(ids), field.flags())
		}
	}
	for _, root := range t.Roots {
		fmt.Fprintf(&out, "R %s %s %d\n", root.APIVersion, root.Kind, ids[root.Message])
	}
	return out.String()
}

func (t *Table) minors() string {
	said := fmt.Sprintf("0.%d", t.First)
	if t.Last != t.First {
		said += fmt.Sprintf(" to 0.%d", t.Last)
	}
	if t.Note != "" {
		said += "; " + t.Note
	}
	return said
}

func (t Type) spell(ids map[string]int) string {
	if t.Message == "" {
		return t.Prefix + string(t.Base)
	}
	return fmt.Sprintf("%s%c%d", t.Prefix, t.Base, ids[t.Message])
}

func (f Field) flags() string {
	var said []string
	for _, flag := range []struct {
		letter string
		when   When
	}{
		{"O", f.OmitEmpty},
		{"Z", f.OmitZero},
		{"E", f.Exists},
		{"I", When{Holds: f.Inline}},
		{"N", When{Holds: f.Hidden}},
	} {
		if flag.when.Holds {
			said = append(said, flag.letter+flag.when.bounds())
		}
	}
	if len(said) == 0 {
		return "-"
	}
	return strings.Join(said, ",")
}

func (w When) bounds() string {
	switch {
	case w.From != 0 && w.To != 0:
		return fmt.Sprintf("%d-%d", w.From, w.To)
	case w.From != 0:
		return fmt.Sprintf("%d-", w.From)
	case w.To != 0:
		return fmt.Sprintf("-%d", w.To)
	default:
		return ""
	}
}
