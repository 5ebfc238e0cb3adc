#include "kube/schema.h"

#include <gtest/gtest.h>

namespace tidemark::kube {
namespace {

constexpr std::string_view kSmall = R"(tidemark-kube-schema 1
# a comment
M 0 core/v1.Thing
F 1 metadata m1 O
F 2 - m2 I
F 3 zeta [s O
M 1 meta/v1.ObjectMeta
F 1 name s O
M 2 core/v1.Source
F 1 alpha *i O-23
F 2 beta {<s O32-
R v1 Thing 0
)";

TEST(Schema, InlineFieldsStandAmongOurs) {
  const auto schema = Schema::parse(kSmall);
  ASSERT_TRUE(schema) << schema.error().what;
  const Message* thing = schema->root("v1", "Thing");
  ASSERT_NE(thing, nullptr);
  EXPECT_EQ(schema->root("v1", "Other"), nullptr);
  EXPECT_EQ(schema->root("v2", "Thing"), nullptr);
  std::string names;
  for (const auto& printed : thing->printed) names += fmt::format("{}@{} ", printed.field->name, printed.slot);
  EXPECT_EQ(names, "alpha@3 beta@4 metadata@0 zeta@2 ");
  EXPECT_EQ(thing->slots, 5U);
  ASSERT_NE(thing->field(2), nullptr);
  EXPECT_TRUE(thing->field(2)->is_inline);
  EXPECT_EQ(thing->field(4), nullptr);
  EXPECT_EQ(thing->field(4'000'000'000), nullptr);
  const Field& alpha = *schema->message(2).field(1);
  EXPECT_TRUE(alpha.omit_empty.has(23));
  EXPECT_FALSE(alpha.omit_empty.has(24));
  const Field& beta = *schema->message(2).field(2);
  EXPECT_EQ(beta.type.shape, Shape::map);
  EXPECT_TRUE(beta.type.items);
  EXPECT_FALSE(beta.omit_empty.has(31));
  EXPECT_TRUE(beta.omit_empty.has(36));
}

TEST(Schema, WhatIsNoTableIsTold) {
  const std::string_view bad[] = {
      "",
      "tidemark-kube-schema 2\n",
      "tidemark-kube-schema 1\nF 1 a s -\n",  // a field of nothing
      "tidemark-kube-schema 1\nM 1 a\n",      // not the next index
      "tidemark-kube-schema 1\nM 0 a\nF 0 a s -\n",
      "tidemark-kube-schema 1\nM 0 a\nF 5000 a s -\n",
      "tidemark-kube-schema 1\nM 0 a\nF 2 a s -\nF 1 b s -\n",  // not in order
      "tidemark-kube-schema 1\nM 0 a\nF 1 a ? -\n",
      "tidemark-kube-schema 1\nM 0 a\nF 1 a s9 -\n",
      "tidemark-kube-schema 1\nM 0 a\nF 1 a m -\n",
      "tidemark-kube-schema 1\nM 0 a\nF 1 a m7 -\n",  // no such message
      "tidemark-kube-schema 1\nM 0 a\nF 1 a s Q\n",
      "tidemark-kube-schema 1\nM 0 a\nF 1 a s O3\n",
      "tidemark-kube-schema 1\nM 0 a\nF 1 a s\n",
      "tidemark-kube-schema 1\nM 0 a\nF 1 - m0 I\n",  // inside itself
      "tidemark-kube-schema 1\nM 0 a\nF 1 - s I\n",   // inline, and no message
      "tidemark-kube-schema 1\nM 0 a\nR v1 A 1\n",
      "tidemark-kube-schema 1\nM 0 a\nR v1 A 0\nR v1 A 0\n",
      "tidemark-kube-schema 1\nX\n",
  };
  for (const std::string_view text : bad) {
    const auto schema = Schema::parse(text);
    ASSERT_FALSE(schema) << text;
    EXPECT_EQ(schema.error().code, Errc::corrupt) << text;
  }
}

TEST(Schema, BuiltInKnowsWhatIsStored) {
  const Schema& schema = Schema::built_in();
  EXPECT_GE(schema.roots(), 200U);
  EXPECT_GE(schema.messages(), 1186U);
  const std::pair<std::string_view, std::string_view> kinds[] = {
      {"v1", "Pod"},
      {"v1", "Secret"},
      {"apps/v1", "Deployment"},
      {"batch/v1", "CronJob"},
      {"autoscaling/v2", "HorizontalPodAutoscaler"},
      {"rbac.authorization.k8s.io/v1", "ClusterRole"},
      {"coordination.k8s.io/v1", "Lease"},
      {"networking.k8s.io/v1", "Ingress"},
      {"extensions/v1beta1", "Ingress"},  // of releases long gone
      {"policy/v1beta1", "PodSecurityPolicy"},
  };
  for (const auto& [version, kind] : kinds) EXPECT_NE(schema.root(version, kind), nullptr) << version << " " << kind;
}

}  // namespace
}  // namespace tidemark::kube
