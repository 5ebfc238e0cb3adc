package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"tidemark.test/kubernetes/api"
	"tidemark.test/kubernetes/cluster"
	"tidemark.test/kubernetes/load"
	"tidemark.test/kubernetes/pki"
)

// A client of the bed, and a context that ends with Ctrl-C.
func (f *verbFlags) client(args []string) (context.Context, *api.Client, error) {
	through := f.String("through", cluster.ListenDirect, "`LISTENER`: apiserver and front may be broken, direct never is")
	folder, err := f.parse(args, 0)
	if err != nil {
		return nil, nil, err
	}
	if !folder.IsReady() {
		return nil, nil, fmt.Errorf("no bed is ready in %s", folder)
	}
	options, err := cluster.LoadOptions(folder.Options())
	if err != nil {
		return nil, nil, err
	}
	address := options.Outside[*through]
	if address == "" || *through == cluster.ListenEtcd || *through == cluster.ListenS3 {
		return nil, nil, fmt.Errorf("no listener '%s' to an API server (direct, apiserver, front)", *through)
	}
	client, err := api.New(address, folder.Keys(), pki.Admin)
	ctx, _ := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	return ctx, client, err
}

func printLine(to io.Writer, value any) error {
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(to, string(text))
	return err
}

func dump(args []string) (err error) {
	flags := newFlags("dump", "")
	version := flags.String("resource-version", "", "as of this resource version (default: now)")
	out := flags.String("out", "", "`FILE` for the objects (default: standard output; what was written is then told on standard error)")
	ctx, client, err := flags.client(args)
	if err != nil {
		return err
	}
	to, told := os.Stdout, os.Stderr
	if *out != "" {
		if to, err = os.Create(*out); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, to.Close()) }()
		told = os.Stdout
	}
	written, err := load.WriteDump(ctx, client, *version, to)
	if err != nil {
		return err
	}
	return printLine(told, written)
}

func fill(args []string) error {
	flags := newFlags("fill", "")
	seed := flags.Uint64("seed", 1, "the same seed makes the same objects")
	objects := flags.Int("objects", 3000, "about so many")
	ctx, client, err := flags.client(args)
	if err != nil {
		return err
	}
	filling, err := load.Fill(ctx, client, *seed, *objects)
	if err != nil {
		return err
	}
	return printLine(os.Stdout, filling)
}

func churn(args []string) error {
	flags := newFlags("churn", "")
	seed := flags.Uint64("seed", 1, "of what is done")
	rate := flags.Float64("rate", 20, "calls a second")
	span := flags.Duration("for", 10*time.Second, "how long")
	ctx, client, err := flags.client(args)
	if err != nil {
		return err
	}
	if *rate <= 0 || *span <= 0 {
		return errors.New("rate and time must be positive")
	}
	churning, err := load.Churn(ctx, client, *seed, *rate, *span)
	if err != nil {
		return err
	}
	return printLine(os.Stdout, churning)
}
