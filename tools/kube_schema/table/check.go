package table

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
)

// Check tells what is wrong with a table as a whole: names that nothing has or two have, an order that is not kept,
// a message that is inlined into itself, or two fields that would print under one name.
func (t *Table) Check() error {
	checker := checker{messages: map[string]*MessageType{}}
	for i := range t.Messages {
		message := &t.Messages[i]
		if checker.messages[message.Name] != nil {
			checker.complain("%s: twice", message.Name)
		}
		checker.messages[message.Name] = message
	}
	if t.First <= 0 || t.Last < t.First {
		checker.complain("minors %d to %d are no range", t.First, t.Last)
	}
	if !slices.IsSortedFunc(t.Messages, func(a, b MessageType) int { return cmp.Compare(a.Name, b.Name) }) {
		checker.complain("messages are not in the order of their names")
	}
	for i := range t.Messages {
		checker.message(&t.Messages[i])
	}
	checker.roots(t.Roots)
	return errors.Join(checker.wrong...)
}

type checker struct {
	messages map[string]*MessageType
	wrong    []error
}

func (c *checker) complain(format string, args ...any) {
	c.wrong = append(c.wrong, fmt.Errorf(format, args...))
}

func (c *checker) message(message *MessageType) {
	for _, field := range message.Fields {
		where := fmt.Sprintf("%s field %d", message.Name, field.Number)
		if field.Type.Message != "" && c.messages[field.Type.Message] == nil {
			c.complain("%s: there is no message %s", where, field.Type.Message)
		}
		if (field.JSON == "-") != (field.Inline || field.Hidden) {
			c.complain("%s: its JSON name %q does not go with its flags %s", where, field.JSON, field.flags())
		}
		if field.Inline && (field.Type.Base != Message || (field.Type.Prefix != "" && field.Type.Prefix != "*")) {
			c.complain("%s: a %s cannot be inline", where, field.Type)
		}
		if !prefixes[field.Type.Prefix] {
			c.complain("%s: there is no wire form for %s", where, field.Type)
		}
	}
	c.names(message, map[string]string{}, nil)
}

// A pointer can only stand outside; a list in a list or in a map needs a message around it, which is "<".
var prefixes = map[string]bool{"": true, "*": true, "[": true, "{": true, "<": true, "[<": true, "{<": true, "*<": true}

// names collects the JSON names that a message prints, those of its inline messages among them.
func (c *checker) names(message *MessageType, taken map[string]string, inside []string) {
	if slices.Contains(inside, message.Name) {
		c.complain("%s: inlined into itself", message.Name)
		return
	}
	for _, field := range message.Fields {
		switch {
		case field.Inline:
			if inlined := c.messages[field.Type.Message]; inlined != nil {
				c.names(inlined, taken, append(inside, message.Name))
			}
		case field.Hidden:
		case taken[field.JSON] != "":
			c.complain("%s: %q is printed by %s too", message.Name, field.JSON, taken[field.JSON])
		default:
			taken[field.JSON] = message.Name
		}
	}
}

func (c *checker) roots(roots []Root) {
	for i, root := range roots {
		if c.messages[root.Message] == nil {
			c.complain("%s %s: there is no message %s", root.APIVersion, root.Kind, root.Message)
		}
		if i > 0 && compareRoots(roots[i-1], root) >= 0 {
			c.complain("%s %s: roots are not sorted", root.APIVersion, root.Kind)
		}
	}
}

func compareRoots(a, b Root) int {
	return cmp.Or(cmp.Compare(a.APIVersion, b.APIVersion), cmp.Compare(a.Kind, b.Kind))
}

// Sort puts messages, fields and roots into the order that they are printed in.
func (t *Table) Sort() {
	slices.SortFunc(t.Messages, func(a, b MessageType) int { return cmp.Compare(a.Name, b.Name) })
	for _, message := range t.Messages {
		slices.SortFunc(message.Fields, func(a, b Field) int { return cmp.Compare(a.Number, b.Number) })
	}
	slices.SortFunc(t.Roots, compareRoots)
}
