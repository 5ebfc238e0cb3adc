package drills

import (
	"bytes"
	"context"
	"errors"
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
	"golang.org/x/sys/unix"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
)

// patience is how long a drill waits for what must come: far longer than it takes where the processors belong to others.
// Nothing waits this long where all is well.
const patience = 3 * time.Minute

// bed is a driver that runs, and a client of it.
type bed struct {
	t       *testing.T
	dir     string
	flags   []string
	process *os.Process
	ended   chan error // closed when the process has; the first to read gets how
	conn    *grpc.ClientConn
	control csi.ControllerClient
	group   csi.GroupControllerClient
	node    csi.NodeClient
}

// start starts a driver with an empty pool. When the test ends nothing of it may be left.
func start(t *testing.T, flags ...string) *bed {
	t.Helper()
	// Not t.TempDir(): that has the test's name in it, and a loop device keeps but 63 bytes of its image's path.
	dir, err := os.MkdirTemp("", "csi-")
	must(t, err)
	b := &bed{t: t, dir: dir, flags: flags}
	t.Cleanup(func() {
		b.stop()
		if !t.Failed() {
			b.wantDetached()
		}
		if left := b.mounted(); left != "" && !t.Failed() {
			t.Errorf("mounts are left:\n%s", left)
		}
		if t.Failed() {
			text, _ := os.ReadFile(b.path("log"))
			t.Logf("the driver's last lines:\n%s", lastLines(string(text), 25))
			kept, _ := filepath.Abs(filepath.Join("../../../build/test-results/logs", t.Name()))
			if err := errors.Join(os.MkdirAll(kept, 0o755), os.WriteFile(filepath.Join(kept, "csi-driver.log"), text, 0o644)); err == nil {
				t.Logf("its log is kept: %s", kept)
			}
			return // what may still be mounted is better not emptied; the namespace takes it
		}
		must(t, os.RemoveAll(dir))
	})
	b.run()
	return b
}

func lastLines(text string, count int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-count):], "\n")
}

// until waits for what must come.
func until(t *testing.T, what string, so func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !so(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited %s for %s", patience, what)
		}
	}
}

func (b *bed) path(parts ...string) string {
	return filepath.Join(append([]string{b.dir}, parts...)...)
}

// run starts the driver on what is there, with these flags besides.
func (b *bed) run(more ...string) {
	b.t.Helper()
	arguments := append([]string{"--endpoint", "unix://" + b.path("csi.sock"), "--control", b.path("control.sock"),
		"--pool", b.path("pool"), "--pool-size", "1G"}, append(b.flags, more...)...)
	command := exec.Command("/proc/self/exe", arguments...)
	command.Env = append(os.Environ(), part+"=driver")
	log, err := os.OpenFile(b.path("log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	must(b.t, err)
	defer log.Close()
	command.Stdout, command.Stderr = log, log
	must(b.t, command.Start())
	ended := make(chan error, 1)
	go func() {
		ended <- command.Wait()
		close(ended)
	}()
	b.process, b.ended = command.Process, ended
	b.connect()
}

func (b *bed) connect() {
	b.t.Helper()
	if b.conn != nil {
		b.conn.Close()
	}
	// A dial that comes too early would be tried again a second later only.
	until(b.t, "the driver's socket", func() bool {
		select {
		case err := <-b.ended:
			b.t.Fatalf("the driver ended while it started: %v", err)
		default:
		}
		probe, err := net.Dial("unix", b.path("csi.sock"))
		if err == nil {
			probe.Close()
		}
		return err == nil
	})
	conn, err := grpc.NewClient("unix://"+b.path("csi.sock"), grpc.WithTransportCredentials(insecure.NewCredentials()))
	must(b.t, err)
	b.conn, b.control, b.group, b.node = conn, csi.NewControllerClient(conn), csi.NewGroupControllerClient(conn), csi.NewNodeClient(conn)
	_, err = csi.NewIdentityClient(conn).Probe(ctx(b.t), &csi.ProbeRequest{}, grpc.WaitForReady(true))
	must(b.t, err)
}

// kill is kill -9.
func (b *bed) kill() {
	_ = b.process.Kill()
	<-b.ended
}

// stop is SIGTERM, after which nothing is left. What ended before is left alone.
func (b *bed) stop() {
	if b.process == nil || b.process.Signal(syscall.SIGTERM) != nil {
		return
	}
	select {
	case err := <-b.ended:
		if err != nil {
			b.t.Errorf("the driver's end: %v", err)
		}
	case <-time.After(patience):
		b.t.Errorf("the driver does not end within %s of SIGTERM", patience)
		b.kill()
	}
}

// attached are the loop devices with an image of this bed behind them. Others are the machine's business: beds of other
// tests come and go beside this one, and their devices too.
func (b *bed) attached() []string {
	names, _ := filepath.Glob("/sys/block/loop*/loop/backing_file")
	var found []string
	for _, name := range names {
		text, _ := os.ReadFile(name)
		device, image := strings.Split(name, "/")[3], strings.TrimSpace(string(text))
		// Once its file system is detached, an image has no path from here but that in its file system: whose it is says
		// the name that the device was given when it was attached.
		if strings.HasPrefix(image, "/volumes/vol-") {
			image = nameOf("/dev/"+device) + " (detached)"
		}
		if strings.Contains(image, b.dir+"/") {
			found = append(found, device+": "+image)
		}
	}
	return found
}

// nameOf is what a loop device was told its image is called, the first 63 bytes of it. A device that is gone has none.
func nameOf(path string) string {
	device, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer device.Close()
	info, err := unix.IoctlLoopGetStatus64(int(device.Fd()))
	if err != nil {
		return ""
	}
	return unix.ByteSliceToString(info.File_name[:])
}

// wantDetached waits, because the kernel detaches a device a little after its last user has gone.
func (b *bed) wantDetached() {
	b.t.Helper()
	for deadline := time.Now().Add(patience); len(b.attached()) > 0; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			b.t.Errorf("loop devices are left: %v", b.attached())
			return
		}
	}
}

// mounted are the lines of the mount table that speak of this bed.
func (b *bed) mounted() (lines string) {
	for line := range strings.Lines(read(b.t, "/proc/self/mountinfo")) {
		if strings.Contains(line, b.dir+"/") {
			lines += line
		}
	}
	return lines
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
	c, cancel := context.WithTimeout(t.Context(), patience)
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
