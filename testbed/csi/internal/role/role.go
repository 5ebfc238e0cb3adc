// Package role lets the program start itself again as a small process that outlives it: kill -9 of the driver must
// neither leave a file system frozen nor take a block device away from a pod.
package role

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"syscall"
)

const variable = "TIDEMARK_CSI_ROLE"
const count = "TIDEMARK_CSI_ROLE_FILES"

// Work is what a process of a role does.
type Work func(parent *os.File, files []*os.File, arguments []string)

var roles = map[string]Work{}

// Register names what a process of this role does. Call it from init.
func Register(name string, work Work) { roles[name] = work }

// Run plays the role that the environment asks for, then ends the program; without a role it does nothing. It must be
// the first call of main.
func Run() {
	work, ok := roles[os.Getenv(variable)]
	if !ok {
		return
	}
	// These processes end when their work does, not because somebody stops the driver's whole group.
	signal.Ignore(syscall.SIGINT, syscall.SIGHUP)
	n, _ := strconv.Atoi(os.Getenv(count))
	files := make([]*os.File, n)
	for i := range files {
		files[i] = os.NewFile(uintptr(4+i), fmt.Sprintf("file %d", i))
	}
	work(os.NewFile(3, "parent"), files, os.Args[1:])
	os.Exit(0)
}

// Process is a started one.
type Process struct {
	command *exec.Cmd
	pipe    *os.File
}

// Start starts this program in the role, with the files open in it.
func Start(name string, files []*os.File, arguments ...string) (*Process, error) {
	theirs, ours, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer theirs.Close()
	command := exec.Command("/proc/self/exe", arguments...)
	command.Args[0] = "csi-driver:" + name
	command.Env = []string{variable + "=" + name, fmt.Sprintf("%s=%d", count, len(files)), "GOMAXPROCS=1"}
	command.ExtraFiles = append([]*os.File{theirs}, files...)
	command.Stderr = os.Stderr
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := command.Start(); err != nil {
		ours.Close()
		return nil, err
	}
	return &Process{command, ours}, nil
}

// Finish tells the process that all is well and waits for its end.
func (p *Process) Finish() {
	_, _ = p.pipe.Write([]byte{1})
	p.pipe.Close()
	_ = p.command.Wait()
}

// Leave lets the process live on alone.
func (p *Process) Leave() {
	p.pipe.Close()
	go func() { _ = p.command.Wait() }()
}

// SaidGoodbye waits until the parent says that all is well (true) or is gone (false).
func SaidGoodbye(parent *os.File) bool {
	n, _ := io.ReadFull(parent, make([]byte, 1))
	return n == 1
}
