#include "live/taken_addresses.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace tidemark::live {
namespace {

using Addresses = std::set<std::string>;

TEST(TakenAddresses, AreWhatOnlyOneServiceCanHave) {
  const std::pair<const char*, Addresses> rows[] = {
      {R"({"spec":{"clusterIP":"10.0.0.1","clusterIPs":["10.0.0.1","fd00::1"]}})", {"10.0.0.1", "fd00::1"}},
      {R"({"spec":{"ports":[{"port":80,"nodePort":30080},{"port":81}],"healthCheckNodePort":30081}})",
       {"node port 30080", "node port 30081"}},
      {R"({"spec":{"clusterIP":"None","clusterIPs":["None"],"ports":[{"port":80}]}})", {}},
      {R"({"spec":{"clusterIPs":[7],"ports":[7,{"nodePort":"http"}]}})", {}},
      {R"({"spec":7})", {}},
      {"{}", {}},
  };
  for (const auto& [text, expected] : rows) EXPECT_EQ(addresses_of(nlohmann::json::parse(text)), expected) << text;
}

TEST(TakenAddresses, TheWayAroundNamesBoth) {
  EXPECT_EQ(way_around(TakenAddress{.address = "10.0.0.1", .wanted_by = "services a/b", .holder = "services c/d"}),
            "services c/d has 10.0.0.1, which services a/b had: remove it, or make it again without that address");
}

}  // namespace
}  // namespace tidemark::live
