package load

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	cryptorand "crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/rand/v2"
	"strings"

	"tidemark.test/kubernetes/api"
)

// A maker makes the contents of one object. The same seed, kind and number make the same object again, but for keys of
// certificate requests.
type maker struct {
	*rand.Rand
	number    int
	namespace string // of namespaced kinds
}

func newMaker(seed uint64, kind string, number int) *maker {
	stream := uint64(number)
	for _, char := range kind {
		stream = stream*1099511628211 + uint64(char)
	}
	return &maker{Rand: rand.New(rand.NewPCG(seed, stream)), number: number}
}

func (m *maker) name(prefix string) string { return fmt.Sprintf("%s-%d", prefix, m.number) }

// Letters of one to four bytes in UTF-8, and such as JSON and YAML must escape.
var letters = []rune("abcdefghijklmnopqrstuvwxyz0123456789 -_.:\"\\'#{}\t\n\u00e4\u00df\u20ac\u6f6e\u6c50\U0001f30a")

func (m *maker) text(most int) string {
	var text strings.Builder
	for range m.IntN(most + 1) {
		text.WriteRune(letters[m.IntN(len(letters))])
	}
	return text.String()
}

func (m *maker) bytes(most int) string {
	bytes := make([]byte, m.IntN(most+1))
	for at := range bytes {
		bytes[at] = byte(m.Uint32())
	}
	return base64.StdEncoding.EncodeToString(bytes)
}

func (m *maker) labels() api.Object {
	labels := api.Object{"fill": "true"}
	for range m.IntN(4) {
		labels[fmt.Sprintf("label-%d.example.com/part", m.IntN(20))] = fmt.Sprintf("value-%d", m.IntN(1000))
	}
	return labels
}

func (m *maker) annotations() api.Object {
	annotations := api.Object{}
	for range m.IntN(3) {
		annotations[fmt.Sprintf("note-%d.example.com", m.IntN(20))] = m.text(200)
	}
	return annotations
}

func (m *maker) object(apiVersion, kind, name string, rest api.Object) api.Object {
	metadata := api.Object{"name": name, "labels": m.labels(), "annotations": m.annotations()}
	if m.namespace != "" {
		metadata["namespace"] = m.namespace
	}
	object := api.Object{"apiVersion": apiVersion, "kind": kind, "metadata": metadata}
	for key, value := range rest {
		object[key] = value
	}
	return object
}

// A pod that no node will run: nothing in a filled cluster shall move by itself.
func (m *maker) podSpec() api.Object {
	container := api.Object{
		"name": "main", "image": fmt.Sprintf("registry.example.com/app:%d", m.IntN(100)),
		"env":       []api.Object{{"name": "TEXT", "value": m.text(100)}},
		"resources": api.Object{"requests": api.Object{"cpu": fmt.Sprintf("%dm", 1+m.IntN(500)), "memory": "16Mi"}},
		"ports":     []api.Object{{"containerPort": 8080, "name": "http"}},
	}
	return api.Object{
		"containers":       []api.Object{container},
		"nodeSelector":     api.Object{"fill": "nowhere"},
		"tolerations":      []api.Object{{"key": "fill", "operator": "Exists"}},
		"volumes":          []api.Object{{"name": "scratch", "emptyDir": api.Object{}}},
		"imagePullSecrets": []api.Object{{"name": "registry"}},
	}
}

func (m *maker) template(app string) api.Object {
	return api.Object{"metadata": api.Object{"labels": api.Object{"app": app}}, "spec": m.podSpec()}
}

func selector(app string) api.Object { return api.Object{"matchLabels": api.Object{"app": app}} }

func (m *maker) certificateRequest() string {
	key, err := ecdsa.GenerateKey(elliptic.P256(), cryptorand.Reader)
	if err != nil {
		panic(err) // the kernel gives no random bytes
	}
	request, err := x509.CreateCertificateRequest(cryptorand.Reader,
		&x509.CertificateRequest{Subject: pkix.Name{CommonName: m.name("fill")}}, key)
	if err != nil {
		panic(err) // a constant template
	}
	return base64.StdEncoding.EncodeToString(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: request}))
}
