package drill

import (
	"bytes"
	"errors"
	"os/exec"
	"path/filepath"

	"tidemark.test/kubernetes/api"
)

func (b *drilled) kubectl(kubeconfig string, args ...string) (string, error) {
	common := []string{"--kubeconfig", kubeconfig, "--cache-dir", filepath.Join(b.dir, "kubectl")}
	if b.namespace != "" {
		common = append(common, "--namespace", b.namespace)
	}
	command := exec.Command(filepath.Join(programs, "kubernetes", "kubectl"), append(common, args...)...)
	var output, said bytes.Buffer
	command.Stdout, command.Stderr = &output, &said
	err := command.Run()
	return output.String(), errors.Join(err, errors.New(said.String()))
}

func code(err error) int {
	var status *api.StatusError
	if errors.As(err, &status) {
		return status.Code
	}
	return 0
}
