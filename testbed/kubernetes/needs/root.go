// Package needs is what a test says when the machine lacks something: on a desk it is left out, in CI it fails.
package needs

import (
	"os"
	"testing"
)

// Root needs the tests to run as root.
func Root(t testing.TB, what string) {
	t.Helper()
	if os.Geteuid() == 0 {
		return
	}
	if os.Getenv("CI") != "" {
		t.Fatal(what + " needs root")
	}
	t.Skip(what + " needs root")
}
