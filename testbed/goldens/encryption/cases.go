package main

import (
	"bytes"
	"context"
	"crypto/cipher"
	"fmt"
	"math/rand"
	"path/filepath"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer/protobuf"
	apiserverv1 "k8s.io/apiserver/pkg/apis/apiserver/v1"
	"k8s.io/apiserver/pkg/storage/value"
	aestransformer "k8s.io/apiserver/pkg/storage/value/encrypt/aes"
	"k8s.io/apiserver/pkg/storage/value/encrypt/envelope"
)

// record is a value in etcd and what an API server with the whole configuration reads from it: plain, or a failure.
type record struct {
	name    string
	key     string
	stored  []byte
	plain   []byte
	failure string
}

// maker makes values by each writer and reads all with one reader.
type maker struct {
	random *rand.Rand
	reader value.Transformer
	add    func(record)
}

// plainValue is a stored object of about so many bytes: a Secret, or a custom resource's JSON.
func (m *maker) plainValue(name string, size int) ([]byte, error) {
	content := make([]byte, size)
	m.random.Read(content)
	if size%4 == 3 {
		return fmt.Appendf(nil, `{"apiVersion":"shop.example.com/v1","kind":"Widget","metadata":{"name":%q},"spec":{"x":"%x"}}`, name, content), nil
	}
	secret := &corev1.Secret{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"},
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "shop"},
		Data:       map[string][]byte{"content": content},
		Type:       corev1.SecretTypeOpaque,
	}
	scheme := runtime.NewScheme()
	var out bytes.Buffer
	err := protobuf.NewSerializer(scheme, scheme).Encode(secret, &out)
	return out.Bytes(), err
}

// read adds a record for stored bytes under a key.
func (m *maker) read(name, key string, stored []byte) {
	r := record{name: name, key: key, stored: bytes.Clone(stored)}
	plain, _, err := m.reader.TransformFromStorage(context.Background(), bytes.Clone(stored), value.DefaultContext(key))
	if err != nil {
		r.failure = err.Error()
	} else {
		r.plain = bytes.Clone(plain)
	}
	m.add(r)
}

// writer makes the values of one writer: sound ones of many lengths, then one damaged in every way.
func (m *maker) writer(name string, write value.Write, count int) error {
	for i := range count {
		size := i
		if i >= 40 {
			size = m.random.Intn(5000)
		}
		object := fmt.Sprintf("s%d", i)
		key := "/registry/secrets/shop/" + object
		plain, err := m.plainValue(object, size)
		if err != nil {
			return err
		}
		stored, err := write.TransformToStorage(context.Background(), bytes.Clone(plain), value.DefaultContext(key))
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		m.read(fmt.Sprintf("%s %d", name, i), key, stored)
		if i == 0 {
			m.damaged(name, key, stored)
		}
	}
	return nil
}

func (m *maker) damaged(name, key string, stored []byte) {
	m.read(name+" under another key", key+"-moved", stored)
	m.read(name+" under another prefix", "/other"+key, stored)
	for _, at := range []int{len(stored) - 1, len(stored) - 17, len(stored) / 2} {
		changed := bytes.Clone(stored)
		changed[at] ^= 1
		m.read(fmt.Sprintf("%s with byte %d changed", name, at), key, changed)
	}
	for _, length := range []int{len(stored) - 1, len(stored) - 16, len(stored) / 2} {
		m.read(fmt.Sprintf("%s cut off at %d", name, length), key, stored[:length])
	}
	m.read(name+" with bytes behind", key, append(bytes.Clone(stored), 0))
}

// generate makes all records; config is where the reader's configuration is written to.
func generate(ctx context.Context, seed uint64, count int, config, scratch string, kms *plugin, sockets string, add func(record)) error {
	all := providers(seed, sockets)
	if err := saveConfig(config, all...); err != nil {
		return err
	}
	reader, err := transformer(ctx, config)
	if err != nil {
		return err
	}
	m := &maker{rand.New(rand.NewSource(int64(seed))), reader, add}
	for number, provider := range writers(all) {
		write, err := transformerFor(ctx, scratch, provider)
		if err != nil {
			return err
		}
		if err := m.writer(fmt.Sprintf("%d %s", number, providerName(provider)), write, count); err != nil {
			return err
		}
	}
	if err := m.rotatedKMS(ctx, scratch, all, kms, count); err != nil {
		return err
	}
	if err := m.oldPayload(ctx, sockets, count); err != nil {
		return err
	}
	return m.unreadable(ctx, scratch)
}

func providerName(provider apiserverv1.ProviderConfiguration) string {
	switch {
	case provider.AESCBC != nil:
		return "aescbc " + provider.AESCBC.Keys[0].Name
	case provider.AESGCM != nil:
		return "aesgcm " + provider.AESGCM.Keys[0].Name
	case provider.Secretbox != nil:
		return "secretbox " + provider.Secretbox.Keys[0].Name
	case provider.KMS != nil:
		return "kms " + provider.KMS.APIVersion + " " + provider.KMS.Name
	}
	return "identity"
}

// rotatedKMS writes again after the service has changed its key; the values before stay readable.
func (m *maker) rotatedKMS(ctx context.Context, scratch string, all []apiserverv1.ProviderConfiguration, kms *plugin, count int) error {
	kms.current.Store(2)
	for _, provider := range all {
		if provider.KMS == nil {
			continue
		}
		write, err := transformerFor(ctx, scratch, provider)
		if err != nil {
			return err
		}
		if err := m.writer(providerName(provider)+" rotated", write, count); err != nil {
			return err
		}
	}
	return nil
}

// oldPayload is KMS v1 as releases before 1.25 wrote it: CBC inside the envelope, which later ones still read.
func (m *maker) oldPayload(ctx context.Context, sockets string, count int) error {
	service, err := envelope.NewGRPCService(ctx, "unix://"+filepath.Join(sockets, "kms-v1.sock"), 10*time.Second)
	if err != nil {
		return err
	}
	cbc := func(block cipher.Block) (value.Transformer, error) {
		return aestransformer.NewCBCTransformer(block), nil
	}
	write := value.NewPrefixTransformers(nil, value.PrefixTransformer{
		Prefix: []byte("k8s:enc:kms:v1:old:"), Transformer: envelope.NewEnvelopeTransformer(service, 10, cbc)})
	return m.writer("kms v1 old with CBC inside", write, count)
}

// unreadable are values of keys, providers and names that the reader does not have.
func (m *maker) unreadable(ctx context.Context, scratch string) error {
	strangers := providers(m.random.Uint64(), "")
	strangers = strangers[:3]
	for _, provider := range writers(strangers) {
		write, err := transformerFor(ctx, scratch, provider)
		if err != nil {
			return err
		}
		if err := m.writer("stranger "+providerName(provider), write, 2); err != nil {
			return err
		}
	}
	for _, text := range []string{"k8s:enc:", "k8s:enc:aescbc:v1:", "k8s:enc:aescbc:v1:nobody:0123456789abcdef", "k8s:enc:aescbc:v2:key1:x",
		"k8s:enc:aesgcm:v1:k256:", "k8s:enc:secretbox:v1:box:short", "k8s:enc:kms:v2:local:", "k8s:enc:kms:v2:local:\xff\xff", "k8s:enc:kms:v1:old:\xff\xffx",
		"k8s:enc:kms:v1:old:\x00\x00", "k8s:enc:kms:v2:nobody:x", "k8s:enc:rot13:v1:key1:x"} {
		m.read(fmt.Sprintf("text %q", text), "/registry/secrets/shop/text", []byte(text))
	}
	return nil
}
