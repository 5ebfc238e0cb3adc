package load

import (
	"fmt"
	"maps"

	"tidemark.test/kubernetes/api"
)

func init() { maps.Copy(contents, clusterContents) }

// A rule that no request matches.
var nothing = api.Object{
	"apiGroups": []string{"nothing.example.com"}, "apiVersions": []string{"v1"}, "operations": []string{"CREATE"},
	"resources": []string{"nothings"},
}

// Networking, storage, policy, admission and custom kinds.
var clusterContents = map[string]func(*maker) api.Object{
	"networkpolicies.networking.k8s.io": func(m *maker) api.Object {
		return spec(api.Object{
			"podSelector": selector("nothing"), "policyTypes": []string{"Ingress"},
			"ingress": []api.Object{{"from": []api.Object{{"ipBlock": api.Object{"cidr": fmt.Sprintf("10.%d.0.0/16", m.IntN(256))}}}}},
		})
	},
	"ingresses.networking.k8s.io": func(m *maker) api.Object {
		backend := api.Object{"service": api.Object{"name": "fill", "port": api.Object{"number": 80}}}
		return spec(api.Object{"rules": []api.Object{{
			"host": m.name("host") + ".example.com",
			"http": api.Object{"paths": []api.Object{{"path": "/", "pathType": "Prefix", "backend": backend}}},
		}}})
	},
	"ingressclasses.networking.k8s.io": func(*maker) api.Object { return spec(api.Object{"controller": "example.com/fill"}) },
	"servicecidrs.networking.k8s.io": func(m *maker) api.Object {
		return spec(api.Object{"cidrs": []string{fmt.Sprintf("10.200.%d.0/24", m.number%256)}})
	},
	"ipaddresses.networking.k8s.io": func(*maker) api.Object {
		return spec(api.Object{"parentRef": api.Object{"resource": "services", "namespace": "default", "name": "fill"}})
	},
	"endpointslices.discovery.k8s.io": func(m *maker) api.Object {
		address := fmt.Sprintf("10.3.%d.%d", m.IntN(256), 1+m.IntN(254))
		return api.Object{
			"addressType": "IPv4", "ports": []api.Object{{"port": 80, "protocol": "TCP", "name": ""}},
			"endpoints": []api.Object{{"addresses": []string{address}, "conditions": api.Object{"ready": true}}},
		}
	},

	"storageclasses.storage.k8s.io": func(m *maker) api.Object {
		return api.Object{
			"provisioner": "fill.example.com", "reclaimPolicy": "Retain", "volumeBindingMode": "WaitForFirstConsumer",
			"parameters": api.Object{"kind": m.text(20)},
		}
	},
	"csidrivers.storage.k8s.io": func(*maker) api.Object { return spec(api.Object{"attachRequired": false}) },
	"csinodes.storage.k8s.io": func(m *maker) api.Object {
		return spec(api.Object{"drivers": []api.Object{{"name": "fill.example.com", "nodeID": m.name("node"), "topologyKeys": []string{}}}})
	},
	"csistoragecapacities.storage.k8s.io": func(m *maker) api.Object {
		return api.Object{"storageClassName": "fill", "capacity": fmt.Sprintf("%dGi", m.IntN(100))}
	},
	"volumeattachments.storage.k8s.io": func(*maker) api.Object {
		return spec(api.Object{
			"attacher": "fill.example.com", "nodeName": "nowhere", "source": api.Object{"persistentVolumeName": "nothing"},
		})
	},
	"volumeattributesclasses.storage.k8s.io": func(m *maker) api.Object {
		return api.Object{"driverName": "fill.example.com", "parameters": api.Object{"iops": fmt.Sprint(m.IntN(10000))}}
	},

	"roles.rbac.authorization.k8s.io":               rules,
	"clusterroles.rbac.authorization.k8s.io":        rules,
	"rolebindings.rbac.authorization.k8s.io":        binding("Role"),
	"clusterrolebindings.rbac.authorization.k8s.io": binding("ClusterRole"),
	"certificatesigningrequests.certificates.k8s.io": func(m *maker) api.Object {
		return spec(api.Object{
			"request": m.certificateRequest(), "signerName": "example.com/fill", "usages": []string{"client auth"},
		})
	},
	"flowschemas.flowcontrol.apiserver.k8s.io": func(m *maker) api.Object {
		return spec(api.Object{
			"matchingPrecedence": 9000 + m.IntN(900), "priorityLevelConfiguration": api.Object{"name": "global-default"},
		})
	},
	"prioritylevelconfigurations.flowcontrol.apiserver.k8s.io": func(m *maker) api.Object {
		return spec(api.Object{"type": "Limited", "limited": api.Object{
			"nominalConcurrencyShares": 1 + m.IntN(3), "limitResponse": api.Object{"type": "Reject"},
		}})
	},

	"validatingwebhookconfigurations.admissionregistration.k8s.io": webhooks,
	"mutatingwebhookconfigurations.admissionregistration.k8s.io":   webhooks,
	"validatingadmissionpolicies.admissionregistration.k8s.io": func(m *maker) api.Object {
		return spec(api.Object{
			"matchConstraints": api.Object{"resourceRules": []api.Object{nothing}},
			"validations":      []api.Object{{"expression": "true", "message": "line " + m.name("m")}},
		})
	},
	"validatingadmissionpolicybindings.admissionregistration.k8s.io": func(*maker) api.Object {
		return spec(api.Object{"policyName": "nothing", "validationActions": []string{"Warn"}})
	},
	"mutatingadmissionpolicies.admissionregistration.k8s.io": func(*maker) api.Object {
		return spec(api.Object{
			"matchConstraints": api.Object{"resourceRules": []api.Object{nothing}}, "reinvocationPolicy": "Never",
			"mutations": []api.Object{{"patchType": "ApplyConfiguration", "applyConfiguration": api.Object{"expression": "Object{}"}}},
		})
	},
	"mutatingadmissionpolicybindings.admissionregistration.k8s.io": func(*maker) api.Object {
		return spec(api.Object{"policyName": "nothing"})
	},

	"deviceclasses.resource.k8s.io": func(m *maker) api.Object {
		return spec(api.Object{"selectors": []api.Object{{"cel": api.Object{
			"expression": fmt.Sprintf("device.driver == 'fill-%d.example.com'", m.IntN(100)),
		}}}})
	},
	"resourceclaims.resource.k8s.io":         func(*maker) api.Object { return spec(claim) },
	"resourceclaimtemplates.resource.k8s.io": func(*maker) api.Object { return spec(spec(claim)) },
	"resourceslices.resource.k8s.io": func(m *maker) api.Object {
		return spec(api.Object{
			"driver": "fill.example.com", "allNodes": true, "devices": []api.Object{{"name": "device"}},
			"pool": api.Object{"name": m.name("pool"), "generation": 1, "resourceSliceCount": 1},
		})
	},

	"widgets.shop.example.com": func(m *maker) api.Object {
		return spec(api.Object{"size": m.IntN(1000), "text": m.text(500), "price": float64(m.IntN(10000)) / 4,
			"free": api.Object{"any": []any{m.IntN(10), m.text(10), nil, true}}})
	},
	"regions.shop.example.com": func(m *maker) api.Object { return spec(api.Object{"size": m.IntN(10), "text": m.text(50)}) },
}

var claim = api.Object{"devices": api.Object{"requests": []api.Object{
	{"name": "one", "exactly": api.Object{"deviceClassName": "nothing"}},
}}}

func rules(m *maker) api.Object {
	return api.Object{"rules": []api.Object{{
		"apiGroups": []string{""}, "resources": []string{"configmaps"}, "verbs": []string{"get", "list"},
		"resourceNames": []string{m.name("only")},
	}}}
}

func binding(role string) func(*maker) api.Object {
	return func(m *maker) api.Object {
		return api.Object{
			"roleRef":  api.Object{"apiGroup": "rbac.authorization.k8s.io", "kind": role, "name": "nothing"},
			"subjects": []api.Object{{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": m.name("user")}},
		}
	}
}

func webhooks(m *maker) api.Object {
	return api.Object{"webhooks": []api.Object{{
		"name": m.name("hook") + ".example.com", "clientConfig": api.Object{"url": "https://127.0.0.1:1/"},
		"rules": []api.Object{nothing}, "sideEffects": "None", "admissionReviewVersions": []string{"v1"},
		"failurePolicy": "Ignore",
	}}}
}
