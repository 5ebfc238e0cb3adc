// Package drill starts beds by the command `bed`, as a user does, and breaks them.
package drill

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"tidemark.test/kubernetes/api"
	"tidemark.test/kubernetes/cluster"
	"tidemark.test/kubernetes/control"
	"tidemark.test/kubernetes/pki"
)

// Folder with etcd-3.6/ and kubernetes/, and the program `bed` as the sources are now.
var programs, program string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		programs, _ = filepath.Abs("../../../build/testbed")
		temporary, err := os.MkdirTemp("", "bed-drill-")
		if err != nil {
			panic(err)
		}
		defer os.RemoveAll(temporary)
		program = filepath.Join(temporary, "bed")
		if output, err := exec.Command("go", "build", "-o", program, "../cmd/bed").CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, output)
			return 1
		}
		return m.Run()
	}())
}

// A drilled is a bed of a test. It is gone when the test is; its logs are printed when the test failed.
type drilled struct {
	*testing.T
	dir       string
	temporary string // where its commands put temporary files, when not in the usual place
	namespace string // that kubectl works in, when it is not `default`
	pool      string // of the CSI driver, when it is not in the folder
	ready     struct {
		Kubeconfig, Etcd, Control string
		RestrictedKubeconfig      string `json:"restricted_kubeconfig"`
		FrontKubeconfig           string `json:"front_kubeconfig"`
		FrontRestrictedKubeconfig string `json:"front_restricted_kubeconfig"`
		Volumes                   string
		S3                        struct {
			Endpoint, Region, Bucket string
			AccessKey                string `json:"access_key"`
			SecretKey                string `json:"secret_key"`
		}
		Seconds float64
		Steps   []cluster.Step
		RSS     map[string]int `json:"rss_mib"`
	}
}

func start(t *testing.T, args ...string) *drilled {
	t.Helper()
	bed := &drilled{T: t, dir: filepath.Join(t.TempDir(), "bed")}
	bed.whenOver()
	bed.up(args...)
	return bed
}

// When the test is over its logs are shown, if it failed, and the bed goes down, if it is still up.
func (b *drilled) whenOver() {
	b.Cleanup(func() {
		if b.Failed() {
			b.keepLogs()
		}
		if _, err := os.Stat(b.dir); err == nil {
			b.must("down")
		}
	})
}

// Shows the last lines of each log, and keeps all of them: the bed's folder goes with the test.
func (b *drilled) keepLogs() {
	b.Helper()
	logs, _ := filepath.Glob(filepath.Join(b.dir, "logs", "*"))
	for _, log := range logs {
		output, _ := exec.Command("tail", "-n", "15", log).Output()
		b.Logf("%s:\n%s", log, output)
	}
	kept := filepath.Join(programs, "..", "test-results", "logs", b.Name())
	if err := errors.Join(os.RemoveAll(kept), os.CopyFS(kept, os.DirFS(filepath.Join(b.dir, "logs")))); err != nil {
		b.Logf("its logs are not kept: %v", err)
		return
	}
	b.Logf("its logs are kept: %s", kept)
}

func (b *drilled) up(args ...string) {
	b.Helper()
	// With these tests: after Ctrl-C, and after the end of their time, nobody else would end it.
	output := b.must("up", append([]string{"--programs", programs, "--with", strconv.Itoa(os.Getpid())}, args...)...)
	if err := json.Unmarshal([]byte(output), &b.ready); err != nil {
		b.Fatalf("bed up printed %q: %v", output, err)
	}
	b.Logf("up in %.1f s: %v, MiB: %v", b.ready.Seconds, b.ready.Steps, b.ready.RSS)
}

// Runs `bed VERB --dir D ARGS`.
func (b *drilled) run(verb string, args ...string) (string, error) {
	command := exec.Command(program, append([]string{verb, "--dir", b.dir}, args...)...)
	var output, said bytes.Buffer
	command.Stdout, command.Stderr = &output, &said
	if b.temporary != "" {
		command.Env = append(os.Environ(), "TMPDIR="+b.temporary)
	}
	if err := command.Run(); err != nil {
		return output.String(), fmt.Errorf("bed %s %s: %w\n%s", verb, strings.Join(args, " "), err, said.String())
	}
	return output.String(), nil
}

func (b *drilled) must(verb string, args ...string) string {
	b.Helper()
	output, err := b.run(verb, args...)
	if err != nil {
		b.Fatal(err)
	}
	return output
}

func (b *drilled) status() (status control.Status) {
	b.Helper()
	if err := json.Unmarshal([]byte(b.must("status")), &status); err != nil {
		b.Fatal(err)
	}
	return status
}

// What each process holds resident, and at most held since its start.
func (b *drilled) memory() string {
	b.Helper()
	status := b.status()
	text, sum := fmt.Sprintf("MiB: bed %d", status.BedRSS), status.BedRSS
	for _, process := range status.Processes {
		if process.RSS == 0 {
			continue // it has ended
		}
		text += fmt.Sprintf(", %s %d (peak %d)", process.Name, process.RSS, process.Peak)
		sum += process.RSS
	}
	return fmt.Sprintf("%s: %d in all", text, sum)
}

// A client of a listener, by the certificate of a user.
func (b *drilled) client(listener, user string) *api.Client {
	b.Helper()
	address := b.status().Listeners[listener].Address
	client, err := api.New(address, pki.Folder(filepath.Join(b.dir, "pki")), user)
	if err != nil {
		b.Fatal(err)
	}
	return client
}

// Waits until something is so. Asks seldom when it takes long: each question to Kubernetes costs the processor that the
// answer waits for.
func (b *drilled) until(what string, so func() bool) {
	b.Helper()
	const patience = 6 * time.Minute
	pause := 20 * time.Millisecond
	for deadline := time.Now().Add(patience); !so(); time.Sleep(pause) {
		if time.Now().After(deadline) {
			b.Fatalf("waited %v: %s", patience, what)
		}
		pause = min(pause*5/4, 300*time.Millisecond)
	}
}

// The same bed, in a part of its test.
func (b *drilled) of(t *testing.T) *drilled {
	part := *b
	part.T = t
	return &part
}

// Every process whose command line names the bed's folder: number to command line.
func (b *drilled) processes() map[string]string {
	found := map[string]string{}
	lines, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, path := range lines {
		text, _ := os.ReadFile(path)
		if strings.Contains(string(text), b.dir) && !strings.Contains(string(text), "drill.test") {
			found[strings.Split(path, "/")[2]] = strings.ReplaceAll(string(text), "\x00", " ")
		}
	}
	return found
}
