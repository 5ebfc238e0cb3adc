package cluster

import (
	"fmt"
	"path/filepath"
	"strings"

	"tidemark.test/kubernetes/pki"
	"tidemark.test/kubernetes/process"
)

// Ports inside. They are fixed, for nobody else is in the network namespace.
const (
	etcdPort       = 2379
	etcdPeerPort   = 2380
	apiServerPort  = 443 // with the Service's address on lo, pods reach it with no kube-proxy
	frontPort      = 8443
	controllerPort = 10257
	schedulerPort  = 10259
)

const etcdAnswers = "20s"

// A program is a process and how to see that it answers.
type program struct {
	process.Spec
	port   int
	health string // URL
}

func (b *Bed) etcd() program {
	client, peer := fmt.Sprintf("http://127.0.0.1:%d", etcdPort), fmt.Sprintf("http://127.0.0.1:%d", etcdPeerPort)
	return program{
		Spec: process.Spec{Name: Etcd, Path: b.options.etcd("etcd"), Args: append([]string{
			"--name=bed",
			"--data-dir=" + b.folder.Data(),
			"--listen-client-urls=" + client,
			"--advertise-client-urls=" + client,
			"--listen-peer-urls=" + peer,
			"--initial-advertise-peer-urls=" + peer,
			"--initial-cluster=bed=" + peer,
			// A process that is killed loses nothing by it, only a machine that loses power does.
			"--unsafe-no-fsync",
		}, b.options.flagsOf(Etcd)...)},
		port:   etcdPort,
		health: client + "/health",
	}
}

func (b *Bed) apiServer() program {
	keys := b.folder.Keys()
	args := []string{
		fmt.Sprintf("--etcd-servers=http://127.0.0.1:%d", etcdPort),
		"--bind-address=0.0.0.0",
		fmt.Sprintf("--secure-port=%d", apiServerPort),
		"--advertise-address=127.0.0.1",
		"--endpoint-reconciler-type=none", // which would refuse a loopback address
		"--tls-cert-file=" + keys.Certificate(pki.APIServer),
		"--tls-private-key-file=" + keys.Key(pki.APIServer),
		"--client-ca-file=" + keys.Certificate(pki.CA),
		"--kubelet-client-certificate=" + keys.Certificate(pki.APIServer),
		"--kubelet-client-key=" + keys.Key(pki.APIServer),
		"--kubelet-certificate-authority=" + keys.Certificate(pki.CA),
		"--kubelet-preferred-address-types=InternalIP",
		"--requestheader-client-ca-file=" + keys.Certificate(pki.FrontCA),
		"--requestheader-allowed-names=front-proxy",
		"--requestheader-username-headers=X-Remote-User",
		"--requestheader-group-headers=X-Remote-Group",
		"--requestheader-extra-headers-prefix=X-Remote-Extra-",
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file=" + keys.AccountPublicKey(),
		"--service-account-signing-key-file=" + keys.AccountKey(),
		"--service-cluster-ip-range=10.96.0.0/16",
		"--authorization-mode=Node,RBAC",
		"--allow-privileged=true",
		"--enable-admission-plugins=NodeRestriction",
		// Where many programs want the processor etcd answers late. By default it counts as dead after two seconds, and
		// the API server then never gets ready.
		"--etcd-healthcheck-timeout=" + etcdAnswers,
		"--etcd-readycheck-timeout=" + etcdAnswers,
	}
	if exists(b.folder.Encryption()) {
		args = append(args, "--encryption-provider-config="+b.folder.Encryption())
	}
	if b.options.RuntimeConfig != "" {
		args = append(args, "--runtime-config="+b.options.RuntimeConfig)
	}
	if b.options.Audit {
		args = append(args, "--audit-policy-file="+b.folder.auditPolicy(),
			"--audit-log-path="+filepath.Join(b.folder.Logs(), "audit.log"))
	}
	return program{
		Spec:   b.kubernetes(APIServer, args),
		port:   apiServerPort,
		health: fmt.Sprintf("https://127.0.0.1:%d/readyz", apiServerPort),
	}
}

func (b *Bed) controller() program {
	keys := b.folder.Keys()
	return program{
		Spec: b.kubernetes(Controller, append(b.clientFlags(pki.Controller, controllerPort),
			"--service-account-private-key-file="+keys.AccountKey(),
			"--root-ca-file="+keys.Certificate(pki.CA),
			"--cluster-signing-cert-file="+keys.Certificate(pki.CA),
			"--cluster-signing-key-file="+keys.Key(pki.CA),
			"--use-service-account-credentials=true",
			// By default twenty calls a second: it would be idle for four seconds of its start, between the accounts of
			// its own controllers.
			"--kube-api-qps=500", "--kube-api-burst=1000",
			"--pvclaimbinder-sync-period=2s", // 15 s
		)),
		port:   controllerPort,
		health: fmt.Sprintf("https://127.0.0.1:%d/healthz", controllerPort),
	}
}

func (b *Bed) scheduler() program {
	return program{
		Spec:   b.kubernetes(Scheduler, b.clientFlags(pki.Scheduler, schedulerPort)),
		port:   schedulerPort,
		health: fmt.Sprintf("https://127.0.0.1:%d/readyz", schedulerPort), // healthz does not wait for its caches
	}
}

// What the programs that are clients of the API server have in common.
func (b *Bed) clientFlags(user string, port int) []string {
	keys, config := b.folder.Keys(), b.folder.inside(user)
	return []string{
		"--kubeconfig=" + config,
		"--authentication-kubeconfig=" + config,
		"--authorization-kubeconfig=" + config,
		"--leader-elect=false",
		"--bind-address=127.0.0.1",
		fmt.Sprintf("--secure-port=%d", port),
		"--tls-cert-file=" + keys.Certificate(pki.APIServer),
		"--tls-private-key-file=" + keys.Key(pki.APIServer),
	}
}

func (b *Bed) kubernetes(name string, args []string) process.Spec {
	if b.options.FeatureGates != "" {
		args = append(args, "--feature-gates="+b.options.FeatureGates)
	}
	return process.Spec{Name: name, Path: b.options.kubernetes(name), Args: append(args, b.options.flagsOf(name)...)}
}

// The command that makes etcd's folder from a snapshot.
func (b *Bed) restore() []string {
	return strings.Fields(fmt.Sprintf("snapshot restore --name=bed --initial-cluster=bed=http://127.0.0.1:%d "+
		"--initial-advertise-peer-urls=http://127.0.0.1:%d", etcdPeerPort, etcdPeerPort))
}
