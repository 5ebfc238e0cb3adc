package table

import (
	"strings"
	"testing"
)

const header = firstLine + "\n" + madeBy + "0.30 to 0.36\n"

func TestTextComesBackAsItWas(t *testing.T) {
	for _, text := range []string{
		header,
		header + "M 0 core/v1.Pod\nF 1 metadata m1 -\nF 2 spec *m0 O,Z34-\nM 1 meta/v1.ObjectMeta\nR v1 Pod 0\n",
		header + "M 0 a.A\nF 1 x {<s O-33\nF 3 - m1 I\nF 4 - y N\nF 5 s *B1 O31-33\nM 1 a.B\n",
		firstLine + "\n" + madeBy + "0.36\nM 0 a.A\n",
		firstLine + "\n" + madeBy + "0.20 to 0.36; without 0.21\nM 0 a.A\n",
	} {
		parsed, err := Parse(text)
		if err != nil {
			t.Errorf("%v in:\n%s", err, text)
		} else if parsed.String() != text {
			t.Errorf("%q came back as %q", text, parsed)
		}
	}
}

func TestBadTextIsRefused(t *testing.T) {
	for text, why := range map[string]string{
		"":                                "no header",
		firstLine + "\n":                  "no header",
		"tidemark-kube-schema 2\n":        "line 1",
		firstLine + "\n# by hand\n":       "does not say what it was made from",
		firstLine + "\n" + madeBy + "x\n": "no number",
		firstLine + "\n" + madeBy + "0.36 to 0.30\n": "no range",

		header + "M 0 a.A":                                              "does not end",
		header + "M 1 a.A\n":                                            "the next id is 0",
		header + "M 00 a.A\n":                                           "the next id is 0",
		header + "M 0 a.A\nM 1 a.A\n":                                   "twice",
		header + "M 0 a.B\nM 1 a.A\n":                                   "order of their names",
		header + "M 0 a.A extra\n":                                      "neither message nor field nor root",
		header + "\n":                                                   "neither message nor field nor root",
		header + "F 1 x s -\n":                                          "a field of no message",
		header + "M 0 a.A\nF 2 x s -\nF 1 y s -\n":                      "order of numbers",
		header + "M 0 a.A\nF 2 x s -\nF 2 y s -\n":                      "order of numbers",
		header + "M 0 a.A\nF -1 x s -\n":                                "no number",
		header + "M 0 a.A\nF 1 x * -\n":                                 "without a base",
		header + "M 0 a.A\nF 1 x s1 -\n":                                "no such type",
		header + "M 0 a.A\nF 1 x z -\n":                                 "no such type",
		header + "M 0 a.A\nF 1 x m -\n":                                 "no number",
		header + "M 0 a.A\nF 1 x m1 -\n":                                "no message 1",
		header + "M 0 a.A\nF 1 x {[s -\n":                               "no wire form",
		header + "M 0 a.A\nF 1 x **s -\n":                               "no wire form",
		header + "M 0 a.A\nF 1 x s P\n":                                 "no such flag",
		header + "M 0 a.A\nF 1 x s O,\n":                                "an empty flag",
		header + "M 0 a.A\nF 1 x s O-\n":                                "no range of minors",
		header + "M 0 a.A\nF 1 x s O33\n":                               "no range of minors",
		header + "M 0 a.A\nF 1 - s I31-\n":                              "no such flag",
		header + "M 0 a.A\nF 1 x s N\n":                                 "does not go with its flags",
		header + "M 0 a.A\nF 1 - s -\n":                                 "does not go with its flags",
		header + "M 0 a.A\nF 1 - s I\n":                                 "cannot be inline",
		header + "M 0 a.A\nF 1 - m0 I\n":                                "inlined into itself",
		header + "M 0 a.A\nF 1 x s -\nF 2 x s -\n":                      "is printed by a.A too",
		header + "M 0 a.A\nF 1 - m1 I\nF 2 x s -\nM 1 a.B\nF 1 x s -\n": "is printed by a.B too",
		header + "R v1 Pod 0\n":                                         "no message 0",
		header + "M 0 a.A\nR v1 Pod 0\nR v1 Node 0\n":                   "not sorted",
		header + "M 0 a.A\nR v1 Pod 0\nR v1 Pod 0\n":                    "not sorted",
		header + "M 0 a.A\nR v1 Pod 0\nM 1 a.B\n":                       "a message after the roots",
		header + "M 0 a.A\nR v1 Pod 0\nF 1 x s -\n":                     "a field of no message",
	} {
		if _, err := Parse(text); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%q: got %v, expected %q", strings.TrimPrefix(text, header), err, why)
		}
	}
}

func TestLiteralsAreShortAndComeBack(t *testing.T) {
	long := firstLine + "\n" + strings.Repeat(strings.Repeat("x", 999)+"\n", 130)
	literal := Literal(long)
	if !strings.HasPrefix(literal, opening+firstLine+"\n") || !strings.HasSuffix(literal, "\n"+closing+"\n") {
		t.Error("the first or the last line is not as agreed")
	}
	parts := strings.Split(literal, opening)[1:]
	if len(parts) != 3 {
		t.Errorf("%d literals", len(parts))
	}
	for _, part := range parts {
		if len(part) > literalBytes+len(closing)+1 {
			t.Errorf("a literal of %d bytes", len(part))
		}
	}
	if unliteral(literal) != long {
		t.Error("it came back as something else")
	}
	if unliteral(long) != long {
		t.Error("plain text came back as something else")
	}
}
