package table

import (
	"fmt"
	"strconv"
	"strings"
)

// Parse reads what String has written, and refuses what String would not have written.
func Parse(text string) (*Table, error) {
	p := parser{table: &Table{}}
	number := 0
	for line := range strings.Lines(text) {
		number++
		line, whole := strings.CutSuffix(line, "\n")
		if !whole {
			return nil, fmt.Errorf("line %d: it does not end", number)
		}
		if err := p.line(number, line); err != nil {
			return nil, fmt.Errorf("line %d: %w: %s", number, err, line)
		}
	}
	if number < 2 {
		return nil, fmt.Errorf("no header")
	}
	if err := p.resolve(); err != nil {
		return nil, err
	}
	return p.table, p.table.Check()
}

// Types name messages by ids that may stand further down: `pending` has each with where its name goes.
type parser struct {
	table   *Table
	pending []pendingName
}

type pendingName struct {
	id   int
	name func(*Table) *string
}

func (p *parser) line(number int, line string) error {
	switch {
	case number == 1:
		if line != firstLine {
			return fmt.Errorf("not %q", firstLine)
		}
		return nil
	case number == 2:
		return p.minors(line)
	}
	words := strings.Split(line, " ")
	switch {
	case words[0] == "M" && len(words) == 3:
		return p.message(words)
	case words[0] == "F" && len(words) == 5:
		return p.field(words)
	case words[0] == "R" && len(words) == 4:
		return p.root(words)
	default:
		return fmt.Errorf("neither message nor field nor root")
	}
}

func (p *parser) minors(line string) error {
	said, ok := strings.CutPrefix(line, madeBy)
	if !ok {
		return fmt.Errorf("does not say what it was made from")
	}
	said, p.table.Note, _ = strings.Cut(said, "; ")
	first, last, isRange := strings.Cut(said, " to ")
	if !isRange {
		last = first
	}
	for at, word := range map[*int]string{&p.table.First: first, &p.table.Last: last} {
		minor, err := natural(strings.TrimPrefix(word, "0."))
		if err != nil {
			return err
		}
		*at = minor
	}
	return nil
}

func (p *parser) message(words []string) error {
	if words[1] != strconv.Itoa(len(p.table.Messages)) {
		return fmt.Errorf("the next id is %d", len(p.table.Messages))
	}
	if len(p.table.Roots) > 0 {
		return fmt.Errorf("a message after the roots")
	}
	p.table.Messages = append(p.table.Messages, MessageType{Name: words[2]})
	return nil
}

func (p *parser) field(words []string) error {
	if len(p.table.Messages) == 0 || len(p.table.Roots) > 0 {
		return fmt.Errorf("a field of no message")
	}
	number, err := natural(words[1])
	if err != nil {
		return err
	}
	field := Field{Number: number, JSON: words[2]}
	id, err := parseType(words[3], &field.Type)
	if err != nil {
		return err
	}
	if err := parseFlags(words[4], &field); err != nil {
		return err
	}
	of := len(p.table.Messages) - 1
	message := &p.table.Messages[of]
	if at := len(message.Fields); at > 0 && message.Fields[at-1].Number >= number {
		return fmt.Errorf("not in the order of numbers")
	}
	message.Fields = append(message.Fields, field)
	if id >= 0 {
		at := len(message.Fields) - 1
		p.pending = append(p.pending, pendingName{id, func(t *Table) *string { return &t.Messages[of].Fields[at].Type.Message }})
	}
	return nil
}

func (p *parser) root(words []string) error {
	id, err := natural(words[3])
	if err != nil {
		return err
	}
	at := len(p.table.Roots)
	p.table.Roots = append(p.table.Roots, Root{APIVersion: words[1], Kind: words[2]})
	p.pending = append(p.pending, pendingName{id, func(t *Table) *string { return &t.Roots[at].Message }})
	return nil
}

func (p *parser) resolve() error {
	for _, each := range p.pending {
		if each.id >= len(p.table.Messages) {
			return fmt.Errorf("there is no message %d", each.id)
		}
		*each.name(p.table) = p.table.Messages[each.id].Name
	}
	return nil
}

// parseType sets prefix and base, and returns the message's id, -1 when the base has none.
func parseType(word string, to *Type) (int, error) {
	rest := strings.TrimLeft(word, "*[{<")
	to.Prefix = word[:len(word)-len(rest)]
	switch {
	case rest == "":
		return 0, fmt.Errorf("a type without a base")
	case strings.IndexByte(bases, rest[0]) >= 0 && len(rest) == 1:
		to.Base = rest[0]
		return -1, nil
	case strings.IndexByte(basesWithMessage, rest[0]) >= 0:
		to.Base = rest[0]
		return natural(rest[1:])
	default:
		return 0, fmt.Errorf("no such type %q", word)
	}
}

func parseFlags(word string, to *Field) error {
	if word == "-" {
		return nil
	}
	for flag := range strings.SplitSeq(word, ",") {
		if flag == "" {
			return fmt.Errorf("an empty flag")
		}
		when, err := parseWhen(flag[1:])
		if err != nil {
			return err
		}
		switch {
		case flag[0] == 'O':
			to.OmitEmpty = when
		case flag[0] == 'Z':
			to.OmitZero = when
		case flag[0] == 'E':
			to.Exists = when
		case flag == "I":
			to.Inline = true
		case flag == "N":
			to.Hidden = true
		default:
			return fmt.Errorf("no such flag %q", flag)
		}
	}
	return nil
}

func parseWhen(bounds string) (When, error) {
	when := Always
	if bounds == "" {
		return when, nil
	}
	from, to, ok := strings.Cut(bounds, "-")
	if !ok || bounds == "-" {
		return when, fmt.Errorf("%q is no range of minors", bounds)
	}
	var err error
	if from != "" {
		if when.From, err = natural(from); err != nil {
			return when, err
		}
	}
	if to != "" {
		when.To, err = natural(to)
	}
	return when, err
}

// natural is a number without sign, leading zeros or rubbish around it.
func natural(word string) (int, error) {
	value, err := strconv.Atoi(word)
	if err != nil || value < 0 || strconv.Itoa(value) != word {
		return 0, fmt.Errorf("%q is no number", word)
	}
	return value, nil
}
