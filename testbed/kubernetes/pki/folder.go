package pki

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
)

// A Folder holds the keys and certificates of a bed as files NAME.crt and NAME.key.
type Folder string

// Names in the folder. Two authorities, for whoever holds a certificate of the front proxy's may speak for any user.
const (
	CA         = "ca"
	FrontCA    = "front-ca"
	APIServer  = "kube-apiserver"
	Controller = "kube-controller-manager"
	Scheduler  = "kube-scheduler"
	Admin      = "admin"
	Restricted = "restricted"
	Front      = "front"
	accounts   = "service-accounts"
)

var subjects = map[string]Subject{
	APIServer: {Name: "kube-apiserver", Groups: []string{"system:masters"}, Hosts: []string{
		"127.0.0.1", "10.96.0.1", "localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc",
		"kubernetes.default.svc.cluster.local",
	}},
	Controller: {Name: "system:kube-controller-manager"},
	Scheduler:  {Name: "system:kube-scheduler"},
	Admin:      {Name: "admin", Groups: []string{"system:masters"}},
	Restricted: {Name: "restricted"},
}

// Certificate is the path of a certificate.
func (f Folder) Certificate(name string) string { return filepath.Join(string(f), name+".crt") }

// Key is the path of a private key.
func (f Folder) Key(name string) string { return filepath.Join(string(f), name+".key") }

// AccountKey is the path of the private key that signs the tokens of service accounts.
func (f Folder) AccountKey() string { return f.Key(accounts) }

// AccountPublicKey is the path of the key that those tokens are checked with.
func (f Folder) AccountPublicKey() string { return filepath.Join(string(f), accounts+".pub") }

// Complete tells whether Fill went through to its end once.
func (f Folder) Complete() bool {
	_, err := os.Stat(f.AccountPublicKey())
	return err == nil
}

// Fill makes everything anew.
func (f Folder) Fill() error {
	if err := os.RemoveAll(string(f)); err != nil {
		return err
	}
	if err := os.MkdirAll(string(f), 0o700); err != nil {
		return err
	}
	authority, err := NewAuthority("bed")
	if err != nil {
		return err
	}
	frontAuthority, err := NewAuthority("bed front proxy")
	if err != nil {
		return err
	}
	pairs := map[string]Pair{CA: authority.Pair, FrontCA: frontAuthority.Pair}
	for name, subject := range subjects {
		if pairs[name], err = authority.Issue(subject); err != nil {
			return err
		}
	}
	if pairs[Front], err = frontAuthority.Issue(Subject{Name: "front-proxy"}); err != nil {
		return err
	}
	for name, pair := range pairs {
		if err := os.WriteFile(f.Certificate(name), pair.Certificate, 0o644); err != nil {
			return err
		}
		if err := os.WriteFile(f.Key(name), pair.Key, 0o600); err != nil {
			return err
		}
	}
	return f.fillAccountKeys()
}

// RSA, for clients of tokens in the field expect RS256.
func (f Folder) fillAccountKeys() error {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return err
	}
	private := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
	if err := os.WriteFile(f.AccountKey(), private, 0o600); err != nil {
		return err
	}
	bytes, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return err
	}
	public := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: bytes})
	return os.WriteFile(f.AccountPublicKey(), public, 0o644)
}

// Load reads a certificate and its key.
func (f Folder) Load(name string) (tls.Certificate, error) {
	return tls.LoadX509KeyPair(f.Certificate(name), f.Key(name))
}

// Pool is an authority, to check certificates by.
func (f Folder) Pool(name string) (*x509.CertPool, error) {
	text, err := os.ReadFile(f.Certificate(name))
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s holds no certificate", f.Certificate(name))
	}
	return pool, nil
}
