// Package cluster starts the programs of one bed and knows what they need: files, command lines, and when they are
// ready. It runs inside the bed's namespaces (package space).
package cluster

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Options are what a bed is made of. They are handed from the outer process to the inner one as a file.
type Options struct {
	Programs      string   `json:"programs"`             // folder with etcd-3.6/etcd, kubernetes/kube-apiserver, ...
	Etcd          string   `json:"etcd"`                 // folder with the etcd to run
	Encryption    string   `json:"encryption,omitempty"` // an EncryptionConfiguration
	FeatureGates  string   `json:"feature_gates,omitempty"`
	RuntimeConfig string   `json:"runtime_config,omitempty"`
	Audit         bool     `json:"audit,omitempty"`
	OnlyEtcd      bool     `json:"only_etcd,omitempty"`
	NoController  bool     `json:"no_controller_manager,omitempty"`
	NoScheduler   bool     `json:"no_scheduler,omitempty"`
	CSI           bool     `json:"csi,omitempty"`
	S3            bool     `json:"s3,omitempty"`
	Flags         []string `json:"flags,omitempty"` // PROGRAM=--flag=value, after all others
	Again         bool     `json:"again,omitempty"` // go on with the keys and data that are there
	From          string   `json:"from,omitempty"`  // begin with this etcd snapshot
	Nodes         int      `json:"nodes,omitempty"`
	Outside       Outside  `json:"outside"`
}

// Outside is where the listeners outside are: host:port of each, by name.
type Outside map[string]string

// Names of the listeners, in the order in which the outer process hands them in.
const (
	ListenAPIServer = "apiserver" // as it is, TLS untouched
	ListenFront     = "front"     // ends TLS, may answer by errors of its own
	ListenEtcd      = "etcd"
	ListenDirect    = "direct" // the API server again, for our own helpers; is never broken
	ListenS3        = "s3"     // with Options.S3; may answer by errors of its own
)

// Listeners lists those that this bed has, in that order.
func (o *Options) Listeners() []string {
	names := []string{ListenAPIServer, ListenFront, ListenEtcd, ListenDirect}
	if o.S3 {
		names = append(names, ListenS3)
	}
	return names
}

// Names of the processes.
const (
	Etcd       = "etcd"
	APIServer  = "kube-apiserver"
	Controller = "kube-controller-manager"
	Scheduler  = "kube-scheduler"
)

var flagged = []string{
	Etcd, APIServer, Controller, Scheduler, SnapshotController, CSIDriver, CSIProvisioner, CSISnapshotter, Kubelet, Containerd,
	CSIRegistrar, S3,
}

// Resolve makes paths absolute, finds the programs, and says what is missing.
func (o *Options) Resolve() error {
	var err error
	if o.Programs, err = filepath.Abs(o.Programs); err != nil {
		return err
	}
	if !strings.ContainsRune(o.Etcd, filepath.Separator) {
		o.Etcd = filepath.Join(o.Programs, "etcd-"+o.Etcd)
	}
	for _, path := range []*string{&o.Etcd, &o.Encryption, &o.From} {
		if *path == "" {
			continue
		}
		if *path, err = filepath.Abs(*path); err != nil {
			return err
		}
	}
	for _, flag := range o.Flags {
		if name, rest, _ := strings.Cut(flag, "="); !slices.Contains(flagged, name) || !strings.HasPrefix(rest, "-") {
			return fmt.Errorf("flag '%s' is not PROGRAM=--name=value with one of the programs %s", flag, strings.Join(flagged, ", "))
		}
	}
	return o.check()
}

func (o *Options) check() error {
	needed := []string{o.etcd("etcd")}
	if o.OnlyEtcd {
		o.NoController, o.NoScheduler = true, true
	} else {
		needed = append(needed, o.kubernetes(APIServer))
	}
	if !o.NoController {
		needed = append(needed, o.kubernetes(Controller))
	}
	if !o.NoScheduler {
		needed = append(needed, o.kubernetes(Scheduler))
	}
	if o.From != "" {
		needed = append(needed, o.etcd("etcdutl"))
	}
	needed = append(needed, o.csiPrograms()...)
	if o.S3 {
		needed = append(needed, o.versitygw())
	}
	for _, program := range needed {
		if info, err := os.Stat(program); err != nil || info.Mode()&0o111 == 0 {
			return fmt.Errorf("the program %s is missing: build it with testbed/etcd/build, testbed/kubernetes/build "+
				"control-plane (csi: volumes, with testbed/csi/build; testbed/s3/build), or name their folder by --programs", program)
		}
	}
	if err := o.checkNodes(); err != nil {
		return err
	}
	for _, file := range []string{o.Encryption, o.From} {
		if file == "" {
			continue
		}
		if _, err := os.Stat(file); err != nil {
			return err
		}
	}
	if o.CSI && (o.OnlyEtcd || o.NoController) {
		return errors.New("--csi needs kube-apiserver and kube-controller-manager, which binds claims to volumes")
	}
	if o.Again && o.From != "" {
		return errors.New("--again goes on with the data that is there, --from begins with other data: one of them")
	}
	return nil
}

func (o *Options) etcd(program string) string { return filepath.Join(o.Etcd, program) }
func (o *Options) kubernetes(program string) string {
	return filepath.Join(o.Programs, "kubernetes", program)
}

func (o *Options) flagsOf(program string) []string {
	var flags []string
	for _, flag := range o.Flags {
		if name, rest, _ := strings.Cut(flag, "="); name == program {
			flags = append(flags, rest)
		}
	}
	return flags
}

// Save and LoadOptions hand the options over.
func (o *Options) Save(path string) error {
	text, err := json.MarshalIndent(o, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o644)
}

// LoadOptions reads what Save wrote.
func LoadOptions(path string) (*Options, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var options Options
	return &options, json.Unmarshal(text, &options)
}
