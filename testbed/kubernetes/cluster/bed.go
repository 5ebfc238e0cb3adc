package cluster

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"os"
	"os/exec"
	"sync"
	"time"

	"tidemark.test/kubernetes/api"
	"tidemark.test/kubernetes/pki"
	"tidemark.test/kubernetes/process"
	"tidemark.test/kubernetes/proxy"
)

// A Bed is one control plane that runs.
type Bed struct {
	folder    Folder
	options   *Options
	log       *log.Logger
	client    *api.Client
	Processes *process.Group
	Gates     map[string]*proxy.Gate

	mutex sync.Mutex
	steps []Step
	ready bool
}

// A Step of the start and how long it took.
type Step struct {
	Name    string  `json:"name"`
	Seconds float64 `json:"seconds"`
}

const tailLines = 25

// Start brings everything up and returns when it answers. The gates serve from the first moment.
func Start(ctx context.Context, folder Folder, options *Options, listeners []net.Listener, log *log.Logger) (*Bed, error) {
	bed := &Bed{folder: folder, options: options, log: log, Gates: map[string]*proxy.Gate{}}
	if err := bed.prepareNodes(); err != nil {
		return nil, err
	}
	if options.From != "" {
		// Before the group of processes reaps every child.
		if err := bed.step("etcd from snapshot", bed.restoreSnapshot); err != nil {
			return nil, err
		}
	}
	bed.Processes = process.NewGroup(folder.Logs(), bed.died)
	bed.serveGates(listeners)
	var err error
	keys := folder.Keys()
	bed.client, err = api.New(fmt.Sprintf("127.0.0.1:%d", apiServerPort), keys, pki.Admin)
	if err != nil {
		return nil, err
	}
	if err := bed.step(Etcd, func() error { return bed.start(ctx, bed.etcd()) }); err != nil {
		return nil, err
	}
	if options.S3 {
		serve := func() error {
			if err := bed.prepareS3(); err != nil {
				return err
			}
			return bed.start(ctx, bed.s3())
		}
		if err := bed.step(S3, serve); err != nil {
			return nil, err
		}
	}
	if !options.OnlyEtcd {
		serve := func() error {
			if err := bed.start(ctx, bed.apiServer()); err != nil {
				return err
			}
			return bed.serves(ctx, APIServer)
		}
		if err := bed.step(APIServer, serve); err != nil {
			return nil, err
		}
		if err := bed.startRest(ctx); err != nil {
			return nil, err
		}
	}
	bed.mutex.Lock()
	defer bed.mutex.Unlock()
	bed.ready = true
	return bed, nil
}

// What needs an API server and not one another.
func (b *Bed) startRest(ctx context.Context) error {
	tasks := map[string]func() error{
		"restricted user": func() error { return b.grant(ctx) },
	}
	if !b.options.NoScheduler {
		tasks[Scheduler] = func() error { return b.start(ctx, b.scheduler()) }
	}
	if !b.options.NoController {
		tasks[Controller] = func() error {
			if err := b.start(ctx, b.controller()); err != nil {
				return err
			}
			if b.options.Again || b.options.From != "" {
				return b.controls(ctx) // the namespace `default` is not a new one
			}
			return b.until(ctx, Controller, "the service account 'default' to exist", func() error {
				return b.client.Get(ctx, "/api/v1/namespaces/default/serviceaccounts/default", nil)
			})
		}
	}
	driver := make(chan error, b.options.Nodes) // how the start of the driver ended, for each node
	for _, n := range b.nodes() {
		tasks[n.name()] = func() error {
			err := b.startNode(ctx, n)
			if err != nil || !b.options.CSI || <-driver != nil {
				return err
			}
			return b.step(n.of(CSIRegistrar), func() error { return b.startRegistrar(ctx, n) })
		}
	}
	if b.options.CSI {
		tasks["csi"] = func() error {
			err := b.startCSI(ctx)
			for range b.options.Nodes {
				driver <- err
			}
			return err
		}
	}
	return b.together(tasks)
}

