package cluster

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"tidemark.test/kubernetes/pki"
)

// A Folder is where a bed keeps its files. Its path is absolute.
type Folder string

func (f Folder) path(name string) string { return filepath.Join(string(f), name) }

// Options is the file that hands the options from outside to inside, and marks the folder as a bed's.
func (f Folder) Options() string { return f.path("bed.json") }

// Lock is held by a bed as long as any of it lives.
func (f Folder) Lock() string { return f.path("lock") }

// Control is the Unix socket that a running bed is told by.
func (f Folder) Control() string { return f.path("control.sock") }

// Ready is what `bed up` printed.
func (f Folder) Ready() string { return f.path("ready.json") }

// Logs is the folder of what the programs said; Log is what the bed itself said.
func (f Folder) Logs() string { return f.path("logs") }

// Log is what the bed itself said, when it runs in the background.
func (f Folder) Log() string { return filepath.Join(f.Logs(), "bed.log") }

// Keys is the folder of keys and certificates.
func (f Folder) Keys() pki.Folder { return pki.Folder(f.path("pki")) }

// Data is etcd's folder.
func (f Folder) Data() string { return f.path("etcd") }

// Encryption is the bed's copy of the encryption configuration: edit it, restart kube-apiserver.
func (f Folder) Encryption() string { return f.path("encryption.yaml") }

func (f Folder) auditPolicy() string { return f.path("audit-policy.yaml") }

// Kubeconfig is for a user of the outside; inside-*.kubeconfig are for programs that run in the bed.
func (f Folder) Kubeconfig(name string) string { return f.path(name + ".kubeconfig") }
func (f Folder) inside(name string) string     { return f.path("inside-" + name + ".kubeconfig") }

// Prepare makes keys and configuration files. What an earlier bed left goes, unless this one goes on with it.
func (f Folder) Prepare(options *Options) error {
	if !options.Again {
		if err := errors.Join(os.RemoveAll(f.Data()), os.RemoveAll(f.CSI())); err != nil {
			return err
		}
	}
	if !options.Again || !f.Keys().Complete() {
		if err := f.Keys().Fill(); err != nil {
			return fmt.Errorf("keys: %w", err)
		}
	}
	if options.Encryption != "" {
		text, err := os.ReadFile(options.Encryption)
		if err != nil {
			return err
		}
		if err := os.WriteFile(f.Encryption(), text, 0o600); err != nil {
			return err
		}
	} else if !options.Again {
		if err := os.RemoveAll(f.Encryption()); err != nil {
			return err
		}
	}
	if options.Audit {
		const policy = "apiVersion: audit.k8s.io/v1\nkind: Policy\nomitStages: [RequestReceived]\nrules: [{level: Metadata}]\n"
		if err := os.WriteFile(f.auditPolicy(), []byte(policy), 0o644); err != nil {
			return err
		}
	}
	return f.writeKubeconfigs(options.Outside)
}

// Users of the outside: the name of the file, where it goes to, whose certificate it has.
var users = []struct{ file, listener, user string }{
	{"admin", ListenAPIServer, pki.Admin},
	{"restricted", ListenAPIServer, pki.Restricted},
	{"front", ListenFront, pki.Admin},
	{"front-restricted", ListenFront, pki.Restricted},
	{"direct", ListenDirect, pki.Admin},
}

func (f Folder) writeKubeconfigs(outside Outside) error {
	for _, each := range users {
		namespace := ""
		if each.user == pki.Restricted {
			namespace = RestrictedNamespace
		}
		if err := f.writeKubeconfig(f.Kubeconfig(each.file), outside[each.listener], each.user, namespace); err != nil {
			return err
		}
	}
	for _, program := range []string{pki.Controller, pki.Scheduler, pki.Admin} {
		if err := f.writeKubeconfig(f.inside(program), fmt.Sprintf("127.0.0.1:%d", apiServerPort), program, ""); err != nil {
			return err
		}
	}
	return nil
}

// A kubeconfig is YAML, of which JSON is a part; keys inline, so that the file can be taken elsewhere.
func (f Folder) writeKubeconfig(path, address, user, namespace string) error {
	var contents [3][]byte
	for at, file := range []string{f.Keys().Certificate(pki.CA), f.Keys().Certificate(user), f.Keys().Key(user)} {
		var err error
		if contents[at], err = os.ReadFile(file); err != nil {
			return err
		}
	}
	named := func(kind, name string, value any) []any { return []any{map[string]any{"name": name, kind: value}} }
	context := map[string]any{"cluster": "bed", "user": user}
	if namespace != "" {
		context["namespace"] = namespace
	}
	text, err := json.MarshalIndent(map[string]any{
		"apiVersion":      "v1",
		"kind":            "Config",
		"current-context": "bed",
		"clusters": named("cluster", "bed", map[string]any{
			"server": "https://" + address, "certificate-authority-data": contents[0],
		}),
		"users": named("user", user, map[string]any{
			"client-certificate-data": contents[1], "client-key-data": contents[2],
		}),
		"contexts": named("context", "bed", context),
	}, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o600)
}
