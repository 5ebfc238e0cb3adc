#include "kube/columns.h"

#include <gtest/gtest.h>

#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "base/rfc3339.h"
#include "kube/age.h"

namespace tidemark::kube {
namespace {

using Json = nlohmann::json;
using namespace std::chrono_literals;

TEST(Age, AsKubectlSaysIt) {
  const std::pair<std::chrono::seconds, const char*> rows[] = {
      {-5s, "<invalid>"},  {0s, "0s"},        {119s, "119s"},      {120s, "2m"},          {200s, "3m20s"},
      {599s, "9m59s"},     {600s, "10m"},     {10799s, "179m"},    {10800s, "3h"},        {11100s, "3h5m"},
      {8h, "8h"},          {47h, "47h"},      {48h, "2d"},         {50h, "2d2h"},         {8 * 24h, "8d"},
      {729 * 24h, "729d"}, {730 * 24h, "2y"}, {731 * 24h, "2y1d"}, {9 * 365 * 24h, "9y"},
  };
  for (const auto& [age, text] : rows) EXPECT_EQ(human_age(age), text);
}

const Time kThen = parse_rfc3339("2026-11-21T10:00:00Z").value();

std::string row(std::string_view word, Json object) {
  static const Resources resources;
  object["metadata"]["name"] = "x";
  object["metadata"]["creationTimestamp"] = "2026-11-21T09:00:00Z";
  const Resource* resource = resources.find(word);
  const auto cells = cells_of(*resource, object, kThen);
  EXPECT_EQ(cells.size(), columns_of(*resource).size()) << word;
  return fmt::format("{}", fmt::join(cells, " | "));
}

TEST(Columns, CommonKinds) {
  struct Row {
    const char* kind;
    const char* object;
    const char* cells;
  };
  const Row rows[] = {
      {"deviceclass", R"({})", "x | 60m"},
      {"cm", R"({"data":{"a":"1","b":"2"},"binaryData":{"c":""}})", "x | 3 | 60m"},
      {"secret", R"({"type":"Opaque","data":{"a":"1"}})", "x | Opaque | 1 | 60m"},
      {"ns", R"({"status":{"phase":"Active"}})", "x | Active | 60m"},
      {"deploy", R"({"spec":{"replicas":3,"selector":{"matchLabels":{"a":"b"}},"template":{"spec":{"containers":[
          {"name":"c","image":"i:1"},{"name":"d","image":"j"}]}}},"status":{"readyReplicas":2,"updatedReplicas":3}})",
       "x | 2/3 | 3 | 0 | 60m | c,d | i:1,j | a=b"},
      {"sts", R"({"spec":{"replicas":1}})", "x | 0/1 | 60m |  | "},
      {"ds", R"({"status":{"desiredNumberScheduled":2,"numberReady":1}})",
       "x | 2 | 0 | 1 | 0 | 0 | <none> | 60m |  |  | <none>"},
      {"svc",
       R"({"spec":{"type":"NodePort","clusterIP":"10.0.0.1","ports":[{"port":80,"nodePort":30080,"protocol":"TCP"},{"port":53,"protocol":"UDP"}],"selector":{"app":"x"}}})",
       "x | NodePort | 10.0.0.1 | <none> | 80:30080/TCP,53/UDP | 60m | app=x"},
      {"svc", R"({"spec":{"type":"LoadBalancer"}})", "x | LoadBalancer | <none> | <pending> | <none> | 60m | <none>"},
      {"svc", R"({"spec":{"type":"ExternalName","externalName":"a.b"}})",
       "x | ExternalName | <none> | a.b | <none> | 60m | <none>"},
      {"pvc",
       R"({"spec":{"volumeName":"v","storageClassName":"s","volumeMode":"Block"},"status":{"phase":"Bound","capacity":{"storage":"1Gi"},"accessModes":["ReadWriteMany","ReadWriteOnce"]}})",
       "x | Bound | v | 1Gi | RWO,RWX | s | <unset> | 60m | Block"},
      {"pv",
       R"({"spec":{"capacity":{"storage":"1Gi"},"claimRef":{"namespace":"n","name":"c"},"persistentVolumeReclaimPolicy":"Retain"},"status":{"phase":"Bound"}})",
       "x | 1Gi |  | Retain | Bound | n/c |  | <unset> |  | 60m | <unset>"},
      {"no",
       R"({"metadata":{"labels":{"node-role.kubernetes.io/worker":""}},"spec":{"unschedulable":true},"status":{"conditions":[{"type":"Ready","status":"True"}],"nodeInfo":{"kubeletVersion":"v1.36.3"}}})",
       "x | Ready,SchedulingDisabled | worker | 60m | v1.36.3 | <none> | <none> | <unknown> | <unknown> | <unknown>"},
      {"job", R"({"spec":{"completions":2},"status":{"succeeded":1,"startTime":"2026-11-21T09:59:00Z"}})",
       "x | Running | 1/2 | 60s | 60m |  |  | <none>"},
      {"cj", R"({"spec":{"schedule":"@hourly","suspend":true}})",
       "x | @hourly | <none> | True | 0 | <none> | 60m |  |  | <none>"},
      {"pod", R"({"spec":{"containers":[{"name":"a"},{"name":"b"}]},"status":{"phase":"Running","containerStatuses":[
          {"name":"a","ready":true,"restartCount":2,"state":{"running":{}},"lastState":{"terminated":{"finishedAt":"2026-11-21T09:58:00Z"}}},
          {"name":"b","state":{"waiting":{"reason":"CrashLoopBackOff"}},"restartCount":1}]}})",
       "x | 1/2 | CrashLoopBackOff | 3 (2m ago) | 60m | <none> | <none> | <none> | <none>"},
      {"pod",
       R"({"spec":{"containers":[{"name":"a"}],"initContainers":[{"name":"i"},{"name":"j"}]},"status":{"phase":"Pending","initContainerStatuses":[
          {"name":"i","state":{"terminated":{"exitCode":0}}},{"name":"j","state":{"terminated":{"exitCode":3}}}]}})",
       "x | 0/1 | Init:ExitCode:3 | 0 | 60m | <none> | <none> | <none> | <none>"},
      {"pod",
       R"({"metadata":{"deletionTimestamp":"2026-11-21T09:59:00Z"},"spec":{"containers":[{}]},"status":{"phase":"Running"}})",
       "x | 0/1 | Terminating | 0 | 60m | <none> | <none> | <none> | <none>"},
      // What no object of a server is shows as empty, and does nothing else.
      {"pod", R"({"spec":7,"status":[]})", "x | 0/0 |  | 0 | 60m | <none> | <none> | <none> | <none>"},
      {"deploy", R"({"spec":{"replicas":"x","template":{"spec":{"containers":[7,{"image":1}]}}}})",
       "x | 0/0 | 0 | 0 | 60m |  | 1 | <none>"},
      {"svc", R"({"spec":{"ports":[7],"clusterIPs":[null]}})", "x |  | null | <none> | 0/ | 60m | <none>"},
  };
  for (const Row& r : rows) EXPECT_EQ(row(r.kind, Json::parse(r.object)), r.cells) << r.kind << " " << r.object;
}

