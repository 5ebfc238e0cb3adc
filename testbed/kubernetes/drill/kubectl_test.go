package drill

import (
	"bytes"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"

	"tidemark.test/kubernetes/api"
)

func (b *drilled) kubectl(kubeconfig string, args ...string) (string, error) {
	common := []string{"--kubeconfig", kubeconfig, "--cache-dir", filepath.Join(b.dir, "kubectl")}
	if b.namespace != "" {
		common = append(common, "--namespace", b.namespace)
	}
	for {
		command := exec.Command(filepath.Join(programs, "kubernetes", "kubectl"), append(common, args...)...)
		var output, said bytes.Buffer
		command.Stdout, command.Stderr = &output, &said
		err := command.Run()
		if err != nil {
			err = fmt.Errorf("%w: %s", err, said.String())
		}
		if err == nil || !notEvenAsked(err) {
			return output.String(), err
		}
		b.Logf("once more: %v", err)
	}
}

// Kubectl gives up when a connection takes ten seconds, which it does where the processor is wanted by many. The server was
// not asked then.
func notEvenAsked(err error) bool { return strings.Contains(err.Error(), "TLS handshake timeout") }

func code(err error) int {
	var status *api.StatusError
	if errors.As(err, &status) {
		return status.Code
	}
	return 0
}
