// goldens-<minor> writes objects as Kubernetes stores them beside what its API server and kubectl make of them: every
// registered type, filled in many ways, with the real types and serializers of one release. ../README.md says how to
// read the file.
package main

import (
	"flag"
	"fmt"
	"os"

	"tidemark.test/goldens/container"
)

var columns = []string{"case", "group", "version", "kind", "form", "storage", "sent", "printed"}

func main() {
	seed := flag.Uint64("seed", 1, "what the random cases are made from")
	random := flag.Int("random", 10, "random objects per type")
	out := flag.String("out", "", "`file` to write")
	flag.Parse()
	if *out == "" || flag.NArg() > 0 || *random < 0 {
		flag.Usage()
		os.Exit(2)
	}
	count, err := write(*out, *seed, *random)
	if err != nil {
		fmt.Fprintf(os.Stderr, "goldens: %v\n", err)
		os.Exit(1)
	}
	fmt.Printf("%s: %d records of Kubernetes %s, seed %d\n", *out, count, kubernetesVersion(), *seed)
}

// write makes the whole file and says how many records it has.
func write(path string, seed uint64, random int) (int, error) {
	file, err := container.Create(path, container.Header{
		Seed: seed, Random: uint32(random), Kubernetes: kubernetesVersion(), Columns: columns})
	if err != nil {
		return 0, err
	}
	count := 0
	err = generate(seed, random, func(r record) {
		count++
		file.Add(container.Record{[]byte(r.name), []byte(r.stored.Group), []byte(r.stored.Version), []byte(r.stored.Kind),
			[]byte(r.form), r.storage, r.sent, r.printed})
	})
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return 0, fmt.Errorf("%s: %w", path, err)
	}
	return count, nil
}

// generate makes all records in a fixed order.
func generate(seed uint64, random int, add func(record)) error {
	scheme, err := newScheme()
	if err != nil {
		return err
	}
	m := &maker{newCodec(scheme), seed, random, add}
	for _, k := range storedKinds(scheme) {
		if err := m.kind(k); err != nil {
			return fmt.Errorf("%s: %w", k.GroupVersionKind, err)
		}
	}
	if err := m.envelopes(); err != nil {
		return fmt.Errorf("envelopes: %w", err)
	}
	if err := m.definitions(); err != nil {
		return fmt.Errorf("custom resource definitions: %w", err)
	}
	if err := m.custom(); err != nil {
		return fmt.Errorf("custom resources: %w", err)
	}
	return nil
}
