// Command bed runs a real Kubernetes control plane in namespaces of its own, and breaks it when told to.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime"

	"tidemark.test/kubernetes/cluster"
)

const usage = `usage: bed VERB [--dir D] ...

  up        start a control plane; prints a line of JSON when it answers     (bed up --help: all options)
  down      end it, and remove the folder            --keep: leave data and logs, for bed up --again
  status    processes, memory, listeners, rules
  restart   PROCESS    SIGKILL if it runs, start, wait until it answers
  kill      PROCESS    SIGKILL; it stays ended until restart
  pause     PROCESS    SIGSTOP: connections stay, nothing answers
  resume    PROCESS
  run       PROGRAM [ARGS]...    one more process in the bed   --name: what it is called
  break     LISTENER   apiserver, etcd, front or s3  (bed break --help: how)
  heal      LISTENER
  fault     NAME       the CSI driver of --csi misbehaves      (bed fault --help: how)   --off: no more
  dump      every object at one resource version, as sorted JSON lines
  fill      objects of every kind that can be created, custom ones too
  churn     objects come, change and go for a while

Processes: etcd, kube-apiserver, kube-controller-manager, kube-scheduler;
with --node kubelet and containerd, those of the second node kubelet-2 and containerd-2, and so on; with --s3 s3.
`

var verbs = map[string]func(args []string) error{
	"up":      up,
	"inside":  inside,
	"sweep":   sweep,
	"down":    down,
	"status":  status,
	"restart": tellProcess("restart"),
	"kill":    tellProcess("kill"),
	"pause":   tellProcess("pause"),
	"resume":  tellProcess("resume"),
	"run":     run,
	"break":   breakListener,
	"heal":    heal,
	"fault":   fault,
	"dump":    dump,
	"fill":    fill,
	"churn":   churn,
}

// The kernel ends a space with the thread that made it: that shall be the first one, which lives as long as we do.
func init() { runtime.LockOSThread() }

// errSaid is an error that the user has been told of already.
var errSaid = errors.New("said already")

func main() {
	if len(os.Args) < 2 {
		fmt.Fprint(os.Stderr, usage)
		os.Exit(2)
	}
	verb := verbs[os.Args[1]]
	if verb == nil {
		if os.Args[1] == "help" || os.Args[1] == "--help" || os.Args[1] == "-h" {
			fmt.Print(usage)
			return
		}
		fmt.Fprintf(os.Stderr, "bed: no such verb '%s'\n%s", os.Args[1], usage)
		os.Exit(2)
	}
	err := verb(os.Args[2:])
	switch {
	case err == nil:
	case errors.Is(err, flag.ErrHelp):
	case errors.Is(err, errSaid):
		os.Exit(1)
	default:
		said := os.Args[1]
		if said == "inside" {
			said = "up" // which the user called
		}
		fmt.Fprintf(os.Stderr, "bed %s: %v\n", said, err)
		os.Exit(1)
	}
}

// A verb's flags, with the folder that all have.
type verbFlags struct {
	*flag.FlagSet
	dir      string
	operands []string
}

func newFlags(verb, operands string) *verbFlags {
	flags := &verbFlags{FlagSet: flag.NewFlagSet(verb, flag.ContinueOnError)}
	flags.StringVar(&flags.dir, "dir", "build/bed", "folder of the bed")
	flags.Usage = func() {
		fmt.Fprintf(os.Stderr, "usage: bed %s [options] %s\n", verb, operands)
		flags.PrintDefaults()
	}
	return flags
}

// For parse: from the first operand on everything is left as it is, for it is another program's.
const verbatim = -1

// Reads the command line, options and operands in any order; the operands must be as many as told.
func (f *verbFlags) parse(args []string, operands int) (cluster.Folder, error) {
	if operands == verbatim {
		if err := f.Parse(args); err != nil {
			return f.folder(err)
		}
		f.operands = f.Args()
		return f.folder(nil)
	}
	var found []string
	for rest := args; ; rest = f.Args()[1:] {
		if err := f.Parse(rest); err != nil {
			return f.folder(err)
		}
		if f.NArg() == 0 {
			break
		}
		found = append(found, f.Arg(0))
	}
	if len(found) != operands {
		return "", fmt.Errorf("%d operands where there should be %d; see bed %s --help", len(found), operands, f.Name())
	}
	f.operands = found
	return f.folder(nil)
}

func (f *verbFlags) folder(err error) (cluster.Folder, error) {
	switch {
	case errors.Is(err, flag.ErrHelp):
		return "", err
	case err != nil:
		return "", errSaid // by the package flag
	}
	return cluster.NewFolder(f.dir)
}
