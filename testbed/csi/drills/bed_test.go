package drills

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
)

// bed is a driver that runs, and a client of it.
type bed struct {
	t       *testing.T
	dir     string
	flags   []string
	command *exec.Cmd
	conn    *grpc.ClientConn
	control csi.ControllerClient
	group   csi.GroupControllerClient
	node    csi.NodeClient
}

// start starts a driver with an empty pool. When the test ends nothing of it may be left.
func start(t *testing.T, flags ...string) *bed {
	t.Helper()
	b := &bed{t: t, dir: t.TempDir(), flags: flags}
	b.run()
	t.Cleanup(func() {
		b.stop()
		// The kernel detaches a device a little after its last user has gone.
		for deadline := time.Now().Add(10 * time.Second); !t.Failed() && len(b.attached()) > 0; time.Sleep(5 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Errorf("loop devices are left: %v", b.attached())
			}
		}
		if table := read(t, "/proc/self/mountinfo"); strings.Contains(table, b.dir) && !t.Failed() {
			t.Errorf("mounts are left:\n%s", table)
		}
		if t.Failed() {
			lines := strings.Split(read(t, b.path("log")), "\n")
			t.Logf("the driver's last lines:\n%s", strings.Join(lines[max(0, len(lines)-40):], "\n"))
		}
	})
	return b
}

func (b *bed) path(parts ...string) string {
	return filepath.Join(append([]string{b.dir}, parts...)...)
}

// run starts the driver on what is there, with these flags besides.
func (b *bed) run(more ...string) {
	b.t.Helper()
	arguments := append([]string{"--endpoint", "unix://" + b.path("csi.sock"), "--control", b.path("control.sock"),
		"--pool", b.path("pool"), "--pool-size", "1G"}, append(b.flags, more...)...)
	b.command = exec.Command("/proc/self/exe", arguments...)
	b.command.Env = append(os.Environ(), part+"=driver")
	log, err := os.OpenFile(b.path("log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	must(b.t, err)
	defer log.Close()
	b.command.Stdout, b.command.Stderr = log, log
	must(b.t, b.command.Start())
	b.connect()
}

func (b *bed) connect() {
	b.t.Helper()
	if b.conn != nil {
		b.conn.Close()
	}
	// A dial that comes too early would be tried again a second later only.
	for deadline := time.Now().Add(60 * time.Second); time.Now().Before(deadline); time.Sleep(2 * time.Millisecond) {
		if probe, err := net.Dial("unix", b.path("csi.sock")); err == nil {
			probe.Close()
			break
		}
	}
	conn, err := grpc.NewClient("unix://"+b.path("csi.sock"), grpc.WithTransportCredentials(insecure.NewCredentials()))
	must(b.t, err)
	b.conn, b.control, b.group, b.node = conn, csi.NewControllerClient(conn), csi.NewGroupControllerClient(conn), csi.NewNodeClient(conn)
	for deadline := time.Now().Add(60 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		_, err := csi.NewIdentityClient(conn).Probe(ctx, &csi.ProbeRequest{}, grpc.WaitForReady(true))
		cancel()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			b.t.Fatalf("the driver does not answer: %v\n%s", err, read(b.t, b.path("log")))
		}
	}
}

// kill is kill -9.
func (b *bed) kill() {
	_ = b.command.Process.Kill()
	_ = b.command.Wait()
}

// stop is SIGTERM, after which nothing is left.
func (b *bed) stop() {
	if b.command.ProcessState != nil {
		return
	}
	_ = b.command.Process.Signal(syscall.SIGTERM)
	if err := b.command.Wait(); err != nil {
		b.t.Errorf("the driver's end: %v", err)
	}
}

// attached are the loop devices with an image of this bed behind them.
func (b *bed) attached() []string {
	names, _ := filepath.Glob("/sys/block/loop*/loop/backing_file")
	var found []string
	for _, name := range names {
		text, _ := os.ReadFile(name)
		if strings.Contains(string(text), b.dir) || strings.HasPrefix(string(text), "/volumes/vol-") {
			found = append(found, strings.Split(name, "/")[3]+": "+strings.TrimSpace(string(text)))
		}
	}
	return found
}

// fault switches one on (with JSON) or off (method DELETE) over the control socket.
func (b *bed) fault(method, name, body string) {
	b.t.Helper()
	client := http.Client{Transport: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		return net.Dial("unix", b.path("control.sock"))
	}}}
	defer client.CloseIdleConnections()
	request, err := http.NewRequest(method, "http://driver/faults/"+name, strings.NewReader(body))
	must(b.t, err)
	answer, err := client.Do(request)
	must(b.t, err)
	defer answer.Body.Close()
	text, _ := io.ReadAll(answer.Body)
	if answer.StatusCode != http.StatusNoContent {
		b.t.Fatalf("%s %s: %s %s", method, name, answer.Status, text)
	}
}

