package main

import (
	"context"
	"encoding/base64"
	"fmt"
	"math/rand"
	"os"
	"path/filepath"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	apiserverv1 "k8s.io/apiserver/pkg/apis/apiserver/v1"
	"k8s.io/apiserver/pkg/server/options/encryptionconfig"
	"k8s.io/apiserver/pkg/storage/value"
	"sigs.k8s.io/yaml"
)

// legacyKMS is the name of the provider that encrypts as releases before 1.29 did: with a key instead of a seed.
const legacyKMS = "legacy"

// providers lists what a cluster had over the years, newest first: every provider, several keys each, key names that
// begin like one another, and one provider and name twice with another secret (a rotation that kept the name).
func providers(seed uint64, sockets string) []apiserverv1.ProviderConfiguration {
	random := rand.New(rand.NewSource(int64(seed)))
	key := func(name string, size int) apiserverv1.Key {
		secret := make([]byte, size)
		random.Read(secret)
		return apiserverv1.Key{Name: name, Secret: base64.StdEncoding.EncodeToString(secret)}
	}
	aes := func(keys ...apiserverv1.Key) *apiserverv1.AESConfiguration {
		return &apiserverv1.AESConfiguration{Keys: keys}
	}
	kms := func(version, name string) *apiserverv1.KMSConfiguration {
		return &apiserverv1.KMSConfiguration{
			APIVersion: version, Name: name, Endpoint: "unix://" + filepath.Join(sockets, "kms-"+version+".sock"),
			Timeout: &metav1.Duration{Duration: 10e9}}
	}
	return []apiserverv1.ProviderConfiguration{
		{AESCBC: aes(key("key2", 32), key("key1", 32))},
		{AESGCM: aes(key("k128", 16), key("k192", 24), key("k256", 32), key("k", 32), key("k:2", 32))},
		{Secretbox: &apiserverv1.SecretboxConfiguration{Keys: []apiserverv1.Key{key("box", 32), key("box-1", 32)}}},
		{KMS: kms("v2", "local")},
		{KMS: kms("v2", legacyKMS)},
		{KMS: kms("v1", "old")},
		{AESCBC: aes(key("key1", 32))},
		{AESGCM: aes(key("k256", 32))},
		{Identity: &apiserverv1.IdentityConfiguration{}},
	}
}

// writers gives for each key of each provider the configuration of a cluster that writes with it.
func writers(all []apiserverv1.ProviderConfiguration) []apiserverv1.ProviderConfiguration {
	var each []apiserverv1.ProviderConfiguration
	for _, provider := range all {
		switch {
		case provider.AESCBC != nil:
			for _, key := range provider.AESCBC.Keys {
				each = append(each, apiserverv1.ProviderConfiguration{AESCBC: &apiserverv1.AESConfiguration{Keys: []apiserverv1.Key{key}}})
			}
		case provider.AESGCM != nil:
			for _, key := range provider.AESGCM.Keys {
				each = append(each, apiserverv1.ProviderConfiguration{AESGCM: &apiserverv1.AESConfiguration{Keys: []apiserverv1.Key{key}}})
			}
		case provider.Secretbox != nil:
			for _, key := range provider.Secretbox.Keys {
				each = append(each, apiserverv1.ProviderConfiguration{Secretbox: &apiserverv1.SecretboxConfiguration{Keys: []apiserverv1.Key{key}}})
			}
		default:
			each = append(each, provider)
		}
	}
	return each
}

// saveConfig writes an EncryptionConfiguration as an administrator does.
func saveConfig(path string, list ...apiserverv1.ProviderConfiguration) error {
	text, err := yaml.Marshal(struct {
		APIVersion string                              `json:"apiVersion"`
		Kind       string                              `json:"kind"`
		Resources  []apiserverv1.ResourceConfiguration `json:"resources"`
	}{"apiserver.config.k8s.io/v1", "EncryptionConfiguration", []apiserverv1.ResourceConfiguration{
		{Resources: []string{"secrets", "configmaps", "widgets.shop.example.com"}, Providers: list}}})
	if err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o600)
}

// transformer is what an API server makes of a configuration file for secrets.
func transformer(ctx context.Context, path string) (value.Transformer, error) {
	config, err := encryptionconfig.LoadEncryptionConfig(ctx, path, false, "apiserver-goldens")
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return config.Transformers[schema.GroupResource{Resource: "secrets"}], nil
}

// transformerFor writes values by one provider alone.
func transformerFor(ctx context.Context, folder string, provider apiserverv1.ProviderConfiguration) (value.Transformer, error) {
	path := filepath.Join(folder, "writer.yaml")
	if err := saveConfig(path, provider); err != nil {
		return nil, err
	}
	return transformer(ctx, path)
}
