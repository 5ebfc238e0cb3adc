package table

import (
	"os"
	"strings"
)

const (
	opening = `R"TABLE(`
	closing = `)TABLE"`
	// Compilers need not take longer literals than 65,536 bytes; adjacent ones are one to them.
	literalBytes = 60_000
)

// Literal is a text as a C++ raw string literal, or as several of them when it is long.
func Literal(text string) string {
	var out strings.Builder
	room := 0
	for line := range strings.Lines(text) {
		if room < len(line) {
			if out.Len() > 0 {
				out.WriteString(closing + "\n")
			}
			out.WriteString(opening)
			room = literalBytes
		}
		out.WriteString(line)
		room -= len(line)
	}
	out.WriteString(closing + "\n")
	return out.String()
}

// unliteral takes back what Literal did; any other text stays as it is.
func unliteral(text string) string {
	text, ok := strings.CutPrefix(text, opening)
	if !ok {
		return text
	}
	text = strings.TrimSuffix(text, closing+"\n")
	return strings.ReplaceAll(text, closing+"\n"+opening, "")
}

// Read is the table in a file, be it text or a C++ literal.
func Read(path string) (*Table, error) {
	bytes, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	found, err := Parse(unliteral(string(bytes)))
	if err != nil {
		return nil, &os.PathError{Op: "read", Path: path, Err: err}
	}
	return found, nil
}
