package cluster

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"tidemark.test/kubernetes/pki"
)

// On a machine that compiles at the same time the slowest step, the API server's, took 25 s; where everything else goes
// first, it once took more than three minutes. A program that ends is seen at once, so this is for those that hang.
const (
	patience = 8 * time.Minute
	interval = 50 * time.Millisecond
)

func (b *Bed) start(ctx context.Context, program program) error {
	if err := b.Processes.Start(program.Spec); err != nil {
		return err
	}
	return b.answers(ctx, program)
}

// Waits until the process is healthy, and is the one that answers: an API server on somebody else's etcd would write
// into it.
func (b *Bed) answers(ctx context.Context, program program) error {
	client, err := b.healthClient()
	if err != nil {
		return err
	}
	defer client.CloseIdleConnections()
	listens := false
	return b.until(ctx, program.Name, program.health+" to answer", func() error {
		if listens = listens || b.Processes.Listens(program.Name, program.port); !listens {
			return fmt.Errorf("it does not listen on port %d", program.port)
		}
		answer, err := client.Get(program.health)
		if err != nil {
			return err
		}
		defer answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			text, _ := io.ReadAll(io.LimitReader(answer.Body, 4096))
			return fmt.Errorf("%s: %s", answer.Status, strings.TrimSpace(string(text)))
		}
		return nil
	})
}

func (b *Bed) healthClient() (*http.Client, error) {
	identity, err := b.folder.Keys().Load(pki.Admin)
	if err != nil {
		return nil, err
	}
	authority, err := b.folder.Keys().Pool(pki.CA)
	if err != nil {
		return nil, err
	}
	return &http.Client{
		Timeout:   time.Minute,
		Transport: &http.Transport{TLSClientConfig: &tls.Config{Certificates: []tls.Certificate{identity}, RootCAs: authority}},
	}, nil
}

// Repeats a probe until it succeeds, or the process that it is about ends, or patience does.
func (b *Bed) until(ctx context.Context, name, what string, probe func() error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	ended := b.Processes.Ended(name)
	for {
		err := probe()
		if err == nil {
			return nil
		}
		select {
		case <-ended:
			return b.failed(name, fmt.Errorf("it ended (%s)", b.Processes.End(name)))
		case <-ctx.Done():
			return b.failed(name, fmt.Errorf("waited for %s: %w (%w)", what, err, context.Cause(ctx)))
		case <-time.After(interval):
		}
	}
}

func (b *Bed) failed(name string, err error) error {
	return fmt.Errorf("%w; the last lines of %s:\n%s", err, b.Processes.Log(name), b.Processes.Tail(name, tailLines))
}
