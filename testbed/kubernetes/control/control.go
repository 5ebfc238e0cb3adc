// Package control is how a running bed is told what to do: HTTP with JSON over a Unix socket in the bed's folder.
//
//	GET    /status
//	POST   /processes/NAME/{restart,pause,resume,kill}
//	POST   /processes               a process.Spec: one more
//	PUT    /listeners/NAME/rule     a proxy.Rule
//	DELETE /listeners/NAME/rule
package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"tidemark.test/kubernetes/cluster"
	"tidemark.test/kubernetes/process"
	"tidemark.test/kubernetes/proxy"
)

// Status is what `bed status` prints.
type Status struct {
	Processes []process.Status    `json:"processes"`
	Listeners map[string]Listener `json:"listeners"`
	BedRSS    int                 `json:"bed_rss_mib"` // of the process inside
}

// Listener is the state of one listener.
type Listener struct {
	Address string      `json:"address"`
	Rule    *proxy.Rule `json:"rule,omitempty"`
	proxy.Count
}

// A socket's path may be 107 bytes long; that of a folder is what it is. So the folder is opened first, and the socket
// is named from there.
func short(path string) (name string, folder *os.File, err error) {
	if folder, err = os.Open(filepath.Dir(path)); err != nil {
		return "", nil, err
	}
	return fmt.Sprintf("/proc/self/fd/%d/%s", folder.Fd(), filepath.Base(path)), folder, nil
}

// Listen makes the socket anew.
func Listen(path string) (net.Listener, error) {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	name, folder, err := short(path)
	if err != nil {
		return nil, err
	}
	defer folder.Close()
	listener, err := net.Listen("unix", name)
	if err != nil {
		return nil, err
	}
	listener.(*net.UnixListener).SetUnlinkOnClose(false) // the name is not good for that any more
	return listener, nil
}

// Handler answers for a bed.
func Handler(bed *cluster.Bed, outside cluster.Outside) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /status", func(answer http.ResponseWriter, _ *http.Request) {
		status := Status{Processes: bed.Processes.Status(), Listeners: map[string]Listener{}}
		status.BedRSS, _ = process.Memory(os.Getpid())
		for name, gate := range bed.Gates {
			rule, count := gate.State()
			status.Listeners[name] = Listener{Address: outside[name], Rule: rule, Count: count}
		}
		_ = json.NewEncoder(answer).Encode(status)
	})
	mux.HandleFunc("POST /processes/{name}/{verb}", func(answer http.ResponseWriter, request *http.Request) {
		done(answer, order(request.Context(), bed, request.PathValue("name"), request.PathValue("verb")))
	})
	mux.HandleFunc("POST /processes", func(answer http.ResponseWriter, request *http.Request) {
		var spec process.Spec
		err := json.NewDecoder(request.Body).Decode(&spec)
		if err == nil && (spec.Name == "" || strings.ContainsAny(spec.Name, "/ ")) {
			err = fmt.Errorf("'%s' is no name for a process", spec.Name)
		}
		if err == nil {
			err = bed.Processes.Start(spec)
		}
		done(answer, err)
	})
	mux.HandleFunc("PUT /listeners/{name}/rule", func(answer http.ResponseWriter, request *http.Request) {
		var rule proxy.Rule
		gate, err := gateOf(bed, request.PathValue("name"))
		if err == nil {
			err = json.NewDecoder(request.Body).Decode(&rule)
		}
		if err == nil {
			err = gate.Break(rule)
		}
		done(answer, err)
	})
	mux.HandleFunc("DELETE /listeners/{name}/rule", func(answer http.ResponseWriter, request *http.Request) {
		gate, err := gateOf(bed, request.PathValue("name"))
		if err == nil {
			gate.Heal()
		}
		done(answer, err)
	})
	return mux
}

func order(ctx context.Context, bed *cluster.Bed, name, verb string) error {
	switch verb {
	case "restart":
		return bed.Restart(ctx, name)
	case "pause":
		return bed.Processes.Pause(name)
	case "resume":
		return bed.Processes.Resume(name)
	case "kill":
		return bed.Processes.Kill(name)
	}
	return fmt.Errorf("no such verb '%s'", verb)
}

func gateOf(bed *cluster.Bed, name string) (*proxy.Gate, error) {
	if gate := bed.Gates[name]; gate != nil && name != cluster.ListenDirect {
		return gate, nil
	}
	return nil, fmt.Errorf("no listener '%s' that can be broken (there are %s, %s, %s)", name,
		cluster.ListenAPIServer, cluster.ListenFront, cluster.ListenEtcd)
}

func done(answer http.ResponseWriter, err error) {
	if err != nil {
		http.Error(answer, err.Error(), http.StatusConflict)
	}
}

// Tell makes one request of the bed at a socket.
func Tell(ctx context.Context, path, method, what string, body, into any) error {
	name, folder, err := short(path)
	if err != nil {
		return fmt.Errorf("no bed: %w", err)
	}
	defer folder.Close()
	client := http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", name)
		},
	}}
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, method, "http://bed"+what, bytes.NewReader(text))
	if err != nil {
		return err
	}
	answer, err := client.Do(request)
	if err != nil {
		return fmt.Errorf("no bed answers at %s: %w", path, errors.Unwrap(err))
	}
	defer answer.Body.Close()
	said, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	if answer.StatusCode >= http.StatusMultipleChoices {
		return errors.New(string(bytes.TrimSpace(said)))
	}
	if into != nil {
		return json.Unmarshal(said, into)
	}
	return nil
}
