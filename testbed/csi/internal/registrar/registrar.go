// Package registrar is the program csi-registrar, which tells a kubelet of a CSI driver: it serves the kubelet's plugin registration on a socket in the
// folder that the kubelet watches.
//
//	csi-registrar --kubelet-root /var/lib/kubelet --driver csi.tidemark.test --endpoint /run/csi.sock
package registrar

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"google.golang.org/grpc"
	registration "k8s.io/kubelet/pkg/apis/pluginregistration/v1"
)

type server struct {
	registration.UnimplementedRegistrationServer
	driver, endpoint string
	refused          chan<- string
}

// GetInfo says which driver listens where.
func (r *server) GetInfo(context.Context, *registration.InfoRequest) (*registration.PluginInfo, error) {
	return &registration.PluginInfo{
		Type: registration.CSIPlugin, Name: r.driver, Endpoint: r.endpoint, SupportedVersions: []string{"1.0.0"},
	}, nil
}

// NotifyRegistrationStatus is the kubelet's verdict.
func (r *server) NotifyRegistrationStatus(_ context.Context, status *registration.RegistrationStatus) (*registration.RegistrationStatusResponse, error) {
	if status.GetPluginRegistered() {
		log.Printf("the kubelet has registered %s", r.driver)
	} else {
		select {
		case r.refused <- status.GetError():
		default:
		}
	}
	return &registration.RegistrationStatusResponse{}, nil
}

// Main serves until SIGTERM and answers the exit code.
func Main(arguments []string) int {
	log.SetPrefix("csi-registrar: ")
	log.SetFlags(log.Ltime | log.Lmicroseconds | log.Lmsgprefix)
	flags := flag.NewFlagSet("csi-registrar", flag.ContinueOnError)
	root := flags.String("kubelet-root", "/var/lib/kubelet", "the kubelet's --root-dir")
	driver := flags.String("driver", "csi.tidemark.test", "the driver's name")
	endpoint := flags.String("endpoint", "", "the driver's CSI socket (needed)")
	if err := flags.Parse(arguments); errors.Is(err, flag.ErrHelp) {
		return 0
	} else if err != nil {
		return 2
	}
	path := strings.TrimPrefix(*endpoint, "unix://")
	if !filepath.IsAbs(path) {
		fmt.Fprintln(os.Stderr, "csi-registrar: --endpoint is the absolute path of the driver's socket")
		return 2
	}
	if err := run(filepath.Join(*root, "plugins_registry", *driver+"-reg.sock"), *driver, path); err != nil {
		log.Print(err)
		return 1
	}
	return 0
}

// run serves until SIGTERM, or until the kubelet refuses the driver (then whoever started this may try again).
func run(socket, driver, endpoint string) error {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	if err := os.MkdirAll(filepath.Dir(socket), 0o750); err != nil {
		return err
	}
	if err := os.Remove(socket); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	listener, err := net.Listen("unix", socket)
	if err != nil {
		return err
	}
	refused := make(chan string, 1)
	services := grpc.NewServer()
	registration.RegisterRegistrationServer(services, &server{driver: driver, endpoint: endpoint, refused: refused})
	failed := make(chan error, 1)
	go func() { failed <- services.Serve(listener) }()
	// The socket's end is how the kubelet learns that the driver is gone: Stop removes it.
	defer services.Stop()
	select {
	case err := <-failed:
		return err
	case reason := <-refused:
		return fmt.Errorf("the kubelet refused %s: %s", driver, reason)
	case <-stop:
		return nil
	}
}
