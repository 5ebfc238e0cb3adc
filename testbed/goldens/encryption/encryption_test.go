package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tidemark.test/goldens/container"
)

func made(t *testing.T) []record {
	t.Helper()
	folder := t.TempDir()
	out := filepath.Join(folder, "values")
	kms, stop, err := servePlugin(folder, 3)
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	count, err := write(out, 3, 5, folder, kms, folder)
	if err != nil {
		t.Fatal(err)
	}
	header, rows, err := container.Read(out)
	if err != nil || len(rows) != count || strings.Join(header.Columns, " ") != strings.Join(columns, " ") {
		t.Fatalf("%+v, %d rows of %d: %v", header, len(rows), count, err)
	}
	if config, err := os.ReadFile(out + ".yaml"); err != nil || !bytes.Contains(config, []byte("aescbc")) {
		t.Fatalf("the configuration is not beside the values: %v", err)
	}
	records := make([]record, len(rows))
	for i, row := range rows {
		records[i] = record{string(row[0]), string(row[1]), row[2], row[3], string(row[4])}
	}
	return records
}

// Every provider writes values that are read, under its prefix, and what was damaged is told from what was not.
func TestValuesReadAsTheirProvidersPromise(t *testing.T) {
	read, failed := map[string]int{}, map[string]int{}
	for _, r := range made(t) {
		words := strings.Fields(r.name)
		sound := len(words) > 0 && strings.Trim(words[len(words)-1], "0123456789") == "" && !strings.Contains(r.name, "cut off")
		stranger := words[0] == "stranger" || words[0] == "text"
		switch {
		case sound && !stranger:
			if r.failure != "" || !objectStart(r.plain) {
				t.Errorf("%s: %q %s", r.name, r.plain, r.failure)
			}
		case words[0] == "text" && r.failure == "":
			t.Errorf("%s was read as %q", r.name, r.plain)
		}
		if r.failure == "" {
			read[prefix(r.stored)]++
		} else {
			failed[prefix(r.stored)]++
		}
		if strings.Contains(r.name, "under another key") && !stranger {
			bound := strings.Contains(r.name, "aesgcm") || strings.Contains(r.name, "kms") && !strings.Contains(r.name, "CBC")
			if (r.failure != "") != bound {
				t.Errorf("%s: failure %q, but the key is authenticated: %v", r.name, r.failure, bound)
			}
		}
	}
	t.Logf("read %v, failed %v", read, failed)
	for _, provider := range []string{"aescbc:v1", "aesgcm:v1", "secretbox:v1", "kms:v1", "kms:v2"} {
		if read[provider] == 0 || failed[provider] == 0 {
			t.Errorf("%s: %d read, %d failed", provider, read[provider], failed[provider])
		}
	}
	if read["plain"] == 0 {
		t.Error("nothing was stored plain")
	}
}

func objectStart(plain []byte) bool {
	return bytes.HasPrefix(plain, []byte("k8s\x00")) || bytes.HasPrefix(plain, []byte("{"))
}

// prefix is provider and version of an encrypted value.
func prefix(stored []byte) string {
	parts := strings.SplitN(string(stored), ":", 5)
	if len(parts) < 5 || parts[0] != "k8s" {
		return "plain"
	}
	return parts[2] + ":" + parts[3]
}
