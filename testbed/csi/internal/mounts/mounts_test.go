package mounts

import "testing"

func TestUnescape(t *testing.T) {
	for text, want := range map[string]string{
		"/plain": "/plain", `/a\040b`: "/a b", `/a\040\011b`: "/a \tb", `/back\134slash`: `/back\slash`,
		`/a\134040b`: `/a\040b`, `/end\`: `/end\`, `/end\04`: `/end\04`, `/no\9zz`: `/no\9zz`,
	} {
		if got := unescape(text); got != want {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
}
