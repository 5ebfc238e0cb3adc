package table

import "fmt"

// Lacks is what the table of one minor says and this one does not say of that minor.
func (t *Table) Lacks(one *Table) []string {
	var missing []string
	lack := func(format string, args ...any) { missing = append(missing, fmt.Sprintf(format, args...)) }
	minor := one.Last
	if one.First != one.Last || minor < t.First || minor > t.Last {
		lack("minors %s", one.minors())
		return missing
	}
	for _, message := range one.Messages {
		ours := t.Find(message.Name)
		if ours == nil {
			lack("message %s", message.Name)
			continue
		}
		for _, field := range message.Fields {
			if have := ours.Field(field.Number); have == nil {
				lack("%s field %d %s", message.Name, field.Number, field.JSON)
			} else if got := have.at(minor); got != field {
				lack("%s field %d: %s %s %s rather than %s %s %s", message.Name, field.Number,
					field.JSON, field.Type, field.flags(), got.JSON, got.Type, got.flags())
			}
		}
	}
	roots := map[Root]bool{}
	for _, root := range t.Roots {
		roots[root] = true
	}
	for _, root := range one.Roots {
		if !roots[root] {
			lack("kind %s %s as %s", root.APIVersion, root.Kind, root.Message)
		}
	}
	return missing
}

// at is the field as a table of that one minor has it.
func (f Field) at(minor int) Field {
	f.OmitEmpty = When{Holds: f.OmitEmpty.In(minor)}
	f.OmitZero = When{Holds: f.OmitZero.In(minor)}
	if f.Exists.In(minor) {
		f.Exists = When{} // a mark that stays is one that denies the field to this minor
	}
	return f
}
