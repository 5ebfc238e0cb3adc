package main

import (
	"fmt"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/install"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apiextensionsv1beta1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1beta1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
)

// definitions makes custom resource definitions as an API server keeps them: JSON of v1beta1, served as v1.
func (m *maker) definitions() error {
	scheme := runtime.NewScheme()
	install.Install(scheme)
	codecs := serializer.NewCodecFactory(scheme)
	storage := codecs.LegacyCodec(apiextensionsv1beta1.SchemeGroupVersion)
	served := codecs.LegacyCodec(apiextensionsv1.SchemeGroupVersion)
	k := kind{GroupVersionKind: apiextensionsv1beta1.SchemeGroupVersion.WithKind("CustomResourceDefinition")}
	for i := range 10 + 2*m.random {
		name := fmt.Sprintf("served-as-v1-%d", i)
		crd := m.definition(k, name, i)
		scheme.Default(crd)
		internal, err := scheme.ConvertToVersion(crd, runtime.InternalGroupVersioner)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		stored, err := encode(storage, internal)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		object, _, err := storage.Decode(stored, nil, nil)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		sent, err := encode(served, object)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		shown, err := printed(sent)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		m.add(record{name, k.GroupVersionKind, "json", stored, sent, shown})
	}
	return nil
}

// definition fills one; versions that are alike share what v1beta1 keeps above them, so some are made alike.
func (m *maker) definition(k kind, name string, i int) *apiextensionsv1.CustomResourceDefinition {
	crd := &apiextensionsv1.CustomResourceDefinition{}
	if i == 0 {
		fill(crd, &full{})
	} else {
		fill(crd, chance{m.source(k, name)})
	}
	versions := &crd.Spec.Versions
	if len(*versions) == 0 {
		*versions = make([]apiextensionsv1.CustomResourceDefinitionVersion, 1)
		fill(&(*versions)[0], &full{})
	}
	switch i % 4 {
	case 0:
		*versions = (*versions)[:1]
	case 1:
		second := *(*versions)[0].DeepCopy()
		second.Name, second.Storage = "v2", false
		*versions = append((*versions)[:1], second)
	case 2:
		second := *(*versions)[0].DeepCopy()
		second.Name, second.Schema = "v2", nil
		*versions = append((*versions)[:1], second)
	}
	crd.ResourceVersion, crd.SelfLink = "", ""
	return crd
}