TEST(Columns, OtherKinds) {
  struct Row {
    const char* kind;
    const char* object;
    const char* cells;
  };
  const Row rows[] = {
      {"rc", R"({"spec":{"replicas":2,"selector":{"a":"b"}},"status":{"replicas":1}})",
       "x | 2 | 1 | 0 | 60m |  |  | a=b"},
      {"podtemplate",
       R"({"template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"c","image":"i"}]}}})",
       "x | c | i | a=b"},
      {"controllerrevision",
       R"({"metadata":{"ownerReferences":[{"kind":"Node","name":"n"},{"apiVersion":"apps/v1","kind":"DaemonSet","name":"d","controller":true}]},"revision":3})",
       "x | daemonset.apps/d | 3 | 60m"},
      {"controllerrevision", R"({"revision":1})", "x | <none> | 1 | 60m"},
      {"ev",
       R"({"firstTimestamp":"2026-11-21T09:58:00Z","lastTimestamp":"2026-11-21T09:59:00Z","type":"Normal","reason":"R","message":" m\n",
          "involvedObject":{"kind":"Pod","name":"p","fieldPath":"f"},"source":{"component":"kubelet","host":"n"},"count":4})",
       "60s | Normal | R | pod/p | f | kubelet, n | m | 2m | 4 | x"},
      {"ev",
       R"({"eventTime":"2026-11-21T09:58:00.000000Z","reportingComponent":"c","series":{"count":7,"lastObservedTime":"2026-11-21T09:59:00.000000Z"},"involvedObject":{"kind":"Node"}})",
       "60s |  |  | node |  | c |  | 2m | 7 | x"},
      {"ev", R"({})", "<unknown> |  |  |  |  |  |  | <unknown> | 1 | x"},
      {"quota", R"({"status":{"hard":{"limits.cpu":"2","pods":"4","cpu":"1"},"used":{"pods":"3","cpu":"500m"}}})",
       "x | cpu: 500m/1, pods: 3/4 | limits.cpu: 0/2 | 60m"},
      {"limits", R"({})", "x | 2026-11-21T09:00:00Z"},
      {"ep", R"({})", "x | <none> | 60m"},
      {"ep",
       R"({"subsets":[{"addresses":[{"ip":"1.1.1.1"},{"ip":"::1"}],"ports":[{"port":80},{"port":81}]},{"addresses":[{"ip":"2.2.2.2"}]}]})",
       "x | 1.1.1.1:80,[::1]:80,1.1.1.1:81 + 2 more... | 60m"},
      {"endpointslice",
       R"({"addressType":"IPv4","ports":[{"port":80},{"name":"n"},{}],"endpoints":[{"addresses":["1.1.1.1"]}]})",
       "x | IPv4 | 80,n,* | 1.1.1.1 | 60m"},
      {"endpointslice", R"({})", "x |  | <unset> | <unset> | 60m"},
      {"ing", R"({"spec":{"rules":[{"host":"a"},{"host":"b"},{"host":"c"},{"host":"d"}],"tls":[{}]},
          "status":{"loadBalancer":{"ingress":[{"hostname":"h"},{"ip":"1.1.1.1"},{"hostname":"h"}]}}})",
       "x | <none> | a,b,c + 1 more... | 1.1.1.1,h | 80, 443 | 60m"},
      {"ing", R"({"spec":{"ingressClassName":"k","rules":[{}]}})", "x | k | * |  | 80 | 60m"},
      {"ingressclass",
       R"({"metadata":{"annotations":{"ingressclass.kubernetes.io/is-default-class":"true"}},"spec":{"controller":"c","parameters":{"apiGroup":"g","kind":"K","name":"n"}}})",
       "x (default) | c | K.g/n | 60m"},
      {"netpol",
       R"({"spec":{"podSelector":{"matchLabels":{"b":"1"},"matchExpressions":[{"key":"a","operator":"Exists"}]}}})",
       "x | a,b=1 | 60m"},
      {"ip", R"({"spec":{"parentRef":{"group":"G","resource":"services","namespace":"n","name":"s"}}})",
       "x | services.g/n/s"},
      {"servicecidr", R"({"spec":{"cidrs":["10.0.0.0/8","fd00::/64"]}})", "x | 10.0.0.0/8,fd00::/64 | 60m"},
      {"clusterrole", R"({})", "x | 2026-11-21T09:00:00Z"},
      {"rolebinding",
       R"({"roleRef":{"kind":"Role","name":"r"},"subjects":[{"kind":"User","name":"u"},{"kind":"User","name":"v"},{"kind":"Group","name":"g"},{"kind":"ServiceAccount","namespace":"n","name":"s"}]})",
       "x | Role/r | 60m | u, v | g | n/s"},
      {"csr",
       R"({"spec":{"signerName":"s","username":"u","expirationSeconds":3600},"status":{"certificate":"YQ==","conditions":[{"type":"Approved"}]}})",
       "x | 60m | s | u | 60m | Approved,Issued"},
      {"csr", R"({"status":{"conditions":[{"type":"Failed"},{"type":"Denied"}]}})",
       "x | 60m | <none> |  | <none> | Denied,Failed"},
      {"validatingwebhookconfiguration", R"({"webhooks":[{},{}]})", "x | 2 | 60m"},
      {"validatingadmissionpolicy", R"({"spec":{"validations":[{}],"paramKind":{"apiVersion":"v1","kind":"K"}}})",
       "x | 1 | v1/K | 60m"},
      {"validatingadmissionpolicybinding", R"({"spec":{"policyName":"p","paramRef":{"name":"n"}}})",
       "x | p | */n | 60m"},
      {"validatingadmissionpolicybinding",
       R"({"spec":{"policyName":"p","paramRef":{"selector":{"matchLabels":{"a":"b"}}}}})",
       "x | p | &LabelSelector{MatchLabels:map[string]string{a: b,},MatchExpressions:[]LabelSelectorRequirement{},} | "
       "60m"},
      {"flowschema",
       R"({"spec":{"priorityLevelConfiguration":{"name":"p"},"matchingPrecedence":7},"status":{"conditions":[{"type":"Dangling","status":"False"}]}})",
       "x | p | 7 | <none> | 60m | False"},
      {"prioritylevelconfiguration",
       R"({"spec":{"type":"Limited","limited":{"nominalConcurrencyShares":5,"limitResponse":{"queuing":{"queues":1,"handSize":2,"queueLengthLimit":3}}}}})",
       "x | Limited | 5 | 1 | 2 | 3 | 60m"},
      {"prioritylevelconfiguration", R"({"spec":{"type":"Exempt"}})",
       "x | Exempt | <none> | <none> | <none> | <none> | 60m"},
      {"pc", R"({"value":9,"globalDefault":true,"preemptionPolicy":"Never"})", "x | 9 | true | 60m | Never"},
      {"pdb", R"({"spec":{"minAvailable":"50%"},"status":{"disruptionsAllowed":1}})", "x | 50% | N/A | 1 | 60m"},
      {"hpa", R"({"spec":{"scaleTargetRef":{"kind":"D","name":"d"},"maxReplicas":3,"metrics":[
          {"type":"Resource","resource":{"name":"cpu","target":{"averageUtilization":80}}},
          {"type":"Pods","pods":{"target":{"averageValue":"5"}}},{"type":"Object"}]},
          "status":{"currentReplicas":2,"currentMetrics":[{"type":"Resource","resource":{"current":{"averageUtilization":7}}}]}})",
       "x | D/d | cpu: 7%/80%, <unknown>/5 + 1 more... | <unset> | 3 | 2 | 60m"},
      {"hpa", R"({"spec":{"minReplicas":1,"targetCPUUtilizationPercentage":50}})",
       "x | / | cpu: <unknown>/50% | 1 | 0 | 0 | 60m"},
      {"sc", R"({"metadata":{"annotations":{"storageclass.kubernetes.io/is-default-class":"true"}},"provisioner":"p"})",
       "x (default) | p | Delete | Immediate | false | 60m"},
      {"volumeattachment",
       R"({"spec":{"attacher":"a","nodeName":"n","source":{"persistentVolumeName":"v"}},"status":{"attached":true}})",
       "x | a | v | n | true | 60m"},
      {"csinode", R"({"spec":{"drivers":[{}]}})", "x | 1 | 60m"},
      {"csidriver",
       R"({"spec":{"podInfoOnMount":true,"tokenRequests":[{"audience":"a"},{"audience":"b"}],"volumeLifecycleModes":["Persistent"]}})",
       "x | true | true | false | a,b | false | Persistent | 60m"},
      {"csistoragecapacity", R"({"storageClassName":"s"})", "x | 2026-11-21T09:00:00Z"},
      {"resourceclaim", R"({"status":{"allocation":{},"reservedFor":[{}]}})", "x | allocated,reserved | 60m"},
      {"resourceclaim", R"({})", "x | pending | 60m"},
      {"lease", R"({"spec":{"holderIdentity":"h"}})", "x | h | 60m"},
      {"runtimeclass", R"({"handler":"h"})", "x | h | 60m"},
      {"apiservice",
       R"({"spec":{"service":{"namespace":"n","name":"s"}},"status":{"conditions":[{"type":"Available","status":"False","reason":"R"}]}})",
       "x | n/s | False (R) | 60m"},
      {"apiservice", R"({})", "x | Local | Unknown | 60m"},
      {"crd", R"({})", "x | 2026-11-21T09:00:00Z"},
      // What no object of a server is.
      {"hpa", R"({"spec":{"metrics":[7,[]]},"status":{"currentMetrics":[[]]}})",
       "x | / | <unknown type>, <unknown type> | <unset> | 0 | 0 | 60m"},
      {"ep", R"({"subsets":[7,{"addresses":{},"ports":[null]}]})", "x |  | 60m"},
      {"ing", R"({"spec":[],"status":7})", "x | <none> | * |  | 80 | 60m"},
  };
  for (const Row& r : rows) EXPECT_EQ(row(r.kind, Json::parse(r.object)), r.cells) << r.kind << " " << r.object;
}