// Runs steps at once, and tells of the first failure.
func (b *Bed) together(tasks map[string]func() error) error {
	var all sync.WaitGroup
	failures := make(chan error, len(tasks))
	for name, task := range tasks {
		all.Go(func() {
			if err := b.step(name, task); err != nil {
				failures <- err
			}
		})
	}
	all.Wait()
	close(failures)
	return <-failures
}

func (b *Bed) step(name string, run func() error) error {
	started := time.Now()
	if err := run(); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	b.mutex.Lock()
	defer b.mutex.Unlock()
	b.steps = append(b.steps, Step{Name: name, Seconds: time.Since(started).Seconds()})
	return nil
}

// Steps of the start, in the order of their ends.
func (b *Bed) Steps() []Step {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return append([]Step(nil), b.steps...)
}

func (b *Bed) restoreSnapshot() error {
	command := exec.Command(b.options.etcd("etcdutl"), append(b.restore(), "--data-dir="+b.folder.Data(), b.options.From)...)
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", b.options.From, err, output)
	}
	return nil
}

func (b *Bed) serveGates(listeners []net.Listener) {
	targets := map[string]int{
		ListenAPIServer: apiServerPort, ListenFront: frontPort, ListenEtcd: etcdPort, ListenDirect: apiServerPort,
		ListenS3: s3FrontPort,
	}
	for at, name := range b.options.Listeners() {
		gate := proxy.NewGate(name, fmt.Sprintf("127.0.0.1:%d", targets[name]), name == ListenFront || name == ListenS3)
		b.Gates[name] = gate
		go func() { b.log.Printf("listener %s: %v", name, gate.Serve(listeners[at])) }()
	}
	go func() { b.log.Printf("front: %v", b.serveFront()) }()
	if b.options.S3 {
		go func() { b.log.Printf("front of s3: %v", b.serveObjectFront()) }()
	}
}

func (b *Bed) serveFront() error {
	keys := b.folder.Keys()
	serving, err := keys.Load(pki.APIServer)
	if err != nil {
		return err
	}
	identity, err := keys.Load(pki.Front)
	if err != nil {
		return err
	}
	authority, err := keys.Pool(pki.CA)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", frontPort))
	if err != nil {
		return err
	}
	front := proxy.Front{
		Gate: b.Gates[ListenFront], Target: fmt.Sprintf("127.0.0.1:%d", apiServerPort),
		Serving: serving, ClientCAs: authority, Identity: identity, ServerCAs: authority, Log: b.log,
	}
	return front.Serve(listener)
}

func (b *Bed) died(name, how string) {
	b.mutex.Lock()
	ready := b.ready
	b.mutex.Unlock()
	if !ready {
		return // the start fails by it, and tells of it
	}
	b.log.Printf("%s died: %s; the last lines of %s:\n%s", name, how, b.Processes.Log(name), b.Processes.Tail(name, tailLines))
}

// Restart ends a process by SIGKILL if it runs, starts it, and returns when it does its work again. It is an error when
// another process ended by itself meanwhile.
func (b *Bed) Restart(ctx context.Context, name string) error {
	before := b.Processes.Status()
	if err := b.Processes.Restart(name); err != nil {
		return err
	}
	for _, program := range []program{b.etcd(), b.apiServer(), b.controller(), b.scheduler(), b.s3()} {
		if program.Name == name {
			if err := b.answers(ctx, program); err != nil {
				return err
			}
		}
	}
	if err := b.nodeAnswers(ctx, name); err != nil {
		return err
	}
	if err := b.serves(ctx, name); err != nil {
		return err
	}
	return b.diedSince(before)
}

// Stop ends the programs. Etcd may close its files; what the others hold is in etcd, and the API server alone would
// wait ten seconds for its watchers.
func (b *Bed) Stop() {
	for _, status := range b.Processes.Status() {
		if status.Name != Etcd {
			_ = b.Processes.Kill(status.Name) // of a name that is known
		}
	}
	if err := b.Processes.Terminate(Etcd, 3*time.Second); err != nil && !errors.Is(err, process.ErrUnknown) {
		b.log.Print(err)
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
