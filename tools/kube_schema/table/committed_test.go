package table

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// committed is the table that Tidemark is built with. That it has no inline cycles and that all that it names is there
// was checked by reading it.
func committed(t *testing.T) *Table {
	t.Helper()
	union, err := Read("../../../src/kube/schema_table.inc")
	if err != nil {
		t.Fatal(err)
	}
	return union
}

func TestCommittedTableIsWhole(t *testing.T) {
	union := committed(t)
	if union.First != 20 || union.Last != 36 {
		t.Errorf("minors %s", union.minors())
	}
	if len(union.Roots) < 181 || len(union.Messages) < 1073 {
		t.Errorf("%d kinds, %d messages", len(union.Roots), len(union.Messages))
	}
	fields := 0
	reached := map[string]bool{}
	for _, root := range union.Roots {
		reach(union, root.Message, reached)
		metadata := union.Find(root.Message).Field(1)
		if metadata == nil || metadata.JSON != "metadata" || metadata.Type.String() != "m(meta/v1.ObjectMeta)" {
			t.Errorf("%s %s: field 1 is not its metadata", root.APIVersion, root.Kind)
		}
	}
	for _, message := range union.Messages {
		if fields += len(message.Fields); !reached[message.Name] {
			t.Errorf("no kind needs %s", message.Name)
		}
	}
	t.Logf("%d kinds, %d messages, %d fields", len(union.Roots), len(union.Messages), fields)
}

func reach(union *Table, name string, reached map[string]bool) {
	if name == "" || reached[name] {
		return
	}
	reached[name] = true
	for _, field := range union.Find(name).Fields {
		reach(union, field.Type.Message, reached)
	}
}

func TestKnownKinds(t *testing.T) {
	union := committed(t)
	for _, root := range []Root{
		{"v1", "Pod", "core/v1.Pod"},
		{"v1", "RangeAllocation", "core/v1.RangeAllocation"},
		{"apps/v1", "Deployment", "apps/v1.Deployment"},
		{"extensions/v1beta1", "Ingress", "extensions/v1beta1.Ingress"},
		{"autoscaling/v2beta2", "HorizontalPodAutoscaler", "autoscaling/v2beta2.HorizontalPodAutoscaler"},
		{"apiextensions.k8s.io/v1beta1", "CustomResourceDefinition", "apiextensions/v1beta1.CustomResourceDefinition"},
		{"apiregistration.k8s.io/v1", "APIService", "apiregistration/v1.APIService"},
	} {
		if !slices.Contains(union.Roots, root) {
			t.Errorf("no %s %s as %s", root.APIVersion, root.Kind, root.Message)
		}
	}
	for _, root := range union.Roots {
		if strings.HasSuffix(root.Kind, "List") || strings.HasSuffix(root.Kind, "Options") || strings.Contains(root.APIVersion, "__internal") {
			t.Errorf("%s %s is never stored", root.APIVersion, root.Kind)
		}
	}
}

func TestKnownRows(t *testing.T) {
	union := committed(t)
	for message, rows := range map[string]string{
		"core/v1.Volume":               "1 name s -; 2 - m(core/v1.VolumeSource) I",
		"core/v1.ConfigMapKeySelector": "1 - m(core/v1.LocalObjectReference) I; 2 key s -; 3 optional *b O",
		"core/v1.PodSpec": "2 containers [m(core/v1.Container) -; 5 activeDeadlineSeconds *l O; 7 nodeSelector {s O; " +
			"14 securityContext *m(core/v1.PodSecurityContext) O; 32 overhead {q O",
		"core/v1.ResourceRequirements":    "1 limits {q O; 2 requests {q O",
		"core/v1.Secret":                  "2 data {y O; 4 stringData {s O",
		"core/v1.ServicePort":             "4 targetPort x O",
		"core/v1.Event":                   "6 firstTimestamp t O; 10 eventTime T O",
		"core/v1.Lifecycle":               "1 postStart *m(core/v1.LifecycleHandler) O",
		"core/v1.Probe":                   "1 - m(core/v1.ProbeHandler) I",
		"core/v1.EphemeralContainer":      "1 - m(core/v1.EphemeralContainerCommon) I; 2 targetContainerName s O",
		"core/v1.HostAlias":               "1 ip s O-29",
		"meta/v1.ObjectMeta":              "5 uid s O; 8 creationTimestamp t O,Z34-; 9 deletionTimestamp *t O; 15 clusterName s O",
		"meta/v1.ManagedFieldsEntry":      "4 time *t O; 7 fieldsV1 *F O",
		"apps/v1.DeploymentSpec":          "2 selector *m(meta/v1.LabelSelector) -; 4 strategy m(apps/v1.DeploymentStrategy) O",
		"apps/v1.ControllerRevision":      "2 data r O; 3 revision l -",
		"networking/v1.HTTPIngressPath":   "1 path s O; 3 pathType *s O-21",
		"networking/v1beta1.IngressRule":  "1 host s O; 2 - m(networking/v1beta1.IngressRuleValue) I",
		"rbac/v1.Role":                    "2 rules [m(rbac/v1.PolicyRule) -",
		"coordination/v1.LeaseSpec":       "2 leaseDurationSeconds *i O; 3 acquireTime *T O",
		"discovery/v1.EndpointConditions": "1 ready *b O",

		"certificates/v1.CertificateSigningRequestSpec": "1 request y -; 6 extra {<s O",
		"apiextensions/v1.JSONSchemaProps": "2 $schema s O; 3 $ref *s O; 8 default *j O; 9 maximum *d O; 20 enum [j O; " +
			"24 items *A(apiextensions/v1.JSONSchemaProps) O; 29 properties {m(apiextensions/v1.JSONSchemaProps) O; " +
			"30 additionalProperties *B(apiextensions/v1.JSONSchemaProps) O; " +
			"32 dependencies {S(apiextensions/v1.JSONSchemaProps) O; 38 x-kubernetes-preserve-unknown-fields *b O",
		"apiextensions/v1beta1.JSONSchemaProps": "24 items *A(apiextensions/v1beta1.JSONSchemaProps) O",
	} {
		found := union.Find(message)
		if found == nil {
			t.Errorf("no message %s", message)
			continue
		}
		for row := range strings.SplitSeq(rows, "; ") {
			words := strings.Split(row, " ")
			number, err := natural(words[0])
			if err != nil {
				t.Fatal(err)
			}
			if field := found.Field(number); field == nil {
				t.Errorf("%s has no field %d", message, number)
			} else if got := strings.Join([]string{words[0], field.JSON, field.Type.String(), field.flags()}, " "); got != row {
				t.Errorf("%s: %q, expected %q", message, got, row)
			}
		}
	}
}

// Every name has the form that the reader splits at blanks and at the dot.
func TestNamesAreNames(t *testing.T) {
	name := regexp.MustCompile(`^[a-z0-9]+/v[0-9a-z]+\.[A-Z][A-Za-z0-9]*$`)
	json := regexp.MustCompile(`^(-|\$?[A-Za-z][-A-Za-z0-9]*)$`)
	for _, message := range committed(t).Messages {
		if !name.MatchString(message.Name) {
			t.Errorf("a message named %q", message.Name)
		}
		for _, field := range message.Fields {
			if !json.MatchString(field.JSON) {
				t.Errorf("%s: a field named %q", message.Name, field.JSON)
			}
		}
	}
}