TEST(Columns, OfADefinition) {
  Resource r;
  r.custom = true;
  r.columns = {
      {"Size", "integer", ".spec.size", 0},  {"Ready", "string", R"(.status.conditions[?(@.type=="Ready")].status)", 0},
      {"Since", "date", ".status.since", 0}, {"Deep", "string", ".spec.list[*].name", 1},
      {"Bad", "string", ".spec[", 0},        {"Half", "integer", ".spec.half", 0},
      {"Many", "number", ".spec.many", 0},   {"Other", "integer", ".status.since", 0},
      {"Whole", "string", ".spec.whole", 0}, {"When", "date", ".spec.whole.when", 0},
      {"On", "boolean", ".spec.on", 0}};
  const auto columns = columns_of(r);
  ASSERT_EQ(columns.size(), 12U);
  EXPECT_EQ(columns[1].heading, "SIZE");
  EXPECT_TRUE(columns[4].wide);
  const Json object = Json::parse(R"({"metadata":{"name":"w"},"spec":{"size":3,"list":[{"name":"a"},{"name":"b"}],
    "half":2.5,"many":2e6,"whole":{"when":"soon"},"on":true},
    "status":{"since":"2026-11-21T09:59:00Z","conditions":[{"type":"X","status":"False"},{"type":"Ready","status":"True"}]}})");
  EXPECT_EQ(fmt::format("{}", fmt::join(cells_of(r, object, kThen), " | ")),
            R"(w | 3 | True | 60s | a |  | 2 | 2000000 |  | {"when":"soon"} | <invalid> | true)");
  EXPECT_EQ(fmt::format("{}", fmt::join(cells_of(r, Json::object(), kThen), "|")), "|||||||||||");
}

}  // namespace
}  // namespace tidemark::kube
