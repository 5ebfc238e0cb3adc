#include "kube/version_order.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace tidemark::kube {
namespace {

// The example of the documentation of custom resources' versions, and what is easily taken for a version.
TEST(VersionOrder, StableThenBetaThenAlphaThenOthers) {
  const std::vector<std::string> wanted = {
      "v10",  "v2",    "v1", "v11beta2", "v10beta3", "v3beta1",  "v12alpha1", "v11alpha2",
      "foo1", "foo10", "v",  "v-1",      "v1beta",   "v1beta1x", "v1gamma1",  "v99999999999999999999"};
  std::vector<std::string> sorted = wanted;
  std::ranges::reverse(sorted);
  std::ranges::sort(sorted, is_preferred);
  EXPECT_EQ(sorted, wanted);
  for (const std::string& one : wanted) EXPECT_FALSE(is_preferred(one, one)) << one;
  EXPECT_FALSE(is_preferred("v1", "v01"));
  EXPECT_FALSE(is_preferred("v01", "v1"));
}

}  // namespace
}  // namespace tidemark::kube
