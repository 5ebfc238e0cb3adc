package load

import (
	"fmt"

	"tidemark.test/kubernetes/api"
)

// What besides apiVersion, kind and metadata an object has, by resource. Each is valid, and made so that no controller
// acts on it for long: no replicas, suspended, selectors that match nothing.
var contents = map[string]func(*maker) api.Object{
	// core
	"configmaps": func(m *maker) api.Object {
		data, binary := api.Object{}, api.Object{}
		for range m.IntN(6) {
			data[fmt.Sprintf("key.%d", m.IntN(100))] = m.text(2000)
		}
		if m.IntN(4) == 0 {
			binary["binary"] = m.bytes(2000)
		}
		return api.Object{"data": data, "binaryData": binary, "immutable": m.IntN(10) == 0}
	},
	"secrets": func(m *maker) api.Object {
		return api.Object{"type": "Opaque", "data": api.Object{"password": m.bytes(64), "file": m.bytes(1000)}}
	},
	"serviceaccounts": func(m *maker) api.Object { return api.Object{"automountServiceAccountToken": m.IntN(2) == 0} },
	"namespaces":      func(*maker) api.Object { return nil },
	"nodes": func(m *maker) api.Object {
		return spec(api.Object{"unschedulable": true, "podCIDR": fmt.Sprintf("10.1.%d.0/24", m.number%256)})
	},
	"pods":         func(m *maker) api.Object { return spec(m.podSpec()) },
	"podtemplates": func(m *maker) api.Object { return api.Object{"template": m.template("fill")} },
	"replicationcontrollers": func(m *maker) api.Object {
		return spec(api.Object{"replicas": 0, "selector": api.Object{"app": m.name("rc")}, "template": m.template(m.name("rc"))})
	},
	"services": func(m *maker) api.Object {
		return spec(api.Object{
			"clusterIP": "None", "selector": api.Object{"app": m.name("nothing")},
			"ports": []api.Object{{"name": "http", "port": 80 + m.IntN(1000), "targetPort": "http"}},
		})
	},
	"endpoints": func(m *maker) api.Object {
		return api.Object{"subsets": []api.Object{{
			"addresses": []api.Object{{"ip": fmt.Sprintf("10.2.%d.%d", m.IntN(256), 1+m.IntN(254))}},
			"ports":     []api.Object{{"port": 80}},
		}}}
	},
	"events": func(m *maker) api.Object {
		return api.Object{
			"involvedObject": api.Object{"kind": "ConfigMap", "apiVersion": "v1", "name": "fill-0", "namespace": m.namespace},
			"reason":         "Filled", "message": m.text(100), "type": "Normal", "count": 1 + m.IntN(9),
			"firstTimestamp": "2026-01-01T00:00:00Z", "lastTimestamp": "2026-01-01T00:00:01Z",
		}
	},
	"limitranges": func(*maker) api.Object {
		return spec(api.Object{"limits": []api.Object{{"type": "Container", "max": api.Object{"cpu": "64"}}}})
	},
	"resourcequotas": func(m *maker) api.Object {
		return spec(api.Object{"hard": api.Object{"count/nothings.example.com": fmt.Sprint(m.IntN(100))}})
	},
	"persistentvolumes": func(m *maker) api.Object {
		return spec(api.Object{
			"capacity": api.Object{"storage": fmt.Sprintf("%dGi", 1+m.IntN(50))}, "accessModes": []string{"ReadWriteOnce"},
			"persistentVolumeReclaimPolicy": "Retain", "storageClassName": "fill",
			"csi": api.Object{"driver": "fill.example.com", "volumeHandle": m.name("handle")},
		})
	},
	"persistentvolumeclaims": func(m *maker) api.Object {
		return spec(api.Object{
			"accessModes": []string{"ReadWriteOnce"}, "storageClassName": "nowhere",
			"resources": api.Object{"requests": api.Object{"storage": fmt.Sprintf("%dGi", 1+m.IntN(50))}},
		})
	},

	// workloads
	"deployments.apps": workload("deployment"),
	"replicasets.apps": workload("replicaset"),
	"statefulsets.apps": func(m *maker) api.Object {
		object := workload("statefulset")(m)
		object["spec"].(api.Object)["serviceName"] = "fill"
		return object
	},
	"daemonsets.apps": func(m *maker) api.Object {
		object := workload("daemonset")(m)
		delete(object["spec"].(api.Object), "replicas")
		return object
	},
	"controllerrevisions.apps": func(m *maker) api.Object {
		return api.Object{"revision": m.IntN(1000), "data": api.Object{"text": m.text(300)}}
	},
	"jobs.batch": func(m *maker) api.Object { return spec(m.jobSpec()) },
	"cronjobs.batch": func(m *maker) api.Object {
		return spec(api.Object{
			"schedule": fmt.Sprintf("%d 3 * * *", m.IntN(60)), "suspend": true, "timeZone": "Europe/Berlin",
			"jobTemplate": spec(m.jobSpec()),
		})
	},
	"horizontalpodautoscalers.autoscaling": func(m *maker) api.Object {
		return spec(api.Object{
			"minReplicas": 1, "maxReplicas": 1 + m.IntN(20),
			"scaleTargetRef": api.Object{"apiVersion": "apps/v1", "kind": "Deployment", "name": "nothing"},
		})
	},
	"poddisruptionbudgets.policy": func(m *maker) api.Object {
		return spec(api.Object{"minAvailable": fmt.Sprintf("%d%%", m.IntN(100)), "selector": selector("nothing")})
	},
	"priorityclasses.scheduling.k8s.io": func(m *maker) api.Object {
		return api.Object{"value": m.IntN(1000000), "description": m.text(50)}
	},
	"runtimeclasses.node.k8s.io": func(*maker) api.Object { return api.Object{"handler": "fill"} },
	"leases.coordination.k8s.io": func(m *maker) api.Object {
		return spec(api.Object{
			"holderIdentity": m.name("holder"), "leaseDurationSeconds": 1 + m.IntN(100),
			"renewTime": fmt.Sprintf("2026-01-01T00:00:00.%06dZ", m.IntN(1000000)),
		})
	},
}

func spec(spec api.Object) api.Object { return api.Object{"spec": spec} }

func workload(prefix string) func(*maker) api.Object {
	return func(m *maker) api.Object {
		app := m.name(prefix)
		return spec(api.Object{"replicas": 0, "selector": selector(app), "template": m.template(app)})
	}
}

func (m *maker) jobSpec() api.Object {
	pod := m.podSpec()
	pod["restartPolicy"] = "Never"
	return api.Object{"suspend": true, "completions": 1 + m.IntN(5), "template": spec(pod)}
}
