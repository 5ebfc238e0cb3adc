// Package serve is the program csi-driver: its flags, its sockets, its end.
package serve

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"google.golang.org/grpc"

	"tidemark.test/csi/internal/crash"
	"tidemark.test/csi/internal/driver"
	"tidemark.test/csi/internal/fault"
	"tidemark.test/csi/internal/pool"
)

type settings struct {
	endpoint, control string
	pool              pool.Options
	driver            driver.Options
	keep              bool
	faults            []string
	killAt            string
}

// Main runs the driver until SIGTERM and answers the exit code.
func Main(arguments []string) int {
	chosen, err := parse(arguments)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "csi-driver: %v\n", err)
		return 2
	}
	log.SetPrefix("csi-driver: ")
	log.SetFlags(log.Ltime | log.Lmicroseconds | log.Lmsgprefix)
	if err := run(chosen); err != nil {
		log.Print(err)
		return 1
	}
	return 0
}

func parse(arguments []string) (settings, error) {
	var s settings
	flags := flag.NewFlagSet("csi-driver", flag.ContinueOnError)
	size := flags.String("pool-size", "2G", "how large the pool is made, where it is not there yet (suffix K, M, G or T)")
	flags.StringVar(&s.endpoint, "endpoint", "", "the CSI socket: unix:///path (needed)")
	flags.StringVar(&s.control, "control", "", "a Unix socket where faults are switched by HTTP")
	flags.StringVar(&s.pool.File, "pool", "", "the pool's image file; with --fs none, a folder (needed)")
	flags.StringVar(&s.pool.At, "mount", "", "where the pool is mounted (default: the pool's file with .mnt)")
	flags.StringVar(&s.pool.FS, "fs", "auto", "btrfs, xfs, none (copies instead of reflinks), or auto: the first that works")
	flags.StringVar(&s.driver.Name, "name", "csi.tidemark.test", "the driver's name")
	flags.StringVar(&s.driver.NodeID, "node", "node1", "the node's id")
	flags.Int64Var(&s.driver.MaxVolumes, "max-volumes", 0, "how many volumes a node may have; 0: any")
	flags.Float64Var(&s.driver.Overcommit, "overcommit", 10, "how many times the pool's size may be promised")
	flags.BoolVar(&s.driver.Attach, "attach", false, "want ControllerPublishVolume, so an external-attacher")
	none := flags.Bool("no-snapshots", false, "have no snapshot capability")
	flags.BoolVar(&s.keep, "keep-mounts", false, "leave pool and volumes mounted at SIGTERM, as a driver that is replaced while pods run")
	flags.Func("fault", "switch on from the start: name[:key=value,...], see README.md (repeatable)", func(text string) error {
		s.faults = append(s.faults, text)
		return nil
	})
	flags.StringVar(&s.killAt, "kill-at", "", "for tests: die by SIGKILL at this step ("+strings.Join(crash.Steps, ", ")+")")
	if err := flags.Parse(arguments); err != nil {
		return s, err
	}
	if s.endpoint == "" || s.pool.File == "" {
		return s, errors.New("--endpoint and --pool are needed")
	}
	if flags.NArg() > 0 {
		return s, fmt.Errorf("'%s' is no flag", flags.Arg(0))
	}
	s.driver.Snapshots = !*none
	if s.pool.At == "" {
		s.pool.At = s.pool.File + ".mnt"
	}
	var err error
	for _, path := range []*string{&s.pool.File, &s.pool.At} {
		if *path, err = filepath.Abs(*path); err != nil {
			return s, err
		}
	}
	s.pool.Bytes, err = bytes(*size)
	return s, err
}

func bytes(text string) (int64, error) {
	units := map[string]int64{"K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
	var number int64
	var unit string
	if n, err := fmt.Sscanf(text, "%d%s", &number, &unit); n < 1 || n == 1 && !errors.Is(err, io.EOF) && unit != "" {
		return 0, fmt.Errorf("--pool-size: '%s' is no size", text)
	}
	factor := int64(1)
	if unit != "" {
		var ok bool
		if factor, ok = units[strings.ToUpper(unit)]; !ok {
			return 0, fmt.Errorf("--pool-size: '%s' is no size (suffix K, M, G or T)", text)
		}
	}
	if number <= 0 {
		return 0, fmt.Errorf("--pool-size: '%s' is no size above 0", text)
	}
	return number * factor, nil
}

func run(s settings) error {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	crash.Choose(s.killAt)
	faults, err := faultsOf(s.faults)
	if err != nil {
		return err
	}
	backing, err := pool.Open(s.pool)
	if err != nil {
		return err
	}
	served, err := driver.New(s.driver, backing, faults)
	if err != nil {
		backing.Close()
		return err
	}
	how := "snapshots are reflinks"
	if !backing.Reflinks {
		how = "snapshots are full copies, and volumes stay frozen as long as a copy takes: no btrfs and no xfs is used"
	}
	log.Printf("%s, pool %s (%s), %s", s.driver.Name, backing.Root, backing.FS, how)
	err = listen(s, served, faults, stop)
	if s.keep {
		return err
	}
	served.DetachAll()
	return errors.Join(err, backing.Close())
}

func faultsOf(texts []string) (*fault.Switches, error) {
	faults := fault.New()
	for _, text := range texts {
		name, one, err := fault.Parse(text)
		if err == nil {
			err = faults.On(name, one)
		}
		if err != nil {
			return nil, err
		}
	}
	return faults, nil
}

// listen serves until a signal says stop; calls that are being served are finished.
func listen(s settings, served *driver.Driver, faults *fault.Switches, stop <-chan os.Signal) error {
	socket, err := unixSocket(strings.TrimPrefix(s.endpoint, "unix://"))
	if err != nil {
		return err
	}
	server := grpc.NewServer(grpc.ChainUnaryInterceptor(driver.Log, faults.Intercept))
	served.Register(server)
	failed := make(chan error, 2)
	go func() { failed <- server.Serve(socket) }()
	if s.control != "" {
		control, err := unixSocket(s.control)
		if err != nil {
			server.Stop()
			return err
		}
		defer control.Close()
		go func() { failed <- http.Serve(control, faults.Handler()) }()
	}
	select {
	case err := <-failed:
		return err
	case signal := <-stop:
		log.Printf("%s: ending", signal)
	}
	// A call may be waiting in a fault for an hour.
	ended := make(chan struct{})
	go func() { server.GracefulStop(); close(ended) }()
	select {
	case <-ended:
	case <-time.After(5 * time.Second):
		server.Stop()
	}
	return nil
}

// unixSocket takes over the socket of a driver that was killed.
func unixSocket(path string) (net.Listener, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return nil, err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	return net.Listen("unix", path)
}
