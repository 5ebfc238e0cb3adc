// The document of a plan: what is printed is what is read, and nothing else is.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "kube/yaml_text.h"
#include "live/json_reach.h"
#include "live/plan_checksum.h"
#include "live/testing/objects.h"

namespace tidemark::live {
namespace {

using nlohmann::json;
using testing::object;

const PlanOptions kOptions{.existing = Existing::recreate,
                           .prune = true,
                           .remove_namespaces = true,
                           .max_share = 100,
                           .status = true,
                           .same_cluster = true,
                           .namespaces = {{"a", "b"}}};

// Each action, each member.
Plan sample_plan() {
  const Found then = object("deployments.apps shop/web", R"({"spec":{"replicas":2},"status":{"replicas":2}})");
  const Found now = object("deployments.apps shop/web", R"({"spec":{"replicas":3},"metadata":{"labels":
    {"app.kubernetes.io/managed-by":"Helm"},"managedFields":[{"manager":"helm","fieldsV1":{"f:spec":{"f:replicas":{}}}}]}})");
  const Found owned =
      object("configmaps shop/owned", R"({"data":{"text":"a\nb\u00fc: yes"},"metadata":{"ownerReferences":[
    {"apiVersion":"v1","kind":"Secret","name":"made","uid":"x"}]}})");
  Plan plan = testing::planned(
      {.wanted = {then, owned, object("secrets shop/made"), object("nodes n1"), object("configmaps shop/same"),
                  object("configmaps shop/fixed", R"({"data":{"k":"1"}})")},
       .live = {now, object("configmaps shop/same"), object("configmaps shop/new"),
                object("configmaps shop/fixed", R"({"data":{"k":"2"},"immutable":true})")},
       .missing = {"namespaces shop"}},
      kOptions);
  plan.steps.back().verb_denied = "delete configmaps in namespace shop";
  plan.steps.front().kept_as = "v1beta1";
  return plan;
}

TEST(PlanDocument, IsReadAsItWasWritten) {
  const Plan plan = sample_plan();
  for (const Action action :
       {Action::create, Action::change, Action::recreate, Action::remove, Action::keep, Action::leave_out}) {
    EXPECT_GT(plan.count(action), 0U) << testing::word(action);
  }
  const json document = json(plan_document(plan, kOptions));
  PlanOptions options;
  const auto read = read_plan(document, options);
  ASSERT_TRUE(read) << read.error().what;
  EXPECT_EQ(read->digest(), plan.digest());
  EXPECT_EQ(read->warnings, plan.warnings);
  ASSERT_EQ(read->steps.size(), plan.steps.size());
  for (std::size_t i = 0; i < plan.steps.size(); i++) {
    const Step& was = plan.steps[i];
    const Step& is = read->steps[i];
    EXPECT_EQ(is.id(), was.id());
    EXPECT_EQ(is.action, was.action);
    EXPECT_EQ(is.wave, was.wave);
    EXPECT_EQ(is.merge, was.merge);
    EXPECT_EQ(is.kept_as, was.kept_as);
    EXPECT_EQ(is.kind.api_version(), was.kind.api_version());
    EXPECT_EQ(is.kind.kind, was.kind.kind);
    EXPECT_EQ(is.kind.subresources, was.kind.subresources);
    EXPECT_EQ(is.kind.verbs, was.kind.verbs);
    EXPECT_EQ(is.body, was.body);
    EXPECT_EQ(is.status, was.status);
    if (was.changes()) {
      EXPECT_EQ(is.before, was.before);
    }
    EXPECT_EQ(text_at(is.before, "/metadata/uid"), text_at(was.before, "/metadata/uid"));
    EXPECT_EQ(is.reason, was.reason);
    EXPECT_EQ(is.warnings, was.warnings);
    EXPECT_EQ(is.owners, was.owners);
    EXPECT_EQ(is.field_owners, was.field_owners);
    EXPECT_EQ(is.verb_denied, was.verb_denied);
  }
  EXPECT_EQ(options.existing, kOptions.existing);
  EXPECT_EQ(options.prune, kOptions.prune);
  EXPECT_EQ(options.remove_namespaces, kOptions.remove_namespaces);
  EXPECT_EQ(options.max_share, kOptions.max_share);
  EXPECT_EQ(options.status, kOptions.status);
  EXPECT_EQ(options.same_cluster, kOptions.same_cluster);
  EXPECT_EQ(options.namespaces, kOptions.namespaces);
}

