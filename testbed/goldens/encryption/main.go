// goldens-encryption writes values as kube-apiserver 1.36 encrypts them at rest, beside what it reads from them with an
// EncryptionConfiguration that is written next to them. ../README.md says how to read the file.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"

	"k8s.io/apiserver/pkg/features"
	"k8s.io/apiserver/pkg/server/options/encryptionconfig"
	utilfeature "k8s.io/apiserver/pkg/util/feature"
	"k8s.io/klog/v2"

	"tidemark.test/goldens/container"
)

var columns = []string{"case", "key", "stored", "plain", "failure"}

func main() {
	seed := flag.Uint64("seed", 1, "what keys and objects are made from; nonces differ from run to run")
	count := flag.Int("random", 50, "sound values per key")
	out := flag.String("out", "", "`file` to write; FILE.yaml gets the EncryptionConfiguration")
	sockets := flag.String("sockets", "", "`folder` for kms-v1.sock and kms-v2.sock; default: one that goes away at the end")
	serve := flag.Bool("serve", false, "keep the key management services up until standard input ends")
	flag.Parse()
	if *out == "" || flag.NArg() > 0 || *count < 1 {
		flag.Usage()
		os.Exit(2)
	}
	if err := run(*out, *seed, *count, *sockets, *serve); err != nil {
		fmt.Fprintf(os.Stderr, "goldens-encryption: %v\n", err)
		os.Exit(1)
	}
}

func run(out string, seed uint64, count int, sockets string, serve bool) error {
	scratch, err := os.MkdirTemp("", "goldens")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	if sockets == "" {
		sockets = scratch
	}
	kms, stop, err := servePlugin(sockets, seed)
	if err != nil {
		return err
	}
	defer stop()
	records, err := write(out, seed, count, scratch, kms, sockets)
	if err != nil {
		return err
	}
	fmt.Printf("%s: %d values, seed %d\n", out, records, seed)
	if serve {
		io.Copy(io.Discard, os.Stdin)
	}
	return nil
}

// write makes the whole file and says how many records it has.
func write(out string, seed uint64, count int, scratch string, kms *plugin, sockets string) (int, error) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	klog.SetSlogLogger(slog.New(slog.DiscardHandler)) // each failure is in its record
	if err := utilfeature.DefaultMutableFeatureGate.Set(string(features.KMSv1) + "=true"); err != nil {
		return 0, err
	}
	defer encryptionconfig.SetKDFForTests(legacyKMS, false)()
	file, err := container.Create(out, container.Header{Seed: seed, Random: uint32(count), Kubernetes: "v0.36.3", Columns: columns})
	if err != nil {
		return 0, err
	}
	records := 0
	err = generate(ctx, seed, count, out+".yaml", scratch, kms, sockets, func(r record) {
		records++
		file.Add(container.Record{[]byte(r.name), []byte(r.key), r.stored, r.plain, []byte(r.failure)})
	})
	if closed := file.Close(); err == nil {
		err = closed
	}
	return records, err
}
