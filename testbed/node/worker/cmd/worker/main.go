// Command worker is all that is in the image of the test bed's pods: a workload with data, and, as there is no shell in
// the image, what `kubectl exec` needs to look at it.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"tidemark.test/worker/counters"
)

const usage = `usage: worker VERB ...

  count FILE [EVERY]    append counters, each on disk before the next, until told to end (default every 100ms);
                        goes on where the file ends
  write FILE NUMBER     append so many, print the file's SHA-256
  sum FILE...           print the SHA-256 of each
  expect FILE SHA256    fail if it has another
  check FILE            every counter there once, in order; prints how many
  put FILE TEXT         make the file, on disk
  cat FILE...
  ls FOLDER
  api PATH              ask the API server, as the pod's service account
  sleep [FOR]           until told to end, or so long
  exit CODE
`

var verbs = map[string]func(args []string) error{
	"count":  count,
	"write":  write,
	"sum":    sum,
	"expect": expect,
	"check":  check,
	"put":    put,
	"cat":    cat,
	"ls":     list,
	"api":    ask,
	"sleep":  sleep,
	"exit":   exit,
}

var errUsage = errors.New("usage")

func main() {
	err := errUsage
	if len(os.Args) > 1 && verbs[os.Args[1]] != nil {
		err = verbs[os.Args[1]](os.Args[2:])
	}
	if errors.Is(err, errUsage) {
		fmt.Fprint(os.Stderr, usage)
		os.Exit(2)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "worker %s: %v\n", os.Args[1], err)
		os.Exit(1)
	}
}

// Process 1 of a container is sent only what it asks for.
func told() <-chan os.Signal {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	return signals
}

func count(args []string) error {
	every := 100 * time.Millisecond
	if len(args) == 2 {
		var err error
		if every, err = time.ParseDuration(args[1]); err != nil {
			return err
		}
		args = args[:1]
	}
	if len(args) != 1 || every <= 0 {
		return errUsage
	}
	end := told()
	file, err := counters.Open(args[0])
	if err != nil {
		return err
	}
	defer file.Close()
	fmt.Printf("%s: goes on after %d\n", args[0], file.Last())
	ticks := time.NewTicker(every)
	defer ticks.Stop()
	for {
		select {
		case <-end:
			fmt.Printf("%s: told to end after %d\n", args[0], file.Last())
			return nil
		case <-ticks.C:
			if err := file.Append(); err != nil {
				return err
			}
		}
	}
}

func write(args []string) error {
	if len(args) != 2 {
		return errUsage
	}
	number, err := strconv.Atoi(args[1])
	if err != nil || number < 0 {
		return errUsage
	}
	file, err := counters.Open(args[0])
	if err != nil {
		return err
	}
	defer file.Close()
	for range number {
		if err := file.Append(); err != nil {
			return err
		}
	}
	return sum(args[:1])
}

func sum(args []string) error {
	for _, path := range args {
		digest, err := counters.Sum(path)
		if err != nil {
			return err
		}
		fmt.Printf("%s  %s\n", digest, path)
	}
	return nil
}

func expect(args []string) error {
	if len(args) != 2 {
		return errUsage
	}
	digest, err := counters.Sum(args[0])
	if err == nil && digest != args[1] {
		err = fmt.Errorf("%s has the SHA-256 %s, not %s", args[0], digest, args[1])
	}
	return err
}

func check(args []string) error {
	if len(args) != 1 {
		return errUsage
	}
	last, err := counters.Check(args[0])
	if err == nil {
		fmt.Println(last)
	}
	return err
}

func put(args []string) error {
	if len(args) != 2 {
		return errUsage
	}
	file, err := os.Create(args[0])
	if err != nil {
		return err
	}
	defer file.Close()
	if _, err := file.WriteString(args[1]); err != nil {
		return err
	}
	return file.Sync()
}

func cat(args []string) error {
	for _, path := range args {
		file, err := os.Open(path)
		if err != nil {
			return err
		}
		defer file.Close()
		if _, err := io.Copy(os.Stdout, file); err != nil {
			return err
		}
	}
	return nil
}

func list(args []string) error {
	if len(args) != 1 {
		return errUsage
	}
	entries, err := os.ReadDir(args[0])
	for _, entry := range entries {
		fmt.Println(entry.Name())
	}
	return err
}

func sleep(args []string) error {
	var over <-chan time.Time
	if len(args) > 0 {
		span, err := time.ParseDuration(args[0])
		if err != nil {
			return err
		}
		over = time.After(span)
	}
	select {
	case <-told():
	case <-over:
	}
	return nil
}

func exit(args []string) error {
	if len(args) != 1 {
		return errUsage
	}
	code, err := strconv.Atoi(args[0])
	if err != nil {
		return errUsage
	}
	os.Exit(code)
	return nil
}