TEST(PlanDocument, YamlAndBackIsTheSame) {
  const json document = json(plan_document(sample_plan(), kOptions));
  std::string text;
  kube::print_yaml(document, text);
  const auto parsed = kube::parse_yaml(as_bytes(text));
  ASSERT_TRUE(parsed) << parsed.error().what;
  PlanOptions options;
  EXPECT_TRUE(read_plan(*parsed, options));
}

TEST(PlanDocument, OfAnEmptyPlan) {
  PlanOptions options;
  const auto read = read_plan(json(plan_document({}, {})), options);
  ASSERT_TRUE(read);
  EXPECT_TRUE(read->steps.empty());
}

TEST(PlanDocument, RefusesWhatItIsNot) {
  const json good = json(plan_document(sample_plan(), kOptions));
  struct Row {
    const char* change;  // a merge patch
    Errc code;
    const char* what;
  };
  const Row rows[] = {
      {"3", Errc::corrupt, "plan: this is no RestorePlan"},
      {"null", Errc::corrupt, "plan: this is no RestorePlan"},
      {R"({"kind":"Deployment"})", Errc::corrupt, "plan: this is no RestorePlan"},
      {R"({"kind":null})", Errc::corrupt, "plan: this is no RestorePlan"},
      {R"({"formatVersion":2})", Errc::unsupported, "plan: format version 2, and this program reads 1"},
      {R"({"formatVersion":0})", Errc::unsupported, "plan: format version 0, and this program reads 1"},
      {R"({"formatVersion":"1"})", Errc::corrupt, "plan: formatVersion is not a whole number from 0 to 2147483647"},
      {R"({"formatVersion":null})", Errc::corrupt, "plan: formatVersion is missing"},
      {R"({"checksum":null})", Errc::corrupt, "plan: checksum is missing"},
      {R"({"checksum":7})", Errc::corrupt, "plan: checksum is not a string"},
      {R"({"checksum":"sha256:00"})", Errc::corrupt,
       "plan: its checksum does not fit: it was changed after it was made"},
      {R"({"options":{"existing":"skip"}})", Errc::corrupt,
       "plan: its checksum does not fit: it was changed after it was made"},
      {R"({"warnings":[]})", Errc::corrupt, "plan: its checksum does not fit: it was changed after it was made"},
      {R"({"mine":1})", Errc::corrupt, "plan: its checksum does not fit: it was changed after it was made"},
      {R"({"digest":"sha256:00"})", Errc::corrupt, "plan: its checksum does not fit: it was changed after it was made"},
  };
  for (const Row& row : rows) {
    json document = good;
    document.merge_patch(json::parse(row.change));
    PlanOptions options{.max_share = 7};
    const auto read = read_plan(document, options);
    ASSERT_FALSE(read) << row.change;
    EXPECT_EQ(read.error().code, row.code);
    EXPECT_EQ(read.error().what, row.what);
    EXPECT_EQ(options.max_share, 7) << "nothing is taken from a plan that is refused";
  }
}

