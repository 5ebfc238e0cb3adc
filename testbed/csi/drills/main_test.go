// Package drills proves the driver with the real program: a pool of its own, real file systems, real loop devices, in
// namespaces of its own. When the tests end, however they end, the kernel takes all of it away.
package drills

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"tidemark.test/csi/internal/registrar"
	"tidemark.test/csi/internal/role"
	"tidemark.test/csi/internal/serve"
)

// part says what this program is to be: the tests' program is also the driver and the writer that the tests start.
const part = "TIDEMARK_CSI_PART"

func TestMain(m *testing.M) {
	role.Run()
	switch os.Getenv(part) {
	case "driver":
		os.Exit(serve.Main(os.Args[1:]))
	case "registrar":
		os.Exit(registrar.Main(os.Args[1:]))
	case "writer":
		os.Exit(write(os.Args[1], os.Args[2]))
	case "inside":
		if err := furnish(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(m.Run())
	}
	os.Exit(enter())
}

// enter runs these tests again in namespaces of their own.
func enter() int {
	if os.Geteuid() != 0 {
		fmt.Println("the CSI driver's drills mount file systems and need root: not run")
		if os.Getenv("CI") != "" {
			return 1
		}
		return 0
	}
	if out, err := exec.Command("../../csi-sanity/build").CombinedOutput(); err != nil && os.Getenv("CSI_SANITY") == "" {
		fmt.Printf("testbed/csi-sanity/build: %v\n%s", err, out)
		return 1
	}
	runtime.LockOSThread() // the death signal is the parent thread's
	inside := exec.Command("/proc/self/exe", os.Args[1:]...)
	inside.Args[0] = os.Args[0]
	inside.Env = append(os.Environ(), part+"=inside")
	inside.Stdin, inside.Stdout, inside.Stderr = os.Stdin, os.Stdout, os.Stderr
	inside.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWNET,
		Pdeathsig:  syscall.SIGKILL,
	}
	signal.Ignore(syscall.SIGINT) // the inner one gets it too and ends both
	err := inside.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return max(exit.ExitCode(), 1)
	}
	if err != nil {
		fmt.Println(err)
		return 1
	}
	return 0
}

// furnish gives the namespaces a /proc and a place for temporary files, which ends with them.
func furnish() error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	if err := unix.Mount("proc", "/proc", "proc", 0, ""); err != nil {
		return fmt.Errorf("mount /proc: %w", err)
	}
	// Not over /tmp, where the go command keeps files of its own for this run.
	here, err := os.Getwd()
	if err != nil {
		return err
	}
	for _, place := range []string{"/mnt", "/media", "/srv"} {
		if strings.HasPrefix(here, place+"/") {
			continue
		}
		if err := unix.Mount("tmpfs", place, "tmpfs", 0, "mode=1777"); err != nil {
			return fmt.Errorf("mount %s: %w", place, err)
		}
		return os.Setenv("TMPDIR", place)
	}
	return nil
}

func sanityProgram() string {
	if path := os.Getenv("CSI_SANITY"); path != "" {
		return path
	}
	path, _ := filepath.Abs("../../../build/testbed/csi-sanity/csi-sanity")
	return path
}
