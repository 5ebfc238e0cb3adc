package main

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync/atomic"

	"google.golang.org/grpc"
	kmsv1 "k8s.io/kms/apis/v1beta1"
	kmsv2 "k8s.io/kms/apis/v2"
)

// sumAnnotation is what the plugin wants back unchanged when it decrypts: a reader must pass annotations on.
const sumAnnotation = "sum.kms.tidemark.test"

// plugin is a key management service of both API versions on Unix sockets, with keys made from a seed.
type plugin struct {
	seed    uint64
	current atomic.Int32 // number of the key that encrypts; all decrypt
	server  *grpc.Server
}

// servePlugin listens on kms-v1.sock and kms-v2.sock in a folder until stop is called.
func servePlugin(folder string, seed uint64) (p *plugin, stop func(), err error) {
	p = &plugin{seed: seed, server: grpc.NewServer()}
	p.current.Store(1)
	kmsv1.RegisterKeyManagementServiceServer(p.server, pluginV1{plugin: p})
	kmsv2.RegisterKeyManagementServiceServer(p.server, pluginV2{plugin: p})
	for _, name := range []string{"kms-v1.sock", "kms-v2.sock"} {
		path := filepath.Join(folder, name)
		if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, nil, err
		}
		listener, err := net.Listen("unix", path)
		if err != nil {
			p.server.Stop()
			return nil, nil, err
		}
		go p.server.Serve(listener)
	}
	return p, p.server.Stop, nil
}

func (p *plugin) keyID() string { return fmt.Sprintf("kek-%d", p.current.Load()) }

func (p *plugin) aead(keyID string) (cipher.AEAD, error) {
	key := sha256.Sum256(fmt.Appendf(nil, "%d %s", p.seed, keyID))
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

func (p *plugin) seal(keyID string, plain []byte) ([]byte, error) {
	aead, err := p.aead(keyID)
	if err != nil {
		return nil, err
	}
	return aead.Seal(nil, nil, plain, nil), nil
}

func (p *plugin) open(keyID string, sealed []byte) ([]byte, error) {
	aead, err := p.aead(keyID)
	if err != nil {
		return nil, err
	}
	return aead.Open(nil, nil, sealed, nil)
}

type pluginV2 struct {
	kmsv2.UnimplementedKeyManagementServiceServer
	*plugin
}

func (p pluginV2) Status(context.Context, *kmsv2.StatusRequest) (*kmsv2.StatusResponse, error) {
	return &kmsv2.StatusResponse{Version: "v2", Healthz: "ok", KeyId: p.keyID()}, nil
}

func (p pluginV2) Encrypt(_ context.Context, request *kmsv2.EncryptRequest) (*kmsv2.EncryptResponse, error) {
	keyID := p.keyID()
	sealed, err := p.seal(keyID, request.Plaintext)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(sealed)
	return &kmsv2.EncryptResponse{Ciphertext: sealed, KeyId: keyID, Annotations: map[string][]byte{sumAnnotation: sum[:]}}, nil
}

func (p pluginV2) Decrypt(_ context.Context, request *kmsv2.DecryptRequest) (*kmsv2.DecryptResponse, error) {
	if sum := sha256.Sum256(request.Ciphertext); string(request.Annotations[sumAnnotation]) != string(sum[:]) {
		return nil, errors.New("the annotations are not those of the encryption")
	}
	plain, err := p.open(request.KeyId, request.Ciphertext)
	return &kmsv2.DecryptResponse{Plaintext: plain}, err
}

// pluginV1 has no key ids: it keeps the number of the key in front of the cipher text.
type pluginV1 struct {
	kmsv1.UnimplementedKeyManagementServiceServer
	*plugin
}

func (p pluginV1) Version(context.Context, *kmsv1.VersionRequest) (*kmsv1.VersionResponse, error) {
	return &kmsv1.VersionResponse{Version: "v1beta1", RuntimeName: "tidemark-test", RuntimeVersion: "1"}, nil
}

func (p pluginV1) Encrypt(_ context.Context, request *kmsv1.EncryptRequest) (*kmsv1.EncryptResponse, error) {
	number := p.current.Load()
	sealed, err := p.seal(fmt.Sprintf("kek-%d", number), request.Plain)
	return &kmsv1.EncryptResponse{Cipher: append([]byte{byte(number)}, sealed...)}, err
}

func (p pluginV1) Decrypt(_ context.Context, request *kmsv1.DecryptRequest) (*kmsv1.DecryptResponse, error) {
	if len(request.Cipher) == 0 {
		return nil, errors.New("the cipher text is empty")
	}
	plain, err := p.open(fmt.Sprintf("kek-%d", request.Cipher[0]), request.Cipher[1:])
	return &kmsv1.DecryptResponse{Plain: plain}, err
}
