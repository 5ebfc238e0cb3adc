#include "kube/columns.h"

#include <gtest/gtest.h>

#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "base/rfc3339.h"
#include "kube/age.h"
#include "kube/json_path.h"

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
      {"lease", R"({})", "x | 60m"},
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
       "x | Ready,SchedulingDisabled | worker | 60m | v1.36.3 | <none> | <none> |  |  | "},
      {"job", R"({"spec":{"completions":2},"status":{"succeeded":1,"startTime":"2026-11-21T09:59:00Z"}})",
       "x | Running | 1/2 | 60s | 60m |  |  | <none>"},
      {"cj", R"({"spec":{"schedule":"@hourly","suspend":true}})", "x | @hourly | <none> | True | 0 | <none> | 60m"},
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

TEST(Columns, OfADefinition) {
  Resource r;
  r.custom = true;
  r.columns = {{"Size", "integer", ".spec.size", 0},
               {"Ready", "string", R"(.status.conditions[?(@.type=="Ready")].status)", 0},
               {"Since", "date", ".status.since", 0},
               {"Deep", "string", ".spec.list[*].name", 1},
               {"Bad", "string", ".spec[", 0}};
  const auto columns = columns_of(r);
  ASSERT_EQ(columns.size(), 6U);
  EXPECT_EQ(columns[1].heading, "SIZE");
  EXPECT_TRUE(columns[4].wide);
  const Json object = Json::parse(R"({"metadata":{"name":"w"},"spec":{"size":3,"list":[{"name":"a"},{"name":"b"}]},
    "status":{"since":"2026-11-21T09:59:00Z","conditions":[{"type":"X","status":"False"},{"type":"Ready","status":"True"}]}})");
  EXPECT_EQ(fmt::format("{}", fmt::join(cells_of(r, object, kThen), " | ")), "w | 3 | True | 60s | a b | ");
  EXPECT_EQ(fmt::format("{}", fmt::join(cells_of(r, Json::object(), kThen), "|")), "|||||");
}

TEST(JsonPath, Finds) {
  const Json object = Json::parse(R"({"a":{"b":[1,2,3],"c.d":"x","e/f":"y"},"l":[{"n":"p","v":1},{"n":"q","v":2}]})");
  struct Row {
    const char* path;
    const char* found;
  };
  const Row rows[] = {
      {".a.b[0]", "1"},
      {".a.b[-1]", "3"},
      {".a.b[3]", ""},
      {".a.b[*]", "1 2 3"},
      {R"(.a.c\.d)", "\"x\""},
      {".a['c.d']", "\"x\""},
      {R"(.a["e/f"])", "\"y\""},
      {".none.x", ""},
      {".l[*].n", "\"p\" \"q\""},
      {".l[?(@.n=='q')].v", "2"},
      {".l[?(@.v==1)].n", "\"p\""},
      {".l[?(@.v != 1)].n", "\"q\""},
      {"{.a.b[1]}", "2"},
      {".l.n", ""},
      {".a.b.x", ""},
      {".a.b[1][0]", ""},
  };
  for (const Row& row : rows) {
    const auto found = find_path(object, row.path);
    ASSERT_TRUE(found) << row.path << ": " << found.error().what;
    std::string text;
    for (const Json* one : *found) text += (text.empty() ? "" : " ") + one->dump();
    EXPECT_EQ(text, row.found) << row.path;
  }
  for (const char* path : {"a", "[", ".a[", ".a[x]", ".a['b", ".a['b'", ".l[?(@.n)].v", ".l[?(@.n=='q'].v", "{.a",
                           ".a[1:2]", ".a[?(1==1)]", ".a\\"}) {
    EXPECT_FALSE(find_path(object, path)) << path;
  }
}

}  // namespace
}  // namespace tidemark::kube
