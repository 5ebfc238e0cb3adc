// Package fault breaks a working driver in the ways that storage breaks in the field, switched on and off while it runs.
// README.md says what each imitates.
package fault

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// The faults.
const (
	SlowReady           = "slow-ready"
	NeverReady          = "never-ready"
	ErrorThenOK         = "error-then-ok"
	TimeoutAfterSuccess = "timeout-after-success"
	SlowCall            = "slow-call"
	DeleteStuck         = "delete-stuck"
	CapacityExhausted   = "capacity-exhausted"
	StaleList           = "stale-list"
	VolumeAbnormal      = "volume-abnormal"
)

// Fault is one that is switched on. Fields that are not given get the fault's defaults.
type Fault struct {
	Methods []string `json:"methods,omitempty"` // the calls it breaks, as CreateSnapshot
	Match   string   `json:"match,omitempty"`   // only where the request (or snapshot) says this somewhere
	Seconds float64  `json:"seconds,omitempty"` // how long, for those that take time
	Times   int      `json:"times,omitempty"`   // how often for one object, before it works; 0: while it is on
	Code    string   `json:"code,omitempty"`    // the gRPC code answered, as UNAVAILABLE
	Hits    int      `json:"hits"`              // how often it struck
}

var defaults = map[string]Fault{
	SlowReady:           {Methods: []string{"CreateSnapshot", "CreateVolumeGroupSnapshot"}, Seconds: 10},
	NeverReady:          {},
	ErrorThenOK:         {Methods: []string{"CreateSnapshot", "CreateVolumeGroupSnapshot"}, Times: 2, Code: "INTERNAL"},
	TimeoutAfterSuccess: {Methods: []string{"CreateSnapshot", "CreateVolumeGroupSnapshot", "CreateVolume"}, Times: 1, Seconds: 3600, Code: "DEADLINE_EXCEEDED"},
	SlowCall:            {Methods: []string{"CreateSnapshot", "CreateVolumeGroupSnapshot", "CreateVolume"}, Seconds: 5},
	DeleteStuck:         {Methods: []string{"DeleteSnapshot", "DeleteVolumeGroupSnapshot", "DeleteVolume"}, Code: "FAILED_PRECONDITION"},
	CapacityExhausted:   {Methods: []string{"CreateVolume", "CreateSnapshot", "CreateVolumeGroupSnapshot", "ControllerExpandVolume"}, Code: "RESOURCE_EXHAUSTED"},
	StaleList:           {},
	VolumeAbnormal:      {},
}

// Switches are the faults of one driver. Calls may come from any goroutine.
type Switches struct {
	// Changed is told of each fault that is switched on or off, before the call that did it is answered.
	Changed func(name string, on bool)

	lock   sync.Mutex
	on     map[string]*Fault
	struck map[string]int // by fault and object
}

// New has all faults switched off.
func New() *Switches {
	return &Switches{on: map[string]*Fault{}, struck: map[string]int{}, Changed: func(string, bool) {}}
}

// On switches a fault on, anew if it was.
func (s *Switches) On(name string, fault Fault) error {
	base, ok := defaults[name]
	if !ok {
		return fmt.Errorf("no such fault '%s' (%s)", name, strings.Join(Names(), ", "))
	}
	if fault.Methods != nil {
		base.Methods = fault.Methods
	}
	if fault.Code != "" {
		if _, err := codeOf(fault.Code); err != nil {
			return err
		}
		base.Code = fault.Code
	}
	base.Match = fault.Match
	base.Seconds = override(base.Seconds, fault.Seconds)
	base.Times = override(base.Times, fault.Times)
	s.lock.Lock()
	s.on[name] = &base
	for key := range s.struck {
		if strings.HasPrefix(key, name+" ") {
			delete(s.struck, key)
		}
	}
	s.lock.Unlock()
	s.Changed(name, true)
	return nil
}

// override: 0 is the default, less than 0 means 0.
func override[T int | float64](base, given T) T {
	switch {
	case given == 0:
		return base
	case given < 0:
		return 0
	}
	return given
}

