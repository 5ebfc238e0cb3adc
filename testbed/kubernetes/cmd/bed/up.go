package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"tidemark.test/kubernetes/cluster"
	"tidemark.test/kubernetes/space"
)

// How long the inner process may take to end in order.
const orderly = 10 * time.Second

func up(args []string) error {
	flags := newFlags("up", "")
	options := cluster.Options{}
	flags.StringVar(&options.Programs, "programs", defaultPrograms(), "folder with etcd-3.6/ and kubernetes/")
	flags.StringVar(&options.Etcd, "etcd", "3.6", "version of etcd among the programs, or the path of a folder with etcd")
	flags.StringVar(&options.Encryption, "encryption", "", "`FILE`: EncryptionConfiguration; edit D/encryption.yaml and restart kube-apiserver to change it")
	flags.StringVar(&options.FeatureGates, "feature-gates", "", "Name=true,... for all Kubernetes programs")
	flags.StringVar(&options.RuntimeConfig, "runtime-config", "", "kube-apiserver's, as in api/all=true")
	flags.StringVar(&options.From, "from", "", "`SNAPSHOT` of etcd to begin with")
	flags.BoolVar(&options.Again, "again", false, "go on with the keys and data in the folder")
	flags.BoolVar(&options.Audit, "audit", false, "audit log in D/logs/audit.log")
	flags.BoolVar(&options.OnlyEtcd, "only-etcd", false, "without Kubernetes")
	flags.BoolVar(&options.NoScheduler, "no-scheduler", false, "without kube-scheduler")
	flags.BoolVar(&options.NoController, "no-controller-manager", false, "without kube-controller-manager")
	flags.BoolVar(&options.CSI, "csi", false, "volumes and snapshots of them: CSI driver, sidecars, snapshot-controller, classes")
	flags.BoolVar(&options.S3, "s3", false, "an S3 server, with the bucket '"+cluster.S3Bucket+"'; its keys are printed")
	flags.IntVar(&options.Nodes, "node", 0, "with so many nodes: containerd, runc and kubelet, to run pods (as root)")
	flags.Func("flag", "`PROGRAM=--name=value`: one more flag of a program; may be given again", func(flag string) error {
		options.Flags = append(options.Flags, flag)
		return nil
	})
	foreground := flags.Bool("foreground", false, "stay; the bed ends with this process")
	with := flags.Int("with", 0, "`PID`: the bed ends at the latest when that process does, in whatever way")
	launched := flags.Bool("launched", false, "for bed up itself: end when nobody reads standard output before the bed is ready")
	folder, err := flags.parse(args, 0)
	if err != nil {
		return err
	}
	if err := options.Resolve(); err != nil {
		return err
	}
	if err := folder.Claim(); err != nil {
		return err
	}
	if !*foreground {
		return launch(folder, args)
	}
	var owner *os.File // readable when it has ended
	if *with > 0 {
		number, err := unix.PidfdOpen(*with, 0)
		if err != nil {
			return fmt.Errorf("--with %d: %w", *with, err)
		}
		owner = os.NewFile(uintptr(number), "owner")
		defer owner.Close()
	}
	return hold(folder, &options, *launched, owner)
}

// The program is in DIR/kubernetes/bed.
func defaultPrograms() string {
	program, err := os.Executable()
	if err != nil {
		return "."
	}
	return filepath.Dir(filepath.Dir(program))
}

// Starts the same in the background, and returns when the bed is ready or has failed.
func launch(folder cluster.Folder, args []string) error {
	log, err := os.OpenFile(folder.Log(), os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	begin, err := log.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	program, err := os.Executable()
	if err != nil {
		return err
	}
	command := exec.Command(program, append([]string{"up", "--foreground", "--launched"}, args...)...)
	command.Stderr = log
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	output, err := command.StdoutPipe()
	if err != nil {
		return err
	}
	if err := command.Start(); err != nil {
		return err
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	go func() {
		for range signals {
			_ = command.Process.Signal(syscall.SIGTERM) // fails when it has ended, which is seen below
		}
	}()
	line, err := bufio.NewReader(output).ReadString('\n')
	if err == nil {
		fmt.Print(line)
		return nil
	}
	_ = command.Wait() // how it ended stands in its log
	said := make([]byte, 64<<10)
	length, _ := log.ReadAt(said, begin)
	fmt.Fprint(os.Stderr, string(said[:length]))
	return errSaid
}

// Holds the bed: it ends when this process does.
func hold(folder cluster.Folder, options *cluster.Options, launched bool, owner *os.File) error {
	lock, err := folder.Hold()
	if err != nil {
		return err
	}
	defer lock.Close()
	options.Outside = cluster.Outside{}
	var listeners []net.Listener
	for _, name := range options.Listeners() {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		options.Outside[name] = listener.Addr().String()
		listeners = append(listeners, listener)
	}
	if err := options.Save(folder.Options()); err != nil {
		return err
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	inside, err := space.Start(space.Options{
		Args: []string{"inside", string(folder)}, Listeners: listeners, Held: lock, Stdout: os.Stdout, Stderr: os.Stderr,
	})
	if err != nil {
		return err
	}
	for _, listener := range listeners {
		listener.Close() // the ones inside go on; a client shall be refused once they are gone
	}
	if options.Nodes > 0 {
		if err := startSweeper(folder); err != nil {
			_ = inside.Signal(syscall.SIGKILL)
			return err
		}
	}
	if launched {
		go endWithReader(folder, signals)
	}
	if owner != nil {
		go func() {
			await(unix.PollFd{Fd: int32(owner.Fd()), Events: unix.POLLIN})
			signals <- syscall.SIGTERM
		}()
	}
	go end(inside, signals)
	state, err := inside.Wait()
	if err = errors.Join(err, folder.Sweep()); err != nil {
		return err
	}
	if state.Success() {
		return nil
	}
	if state.Exited() {
		return errSaid
	}
	return fmt.Errorf("the process inside was %s", state)
}

func end(inside *space.Space, signals <-chan os.Signal) {
	<-signals
	_ = inside.Signal(syscall.SIGTERM) // fails when it has ended
	select {
	case <-signals: // twice is in a hurry
	case <-time.After(orderly):
	}
	_ = inside.Signal(syscall.SIGKILL)
}

// Whoever waits for the bed may be killed meanwhile; then nobody would know that it is there.
func endWithReader(folder cluster.Folder, signals chan<- os.Signal) {
	await(unix.PollFd{Fd: 1})
	if !folder.IsReady() {
		signals <- syscall.SIGTERM
	}
}

func await(what unix.PollFd) {
	for {
		if _, err := unix.Poll([]unix.PollFd{what}, -1); !errors.Is(err, unix.EINTR) {
			return
		}
	}
}
