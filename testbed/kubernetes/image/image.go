// Package image writes container images of static programs, in the layout of the Open Container Initiative as a tar file
// (https://github.com/opencontainers/image-spec). No registry and no builder is needed: one layer, one configuration,
// one manifest each.
package image

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
)

// An Image holds programs, all in /bin, and an empty /tmp. The first one is what a container runs.
type Image struct {
	Name     string // as in localhost/worker:1
	Programs []string
}

type descriptor struct {
	MediaType   string            `json:"mediaType"`
	Digest      string            `json:"digest"`
	Size        int               `json:"size"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

const (
	indexType    = "application/vnd.oci.image.index.v1+json"
	manifestType = "application/vnd.oci.image.manifest.v1+json"
	configType   = "application/vnd.oci.image.config.v1+json"
	layerType    = "application/vnd.oci.image.layer.v1.tar"
)

type object = map[string]any

// Write writes the images into one tar file.
func Write(path string, images ...Image) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer file.Close()
	layout := writer{tar.NewWriter(file)}
	var manifests []descriptor
	for _, each := range images {
		manifest, err := layout.image(each)
		if err != nil {
			return fmt.Errorf("image %s: %w", each.Name, err)
		}
		manifests = append(manifests, manifest)
	}
	if err := layout.file("oci-layout", []byte(`{"imageLayoutVersion":"1.0.0"}`), 0o644); err != nil {
		return err
	}
	index, err := json.Marshal(object{"schemaVersion": 2, "mediaType": indexType, "manifests": manifests})
	if err != nil {
		return err
	}
	if err := layout.file("index.json", index, 0o644); err != nil {
		return err
	}
	if err := layout.Close(); err != nil {
		return err
	}
	return file.Close()
}

type writer struct{ *tar.Writer }

func (w writer) image(image Image) (descriptor, error) {
	packed, err := layerOf(image.Programs)
	if err != nil {
		return descriptor{}, err
	}
	layer, err := w.blob(layerType, packed)
	if err != nil {
		return descriptor{}, err
	}
	// The layer is not compressed, so its digest is that of its content.
	config, err := w.json(configType, object{
		"architecture": runtime.GOARCH, "os": "linux",
		"config": object{
			"Entrypoint": []string{"/bin/" + filepath.Base(image.Programs[0])}, "Env": []string{"PATH=/bin"}, "WorkingDir": "/",
		},
		"rootfs": object{"type": "layers", "diff_ids": []string{layer.Digest}},
	})
	if err != nil {
		return descriptor{}, err
	}
	manifest, err := w.json(manifestType, object{
		"schemaVersion": 2, "mediaType": manifestType, "config": config, "layers": []descriptor{layer},
	})
	// Containerd names the image by this one.
	manifest.Annotations = map[string]string{"io.containerd.image.name": image.Name}
	return manifest, err
}

func (w writer) json(kind string, value any) (descriptor, error) {
	text, err := json.Marshal(value)
	if err != nil {
		return descriptor{}, err
	}
	return w.blob(kind, text)
}

func (w writer) blob(kind string, content []byte) (descriptor, error) {
	digest := fmt.Sprintf("%x", sha256.Sum256(content))
	return descriptor{MediaType: kind, Digest: "sha256:" + digest, Size: len(content)},
		w.file("blobs/sha256/"+digest, content, 0o644)
}

func (w writer) file(name string, content []byte, mode int64) error {
	if err := w.WriteHeader(&tar.Header{Name: name, Size: int64(len(content)), Mode: mode, Typeflag: tar.TypeReg}); err != nil {
		return err
	}
	_, err := w.Writer.Write(content)
	return err
}

func layerOf(programs []string) ([]byte, error) {
	var packed bytes.Buffer
	layer := writer{tar.NewWriter(&packed)}
	for _, folder := range []tar.Header{{Name: "bin/", Mode: 0o755}, {Name: "tmp/", Mode: 0o1777}} {
		folder.Typeflag = tar.TypeDir
		if err := layer.WriteHeader(&folder); err != nil {
			return nil, err
		}
	}
	for _, program := range programs {
		file, err := os.Open(program)
		if err != nil {
			return nil, err
		}
		content, err := io.ReadAll(file)
		file.Close()
		if err != nil {
			return nil, err
		}
		if err := layer.file("bin/"+filepath.Base(program), content, 0o755); err != nil {
			return nil, err
		}
	}
	if err := layer.Close(); err != nil {
		return nil, err
	}
	return packed.Bytes(), nil
}