// Off switches a fault off; one that is not on is no error.
func (s *Switches) Off(name string) {
	s.lock.Lock()
	delete(s.on, name)
	s.lock.Unlock()
	s.Changed(name, false)
}

// All answers what is on.
func (s *Switches) All() map[string]Fault {
	s.lock.Lock()
	defer s.lock.Unlock()
	all := map[string]Fault{}
	for name, fault := range s.on {
		all[name] = *fault
	}
	return all
}

// Names are the faults that there are.
func Names() []string {
	var names []string
	for name := range defaults {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Strikes says whether a fault hits what the text speaks of, and how it was set.
func (s *Switches) Strikes(name, text string) (Fault, bool) {
	s.lock.Lock()
	defer s.lock.Unlock()
	fault, on := s.on[name]
	if !on || !strings.Contains(text, fault.Match) {
		return Fault{}, false
	}
	fault.Hits++
	return *fault, true
}

// StrikesCall is Strikes where the call counts too.
func (s *Switches) StrikesCall(name, method, text string) (Fault, bool) {
	s.lock.Lock()
	fault, on := s.on[name]
	fits := on && slices.Contains(fault.Methods, method)
	s.lock.Unlock()
	if !fits {
		return Fault{}, false
	}
	return s.Strikes(name, text)
}

// hits is Strikes for a call: its method counts, and how often the object was hit before.
func (s *Switches) hits(name, method string, request any) (Fault, bool) {
	s.lock.Lock()
	defer s.lock.Unlock()
	fault, on := s.on[name]
	if !on || !slices.Contains(fault.Methods, method) || !strings.Contains(fmt.Sprint(request), fault.Match) {
		return Fault{}, false
	}
	key := name + " " + method + " " + object(request)
	if fault.Times > 0 && s.struck[key] >= fault.Times {
		return Fault{}, false
	}
	s.struck[key]++
	fault.Hits++
	return *fault, true
}

// object is what a request is about.
func object(request any) string {
	switch r := request.(type) {
	case interface{ GetName() string }:
		return r.GetName()
	case interface{ GetSnapshotId() string }:
		return r.GetSnapshotId()
	case interface{ GetGroupSnapshotId() string }:
		return r.GetGroupSnapshotId()
	case interface{ GetVolumeId() string }:
		return r.GetVolumeId()
	}
	return ""
}

// Intercept is the gRPC interceptor that breaks calls.
func (s *Switches) Intercept(ctx context.Context, request any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
	method := path.Base(info.FullMethod)
	for _, name := range []string{ErrorThenOK, DeleteStuck, CapacityExhausted} {
		if fault, hit := s.hits(name, method, request); hit {
			return nil, fault.err(name)
		}
	}
	if fault, hit := s.hits(SlowCall, method, request); hit {
		if err := wait(ctx, fault.Seconds); err != nil {
			return nil, err
		}
	}
	answer, err := handle(ctx, request)
	if err == nil {
		if fault, hit := s.hits(TimeoutAfterSuccess, method, request); hit {
			_ = wait(ctx, fault.Seconds)
			return nil, fault.err(TimeoutAfterSuccess)
		}
	}
	return answer, err
}

var messages = map[string]string{
	ErrorThenOK:         "the storage system's management does not answer",
	DeleteStuck:         "it is in use by another resource",
	CapacityExhausted:   "there is no room left in the pool",
	TimeoutAfterSuccess: "the storage system did not answer in time",
}

func (f Fault) err(name string) error {
	code, err := codeOf(f.Code)
	if err != nil {
		code = codes.Internal
	}
	return status.Errorf(code, "%s (fault %s)", messages[name], name)
}

func codeOf(name string) (codes.Code, error) {
	var code codes.Code
	if err := code.UnmarshalJSON([]byte(strconv.Quote(name))); err != nil {
		return 0, fmt.Errorf("no such gRPC code '%s'", name)
	}
	return code, nil
}

func wait(ctx context.Context, seconds float64) error {
	select {
	case <-time.After(time.Duration(seconds * float64(time.Second))):
		return nil
	case <-ctx.Done():
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return status.Error(codes.DeadlineExceeded, ctx.Err().Error())
		}
		return status.Error(codes.Canceled, ctx.Err().Error())
	}
}
