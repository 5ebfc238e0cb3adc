#include "live/sent_version.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "kube/schema.h"
#include "live/json_reach.h"
#include "live/testing/objects.h"

namespace tidemark::live {
namespace {

using kube::Base;
using kube::Field;
using kube::Message;
using kube::Schema;
using nlohmann::json;

struct SentRow {
  const char* kind;
  const char* kept;  // apiVersion
  const char* preferred;
  std::vector<std::string> served;
  const char* sent;  // nullptr: it is not
  const char* rest = "{}";
};

const SentRow kSentRows[] = {
    // As it was kept, where that is served.
    {"deployments.apps", "apps/v1", "v1", {"v1"}, "v1"},
    {"horizontalpodautoscalers.autoscaling", "autoscaling/v1", "v2", {"v2", "v1"}, "v1"},
    {"widgets.shop.example.com", "shop.example.com/v1beta1", "v1", {"v1", "v1beta1"}, "v1beta1"},
    {"widgets.shop.example.com", "shop.example.com/v1beta1", "v1", {}, "v1beta1"},
    {"configmaps", "", "v1", {"v1"}, "v1"},
    // In a version with the same fields: where its own is gone, and where clients get the later one.
    {"mutatingadmissionpolicies.admissionregistration.k8s.io",
     "admissionregistration.k8s.io/v1beta1",
     "v1",
     {"v1"},
     "v1"},
    {"mutatingadmissionpolicies.admissionregistration.k8s.io",
     "admissionregistration.k8s.io/v1beta1",
     "v1",
     {"v1", "v1beta1"},
     "v1"},
    {"validatingadmissionpolicies.admissionregistration.k8s.io",
     "admissionregistration.k8s.io/v1alpha1",
     "v1beta1",
     {"v1beta1"},
     "v1beta1"},
    {"cronjobs.batch", "batch/v1beta1", "v1", {"v1"}, "v1"},
    {"poddisruptionbudgets.policy",
     "policy/v1beta1",
     "v1",
     {"v1"},
     "v1",
     R"({"spec":{"selector":{"matchLabels":{"a":"b"}}}})"},
    {"poddisruptionbudgets.policy", "policy/v1beta1", "v1", {"v1"}, "v1"},
    // Not: other fields, another meaning, backwards, another group, a kind that only its author knows.
    {"poddisruptionbudgets.policy", "policy/v1beta1", "v1", {"v1"}, nullptr, R"({"spec":{"selector":{}}})"},
    {"ingresses.networking.k8s.io", "networking.k8s.io/v1beta1", "v1", {"v1"}, nullptr},
    {"horizontalpodautoscalers.autoscaling", "autoscaling/v2beta1", "v2", {"v2", "v1"}, nullptr},
    {"mutatingadmissionpolicies.admissionregistration.k8s.io",
     "admissionregistration.k8s.io/v1",
     "v1beta1",
     {"v1beta1"},
     nullptr},
    {"cronjobs.batch", "batch/v2alpha1", "v1", {"v1"}, nullptr},
    {"deployments.apps", "extensions/v1beta1", "v1", {"v1"}, nullptr},
    {"deployments.apps", "extensions/v1", "v1", {"v1"}, nullptr},
    {"widgets.shop.example.com", "shop.example.com/v1alpha1", "v1", {"v1", "v1beta1"}, nullptr},
};

TEST(SentVersion, ItsOwnOrOneWithTheSameFields) {
  for (const SentRow& row : kSentRows) {
    link::KubeKind kind = testing::kind(row.kind);
    kind.version = row.preferred;
    kind.versions = row.served;
    json object = json::parse(row.rest);
    if (*row.kept != '\0') object["apiVersion"] = row.kept;
    const auto sent = version_to_send(kind, object);
    EXPECT_EQ(sent.value_or("-"), row.sent == nullptr ? "-" : row.sent) << row.kind << " " << row.kept;
  }
}

TEST(SentVersion, SaysWhyNot) {
  link::KubeKind kind = testing::kind("horizontalpodautoscalers.autoscaling");
  kind.versions = {"v2", "v1"};
  EXPECT_EQ(why_not_sent(kind, {{"apiVersion", "autoscaling/v2beta1"}}),
            "it was kept as autoscaling/v2beta1, and this cluster serves its kind as v2, v1 only");
  EXPECT_EQ(why_not_sent(testing::kind("deployments.apps"), {{"apiVersion", "extensions/v1beta1"}}),
            "it was kept as extensions/v1beta1, and this cluster serves its kind as apps/v1 only");
}

// The first path of `older` that `later` has not, or not so. Empty: all of it is there.
std::string missing_in(const Message& older, const Message& later, std::set<std::string>& seen) {
  const Schema& schema = Schema::built_in();
  if (!seen.insert(std::string(older.name) + " " + std::string(later.name)).second) return "";
  for (const Message::Printed& printed : older.printed) {
    const Field& field = *printed.field;
    const auto found = std::ranges::find_if(
        later.printed, [&](const Message::Printed& other) { return other.field->name == field.name; });
    const std::string path = "." + std::string(field.name);
    if (found == later.printed.end()) return path;
    const kube::Type& is = found->field->type;
    const bool one_value = [](kube::Shape shape) {
      return shape == kube::Shape::value || shape == kube::Shape::pointer;
    }(field.type.shape);
    const bool other_one = is.shape == kube::Shape::value || is.shape == kube::Shape::pointer;
    const bool same_shape = is.shape == field.type.shape || (one_value && other_one);
    if (is.base != field.type.base || !same_shape || is.items != field.type.items) return path;
    if (is.base != Base::message) continue;
    const std::string deeper = missing_in(schema.message(field.type.message), schema.message(is.message), seen);
    if (!deeper.empty()) return path + deeper;
  }
  return "";
}

TEST(SentVersion, LaterVersionsHaveEveryFieldOfTheEarlierOnes) {
  const Schema& schema = Schema::built_in();
  std::size_t compared = 0;
  for (const AlikeVersions& row : alike_versions()) {
    const link::KubeKind kind = testing::kind(row.kind);
    const auto root = [&](const std::string& version) { return schema.root(kind.group + "/" + version, kind.kind); };
    for (std::size_t i = 0; i < row.versions.size(); i++) {
      for (std::size_t later = i + 1; later < row.versions.size(); later++) {
        const Message* older = root(row.versions[i]);
        const Message* newer = root(row.versions[later]);
        if (older == nullptr || newer == nullptr) continue;  // kept as JSON, or never kept in that version
        std::set<std::string> seen;
        EXPECT_EQ(missing_in(*older, *newer, seen), "") << row.kind << row.versions[i] << row.versions[later];
        compared++;
      }
    }
  }
  EXPECT_GT(compared, 20U);
}

}  // namespace
}  // namespace tidemark::live
