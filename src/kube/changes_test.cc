#include "kube/changes.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace tidemark::kube {
namespace {

nlohmann::json noisy() {
  return nlohmann::json::parse(R"({"apiVersion":"v1","kind":"Pod","spec":{"a":1},"status":{"phase":"Running"},
    "metadata":{"name":"x","uid":"u","resourceVersion":"7","generation":2,"selfLink":"/x","managedFields":[{}],
      "annotations":{"kubectl.kubernetes.io/last-applied-configuration":"{}"}}})");
}

TEST(KeepCompared, LeavesOutWhatEveryWriteChanges) {
  struct Row {
    Compared what;
    const char* left;
  };
  const Row rows[] = {
      {{}, R"({"apiVersion":"v1","kind":"Pod","spec":{"a":1},"metadata":{"name":"x","uid":"u"}})"},
      {{.status = true},
       R"({"apiVersion":"v1","kind":"Pod","spec":{"a":1},"status":{"phase":"Running"},"metadata":{"name":"x","uid":"u"}})"},
      {{.managed_fields = true},
       R"({"apiVersion":"v1","kind":"Pod","spec":{"a":1},"metadata":{"name":"x","uid":"u","managedFields":[{}]}})"},
  };
  for (const Row& row : rows) {
    nlohmann::json object = noisy();
    keep_compared(object, row.what);
    EXPECT_EQ(object, nlohmann::json::parse(row.left));
  }
  nlohmann::json owned = noisy();
  owned["metadata"].update(
      {{"creationTimestamp", "2026-01-01T00:00:00Z"}, {"ownerReferences", {{{"name", "o"}, {"uid", "v"}}}}});
  keep_compared(owned, {.identity = false});
  EXPECT_EQ(
      owned,
      nlohmann::json::parse(
          R"({"apiVersion":"v1","kind":"Pod","spec":{"a":1},"metadata":{"name":"x","ownerReferences":[{"name":"o"}]}})"));
  nlohmann::json all = noisy();
  keep_compared(all, {.all = true});
  EXPECT_EQ(all, noisy());
}

TEST(KeepCompared, LeavesOtherShapesAlone) {
  for (const char* text : {"null", "[]", "1", "{}", R"({"metadata":1})", R"({"metadata":{"annotations":[]}})",
                           R"({"metadata":{"annotations":{"mine":"1"}}})"}) {
    nlohmann::json object = nlohmann::json::parse(text);
    keep_compared(object, {});
    EXPECT_EQ(object, nlohmann::json::parse(text));
  }
}

SecretMask::Key key(int n) { return {std::byte(n)}; }

TEST(SecretMask, HidesEveryValueAndKeepsEquality) {
  const nlohmann::json secret = nlohmann::json::parse(R"({"apiVersion":"v1","kind":"Secret","type":"Opaque",
    "data":{"a":"cGFzcw==","b":"cGFzcw==","c":"b3RoZXI="},"stringData":{"d":"pass"},
    "metadata":{"name":"s","annotations":{"mine":"1",
      "kubectl.kubernetes.io/last-applied-configuration":"{\"data\":{\"a\":\"cGFzcw==\"}}"}}})");
  nlohmann::json hidden = secret;
  SecretMask(key(1)).hide(hidden);
  const std::string text = hidden.dump();
  for (const char* plain : {"cGFzcw", "b3RoZXI", "pass"}) EXPECT_EQ(text.find(plain), std::string::npos) << text;
  EXPECT_EQ(hidden["data"]["a"], hidden["data"]["b"]);
  EXPECT_NE(hidden["data"]["a"], hidden["data"]["c"]);
  EXPECT_TRUE(hidden["data"]["a"].get<std::string>().starts_with("hash:"));
  EXPECT_EQ(hidden["data"]["a"].get<std::string>().size(), 21U);
  EXPECT_EQ(hidden["metadata"]["annotations"]["mine"], "1");
  EXPECT_EQ(hidden["type"], "Opaque");
  nlohmann::json elsewhere = secret;
  SecretMask(key(2)).hide(elsewhere);
  EXPECT_NE(elsewhere["data"]["a"], hidden["data"]["a"]) << "guesses could be hashed";
}