func ctx(t *testing.T) context.Context {
	c, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	t.Cleanup(cancel)
	return c
}

func asMount() *csi.VolumeCapability {
	return &csi.VolumeCapability{
		AccessType: &csi.VolumeCapability_Mount{Mount: &csi.VolumeCapability_MountVolume{}},
		AccessMode: &csi.VolumeCapability_AccessMode{Mode: csi.VolumeCapability_AccessMode_SINGLE_NODE_WRITER},
	}
}

func asBlock() *csi.VolumeCapability {
	capability := asMount()
	capability.AccessType = &csi.VolumeCapability_Block{Block: &csi.VolumeCapability_BlockVolume{}}
	return capability
}

// request is a CreateVolumeRequest of 32 MiB; source is a snapshot's or volume's id, or nothing.
func request(name, source string, as *csi.VolumeCapability) *csi.CreateVolumeRequest {
	r := &csi.CreateVolumeRequest{Name: name, VolumeCapabilities: []*csi.VolumeCapability{as},
		CapacityRange: &csi.CapacityRange{RequiredBytes: 32 << 20}}
	if strings.HasPrefix(source, "snap-") {
		r.VolumeContentSource = &csi.VolumeContentSource{Type: &csi.VolumeContentSource_Snapshot{
			Snapshot: &csi.VolumeContentSource_SnapshotSource{SnapshotId: source}}}
	} else if source != "" {
		r.VolumeContentSource = &csi.VolumeContentSource{Type: &csi.VolumeContentSource_Volume{
			Volume: &csi.VolumeContentSource_VolumeSource{VolumeId: source}}}
	}
	return r
}

func (b *bed) create(name, source string, as *csi.VolumeCapability) string {
	b.t.Helper()
	answer, err := b.control.CreateVolume(ctx(b.t), request(name, source, as))
	must(b.t, err)
	return answer.GetVolume().GetVolumeId()
}

func (b *bed) snapshot(name, volume string) *csi.Snapshot {
	b.t.Helper()
	answer, err := b.control.CreateSnapshot(ctx(b.t), &csi.CreateSnapshotRequest{Name: name, SourceVolumeId: volume})
	must(b.t, err)
	return answer.GetSnapshot()
}

// publish stages and publishes; it answers where the volume is.
func (b *bed) publish(id string, as *csi.VolumeCapability) string {
	b.t.Helper()
	must(b.t, b.tryPublish(id, as))
	return b.path("pods", id)
}

func (b *bed) tryPublish(id string, as *csi.VolumeCapability) error {
	if _, err := b.node.NodeStageVolume(ctx(b.t), &csi.NodeStageVolumeRequest{
		VolumeId: id, StagingTargetPath: b.path("staging", id), VolumeCapability: as}); err != nil {
		return err
	}
	_, err := b.node.NodePublishVolume(ctx(b.t), &csi.NodePublishVolumeRequest{
		VolumeId: id, StagingTargetPath: b.path("staging", id), TargetPath: b.path("pods", id), VolumeCapability: as})
	return err
}

func (b *bed) tryUnpublish(id string) error {
	if _, err := b.node.NodeUnpublishVolume(ctx(b.t), &csi.NodeUnpublishVolumeRequest{VolumeId: id, TargetPath: b.path("pods", id)}); err != nil {
		return err
	}
	_, err := b.node.NodeUnstageVolume(ctx(b.t), &csi.NodeUnstageVolumeRequest{VolumeId: id, StagingTargetPath: b.path("staging", id)})
	return err
}

func (b *bed) delete(id string) {
	b.t.Helper()
	must(b.t, b.tryUnpublish(id))
	_, err := b.control.DeleteVolume(ctx(b.t), &csi.DeleteVolumeRequest{VolumeId: id})
	must(b.t, err)
}

// look makes a volume of a snapshot or volume, hands its path over, and deletes it.
func (b *bed) look(source string, do func(path string)) {
	b.t.Helper()
	id := b.create("look at "+source, source, asMount())
	do(b.publish(id, asMount()))
	b.delete(id)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantCode(t *testing.T, err error, want codes.Code) {
	t.Helper()
	if status.Code(err) != want {
		t.Fatalf("want %s, got %v", want, err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	must(t, err)
	return string(text)
}

func put(t *testing.T, path, text string) {
	t.Helper()
	must(t, os.WriteFile(path, []byte(text), 0o600))
}

func wantText(t *testing.T, path, want string) {
	t.Helper()
	if got := read(t, path); got != want {
		t.Fatalf("%s: want %q, got %q", path, want, got)
	}
}

// pattern is content that tells where it belongs.
func pattern(seed byte, size int) []byte {
	return bytes.Repeat(fmt.Appendf(nil, "%c%07d", seed, size), size/8)
}