// A document whose checksum fits may still be nonsense: somebody else wrote it, or an older bug.
TEST(PlanDocument, RefusesNonsenseWithARightChecksum) {
  const json good = json(plan_document(sample_plan(), kOptions));
  struct Row {
    const char* patch;  // RFC 6902
    const char* what;
  };
  const Row rows[] = {
      {R"([{"op":"remove","path":"/options"}])", "plan: options is missing"},
      {R"([{"op":"replace","path":"/options","value":[]}])", "plan: options is not a map"},
      {R"([{"op":"replace","path":"/options/existing","value":"maybe"}])",
       "plan: options.existing is not a word of this version"},
      {R"([{"op":"replace","path":"/options/maxShare","value":101}])",
       "plan: options.maxShare is not a whole number from 0 to 100"},
      {R"([{"op":"replace","path":"/options/maxShare","value":-1}])",
       "plan: options.maxShare is not a whole number from 0 to 100"},
      {R"([{"op":"replace","path":"/options/prune","value":"yes"}])", "plan: options.prune is not true or false"},
      {R"([{"op":"replace","path":"/options/namespaces","value":{"a":1}}])",
       "plan: options.namespaces is not a map of names"},
      {R"([{"op":"remove","path":"/steps"}])", "plan: steps is missing"},
      {R"([{"op":"replace","path":"/steps","value":{}}])", "plan: steps is not a list"},
      {R"([{"op":"replace","path":"/steps/0","value":3}])", "plan: steps[0] is not a map"},
      {R"([{"op":"remove","path":"/steps/1/action"}])", "plan: steps[1].action is missing"},
      {R"([{"op":"replace","path":"/steps/1/action","value":"explode"}])",
       "plan: steps[1].action is not a word of this version"},
      {R"([{"op":"replace","path":"/steps/1/wave","value":-3}])",
       "plan: steps[1].wave is not a whole number from 0 to 2147483647"},
      {R"([{"op":"replace","path":"/steps/1/kind","value":"x"}])", "plan: steps[1].kind is not a map"},
      {R"([{"op":"remove","path":"/steps/1/kind/resource"}])", "plan: steps[1].kind.resource is missing"},
      {R"([{"op":"replace","path":"/steps/1/kind/verbs","value":[1]}])",
       "plan: steps[1].kind.verbs is not a list of strings"},
      {R"([{"op":"remove","path":"/steps/1/name"}])", "plan: steps[1].name is missing"},
      {R"([{"op":"add","path":"/steps/1/body","value":[]}])", "plan: steps[1].body is not a map"},
      {R"([{"op":"replace","path":"/steps/1/action","value":"create"}])",
       "plan: steps[1].body is not there, and this action needs one"},
      {R"([{"op":"replace","path":"/warnings","value":"x"}])", "plan: warnings is not a list of strings"},
      {R"([{"op":"add","path":"/steps/1/owners","value":[{}]}])", "plan: steps[1].owners is not a list of strings"},
      {R"([{"op":"replace","path":"/digest","value":"sha256:00"}])", "plan: its digest does not fit its steps"},
      {R"([{"op":"replace","path":"/steps/1/name","value":"other"}])", "plan: its digest does not fit its steps"},
      {R"([{"op":"remove","path":"/steps/1"}])", "plan: its digest does not fit its steps"},
  };
  for (const Row& row : rows) {
    json document = good.patch(json::parse(row.patch));
    document["checksum"] = plan_checksum(document);
    PlanOptions options;
    const auto read = read_plan(document, options);
    ASSERT_FALSE(read) << row.patch;
    EXPECT_EQ(read.error().code, Errc::corrupt);
    EXPECT_EQ(read.error().what, row.what) << row.patch;
  }
}

TEST(PlanDocument, SecretsAreNeitherInItNorInItsErrors) {
  const Found secret = object("secrets shop/s", R"({"data":{"password":"aHVudGVyMg=="}})");
  json document = json(plan_document(testing::planned({.wanted = {secret}}), {}));
  EXPECT_EQ(document.dump().find("aHVudGVyMg=="), std::string::npos);
  document["steps"][0]["body"] = "aHVudGVyMg==";
  document["checksum"] = plan_checksum(document);
  PlanOptions options;
  const auto read = read_plan(document, options);
  ASSERT_FALSE(read);
  EXPECT_EQ((read.error().what + read.error().hint).find("aHVudGVyMg=="), std::string::npos);
}

}  // namespace
}  // namespace tidemark::live