TEST(SecretMask, OddShapesAreHiddenToo) {
  for (const char* data : {R"("cGFzcw==")", R"(["cGFzcw=="])", R"({"a":["cGFzcw=="]})", R"({"a":{"b":"cGFzcw=="}})"}) {
    nlohmann::json secret{{"apiVersion", "v1"}, {"kind", "Secret"}, {"data", nlohmann::json::parse(data)}};
    SecretMask(key(1)).hide(secret);
    EXPECT_EQ(secret.dump().find("cGFzcw"), std::string::npos) << secret.dump();
  }
  for (const char* other :
       {"null", "[]", R"({"kind":"Secret"})", R"({"apiVersion":"v1","kind":"ConfigMap","data":{"a":"b"}})",
        R"({"apiVersion":"example.com/v1","kind":"Secret","data":{"a":"b"}})",
        R"({"apiVersion":"v1","kind":"Secret","data":null})"}) {
    nlohmann::json object = nlohmann::json::parse(other);
    SecretMask(key(1)).hide(object);
    EXPECT_EQ(object, nlohmann::json::parse(other));
  }
}

nlohmann::json managed(const char* entries) {
  return nlohmann::json{{"metadata", {{"managedFields", nlohmann::json::parse(entries)}}}};
}

std::string words(const nlohmann::json& before, const nlohmann::json& after) {
  std::string text;
  for (const ChangedBy& m : field_managers(before, after)) {
    text += fmt::format("{}{}{}{} ", m.manager, m.subresource.empty() ? "" : "/", m.subresource, m.certain ? "" : "?");
  }
  return text;
}

TEST(FieldManagers, ThoseWhoseEntriesChanged) {
  const char* one = R"([{"manager":"a","operation":"Update","time":"2026-01-01T00:00:00Z","fieldsV1":{"f:x":{}}}])";
  const char* later = R"([{"manager":"a","operation":"Update","time":"2026-01-01T00:00:05Z","fieldsV1":{"f:x":{}}}])";
  const char* two = R"([{"manager":"a","operation":"Update","time":"2026-01-01T00:00:00Z","fieldsV1":{"f:x":{}}},
    {"manager":"b","operation":"Update","subresource":"status","time":"2026-01-01T00:00:01Z","fieldsV1":{}}])";
  struct Row {
    nlohmann::json before, after;
    const char* says;
  };
  const Row rows[] = {
      {nlohmann::json::object(), managed(one), "a "},
      {managed(one), managed(two), "b/status "},
      {managed(one), managed(later), "a "},
      {managed(two), managed(one), "a? "},  // one is gone: nobody's entry changed
      {managed(one), managed(one), "a? "},  // twice in a second
      {managed(two), managed(two), "b/status? "},
      {nlohmann::json(), managed(two), "b/status? "},  // nothing is known of what was before
      {managed(one), nlohmann::json::object(), ""},
      {nlohmann::json::object(), nlohmann::json::parse(R"({"metadata":{"managedFields":"x"}})"), ""},
      {nlohmann::json::object(), managed(R"([1,null,"x"])"), ""},
      {nlohmann::json::object(), managed(R"([{"manager":1,"time":[]}])"), " "},
      {nlohmann::json::object(), nlohmann::json::parse("[]"), ""},
  };
  for (const Row& row : rows) EXPECT_EQ(words(row.before, row.after), row.says) << row.after;
}

TEST(NewestClaimedTime, OfManagersElseOfCreation) {
  EXPECT_EQ(newest_claimed_time(managed(R"([{"time":"2026-01-02T00:00:00Z"},{"time":"2026-01-01T00:00:00Z"}])")),
            "2026-01-02T00:00:00Z");
  EXPECT_EQ(newest_claimed_time(nlohmann::json::parse(R"({"metadata":{"creationTimestamp":"2026-01-01T00:00:00Z"}})")),
            "2026-01-01T00:00:00Z");
  for (const char* text : {"null", "{}", R"({"metadata":[]})", R"({"metadata":{"creationTimestamp":null}})"}) {
    EXPECT_EQ(newest_claimed_time(nlohmann::json::parse(text)), "") << text;
  }
}

}  // namespace
}  // namespace tidemark::kube
