package main

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"tidemark.test/kubernetes/control"
	"tidemark.test/kubernetes/process"
	"tidemark.test/kubernetes/proxy"
)

func down(args []string) error {
	flags := newFlags("down", "")
	keep := flags.Bool("keep", false, "leave keys, data and logs in the folder")
	folder, err := flags.parse(args, 0)
	if err != nil {
		return err
	}
	if err := folder.End(orderly + 5*time.Second); err != nil || *keep {
		return err
	}
	return os.RemoveAll(string(folder))
}

func status(args []string) error {
	folder, err := newFlags("status", "").parse(args, 0)
	if err != nil {
		return err
	}
	var status control.Status
	if err := control.Tell(context.Background(), folder.Control(), http.MethodGet, "/status", nil, &status); err != nil {
		return err
	}
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetIndent("", "  ")
	return encoder.Encode(status)
}

func tellProcess(verb string) func([]string) error {
	return func(args []string) error {
		flags := newFlags(verb, "PROCESS")
		folder, err := flags.parse(args, 1)
		if err != nil {
			return err
		}
		return control.Tell(context.Background(), folder.Control(), http.MethodPost, "/processes/"+flags.operands[0]+"/"+verb, nil, nil)
	}
}

func run(args []string) error {
	flags := newFlags("run", "PROGRAM [ARGS]...")
	name := flags.String("name", "", "what the process is called (default: the program's name)")
	var environment []string
	flags.Func("env", "`NAME=VALUE`; may be given again", func(pair string) error {
		environment = append(environment, pair)
		return nil
	})
	folder, err := flags.parse(args, verbatim)
	if err != nil {
		return err
	}
	if len(flags.operands) == 0 {
		return errors.New("no program is named; see bed run --help")
	}
	program, err := exec.LookPath(flags.operands[0])
	if err != nil {
		return err
	}
	if program, err = filepath.Abs(program); err != nil {
		return err
	}
	if *name == "" {
		*name = filepath.Base(program)
	}
	spec := process.Spec{Name: *name, Path: program, Args: flags.operands[1:], Env: environment}
	return control.Tell(context.Background(), folder.Control(), http.MethodPost, "/processes", spec, nil)
}

func breakListener(args []string) error {
	flags := newFlags("break", "apiserver|etcd|front|s3")
	var rule proxy.Rule
	flags.BoolVar(&rule.BlackHole, "black-hole", false, "connections open, and no byte goes either way")
	flags.BoolVar(&rule.Refuse, "refuse", false, "connections are reset as they come")
	flags.Int64Var(&rule.CutAfter, "cut-after", 0, "a connection is reset after this many `BYTES` to the client")
	flags.DurationVar(&rule.Delay, "delay", 0, "each piece of data is held this long, either way")
	flags.Int64Var(&rule.BytesPerSecond, "slow", 0, "`BYTES` a second, either way, of each connection")
	flags.IntVar(&rule.Status, "status", 0, "front and s3 only: answer requests by this status")
	flags.IntVar(&rule.RetryAfter, "retry-after", 0, "with a status: the header, in seconds")
	flags.Float64Var(&rule.Share, "share", 0, "with a status: of the requests, between 0 and 1 (default all)")
	flags.StringVar(&rule.Method, "method", "", "with a status: only requests of this method")
	flags.StringVar(&rule.Path, "path", "", "with a status: only requests whose path and query match this regular expression")
	flags.IntVar(&rule.Times, "times", 0, "so often (default until healed)")
	folder, err := flags.parse(args, 1)
	if err != nil {
		return err
	}
	return control.Tell(context.Background(), folder.Control(), http.MethodPut, "/listeners/"+flags.operands[0]+"/rule", rule, nil)
}

func heal(args []string) error {
	flags := newFlags("heal", "apiserver|etcd|front|s3")
	folder, err := flags.parse(args, 1)
	if err != nil {
		return err
	}
	return control.Tell(context.Background(), folder.Control(), http.MethodDelete, "/listeners/"+flags.operands[0]+"/rule", nil, nil)
}

// Of the CSI driver; its page lists the names.
func fault(args []string) error {
	flags := newFlags("fault", "never-ready|slow-ready|error-then-ok|timeout-after-success|...")
	body := map[string]any{}
	off := flags.Bool("off", false, "as it was before")
	flags.Func("match", "only where the request or the snapshot has this `TEXT`", func(text string) error {
		body["match"] = text
		return nil
	})
	flags.Func("methods", "`NAMES` of CSI calls, with commas between", func(text string) error {
		body["methods"] = strings.Split(text, ",")
		return nil
	})
	flags.Func("code", "`NAME` of the gRPC code that is answered", func(text string) error {
		body["code"] = text
		return nil
	})
	flags.Func("seconds", "`NUMBER`: how long", func(text string) (err error) {
		body["seconds"], err = strconv.ParseFloat(text, 64)
		return err
	})
	flags.Func("times", "`NUMBER`: how often for one object, -1 without end", func(text string) (err error) {
		body["times"], err = strconv.Atoi(text)
		return err
	})
	folder, err := flags.parse(args, 1)
	if err != nil {
		return err
	}
	method := http.MethodPut
	if *off {
		method = http.MethodDelete
	}
	return control.Tell(context.Background(), folder.CSIControl(), method, "/faults/"+flags.operands[0], body, nil)
}
