package drills

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	registration "k8s.io/kubelet/pkg/apis/pluginregistration/v1"
)

func TestRegistrarTellsAKubelet(t *testing.T) {
	root := t.TempDir()
	command := exec.Command("/proc/self/exe", "--kubelet-root", root, "--driver", "d.test", "--endpoint", "unix:///run/d/csi.sock")
	command.Env = append(os.Environ(), part+"=registrar")
	command.Stderr = os.Stderr
	must(t, command.Start())
	defer command.Process.Kill()
	socket := filepath.Join(root, "plugins_registry", "d.test-reg.sock")
	conn, err := grpc.NewClient("unix://"+socket, grpc.WithTransportCredentials(insecure.NewCredentials()))
	must(t, err)
	defer conn.Close()
	kubelet := registration.NewRegistrationClient(conn)
	info, err := kubelet.GetInfo(ctx(t), &registration.InfoRequest{}, grpc.WaitForReady(true))
	must(t, err)
	if info.GetType() != "CSIPlugin" || info.GetName() != "d.test" || info.GetEndpoint() != "/run/d/csi.sock" || len(info.GetSupportedVersions()) == 0 {
		t.Errorf("%v", info)
	}
	_, err = kubelet.NotifyRegistrationStatus(ctx(t), &registration.RegistrationStatus{PluginRegistered: true})
	must(t, err)
	must(t, command.Process.Signal(syscall.SIGTERM))
	must(t, command.Wait())
	if _, err := os.Stat(socket); !os.IsNotExist(err) {
		t.Errorf("the socket is left, so the kubelet thinks that the driver is there: %v", err)
	}
}
