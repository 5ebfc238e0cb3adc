#include "live/object_facts.h"

#include <gtest/gtest.h>

namespace tidemark::live {
namespace {

using nlohmann::json;

TEST(ObjectFacts, WhatHoldsAnObjectThatIsGoing) {
  const std::pair<const char*, const char*> rows[] = {
      {"{}", ""},
      {R"({"metadata":{"finalizers":[]}})", ""},
      {R"({"metadata":{"finalizers":["a",7,"b"]}})", "held by the finalizers a, b"},
      {R"({"kind":"Namespace","spec":{"finalizers":["kubernetes"]},"status":{"conditions":[
           {"type":"NamespaceDeletionDiscoveryFailure","status":"False","message":"all is well"},
           {"type":"NamespaceContentRemaining","status":"True","message":"x has 1 resource instances"},
           {"type":"NamespaceFinalizersRemaining","status":"True","message":"f in 1 resource instances"}]}})",
       "x has 1 resource instances; f in 1 resource instances"},
      {R"({"kind":"Namespace","metadata":{"finalizers":["own"]},"status":{"conditions":[{"type":"X","status":"True"}]}})",
       "held by the finalizers own"},
      // What others report there is something else.
      {R"({"kind":"Widget","status":{"conditions":[{"type":"Ready","status":"True","message":"fine"}]}})", ""},
  };
  for (const auto& [object, holder] : rows) EXPECT_EQ(held_by(json::parse(object)), holder) << object;
}

}  // namespace
}  // namespace tidemark::live
