package fault

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// Handler is the HTTP side, for a Unix socket:
//
//	GET    /faults          what is on, and how often each struck
//	PUT    /faults/<name>   switch on; the body, if any, is a Fault in JSON
//	DELETE /faults/<name>   switch off
func (s *Switches) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /faults", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(s.All())
	})
	mux.HandleFunc("PUT /faults/{name}", func(w http.ResponseWriter, r *http.Request) {
		var fault Fault
		decoder := json.NewDecoder(r.Body)
		decoder.DisallowUnknownFields()
		err := decoder.Decode(&fault)
		if err == nil || errors.Is(err, io.EOF) {
			err = s.On(r.PathValue("name"), fault)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("DELETE /faults/{name}", func(w http.ResponseWriter, r *http.Request) {
		s.Off(r.PathValue("name"))
		w.WriteHeader(http.StatusNoContent)
	})
	return mux
}

// Parse reads a fault from a command line: name[:key=value,...], as slow-ready:seconds=3,match=pvc-1.
func Parse(text string) (string, Fault, error) {
	name, rest, _ := strings.Cut(text, ":")
	var fault Fault
	if rest == "" {
		return name, fault, nil
	}
	for pair := range strings.SplitSeq(rest, ",") {
		key, value, _ := strings.Cut(pair, "=")
		var err error
		switch key {
		case "seconds":
			fault.Seconds, err = strconv.ParseFloat(value, 64)
		case "times":
			fault.Times, err = strconv.Atoi(value)
		case "match":
			fault.Match = value
		case "code":
			fault.Code = value
		case "method":
			fault.Methods = append(fault.Methods, value)
		default:
			err = fmt.Errorf("no such key '%s' (seconds, times, match, code, method)", key)
		}
		if err != nil {
			return "", fault, fmt.Errorf("fault %s: %w", text, err)
		}
	}
	return name, fault, nil
}
