package pki

import (
	"crypto/ecdsa"
	"crypto/tls"
	"os"
)

// Add makes one more pair, signed by the bed's authority, if it is not there already.
func (f Folder) Add(name string, subject Subject) error {
	if _, err := os.Stat(f.Key(name)); err == nil {
		return nil
	}
	loaded, err := tls.LoadX509KeyPair(f.Certificate(CA), f.Key(CA))
	if err != nil {
		return err
	}
	authority := Authority{certificate: loaded.Leaf, key: loaded.PrivateKey.(*ecdsa.PrivateKey)}
	pair, err := authority.Issue(subject)
	if err != nil {
		return err
	}
	if err := os.WriteFile(f.Certificate(name), pair.Certificate, 0o644); err != nil {
		return err
	}
	return os.WriteFile(f.Key(name), pair.Key, 0o600)
}
