package cluster

import (
	"context"
	"errors"
	"net/http"

	"tidemark.test/kubernetes/api"
)

// RestrictedNamespace is the one namespace in which the user `restricted` may do everything but change quotas, and
// outside of which nothing.
const RestrictedNamespace = "restricted"

func (b *Bed) grant(ctx context.Context) error {
	objects := []struct {
		path   string
		object api.Object
	}{
		{"/api/v1/namespaces", api.Object{
			"apiVersion": "v1", "kind": "Namespace", "metadata": api.Object{"name": RestrictedNamespace},
		}},
		{"/apis/rbac.authorization.k8s.io/v1/namespaces/" + RestrictedNamespace + "/rolebindings", api.Object{
			"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
			"metadata": api.Object{"name": "restricted"},
			"roleRef":  api.Object{"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "admin"},
			"subjects": []api.Object{{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "restricted"}},
		}},
	}
	for _, each := range objects {
		var status *api.StatusError
		err := b.client.Post(ctx, each.path, each.object, nil)
		// It is there already when the bed goes on with earlier data.
		if errors.As(err, &status) && status.Code == http.StatusConflict {
			continue
		}
		if err != nil {
			return err
		}
	}
	return nil
}
