#include "etcd/cluster.h"

#include <gtest/gtest.h>

namespace tidemark::etcd {
namespace {

TEST(Ids, KnownOnes) {
  EXPECT_EQ(hex_id(member_id({"http://localhost:2380"}, "etcd-cluster").raw()), "8e9e05c52164694d");
  EXPECT_EQ(hex_id(cluster_id({MemberId(0x8e9e05c52164694d)}).raw()), "cdf818194e3a8c32");
  const auto three = plan_cluster(
      "infra1=http://127.0.0.1:12380,infra2=http://127.0.0.1:22380,infra3=http://127.0.0.1:32380", "etcd-cluster-1");
  ASSERT_TRUE(three) << three.error().what;
  EXPECT_EQ(hex_id(three->id.raw()), "ef37ad9dc622a7c4");
  ASSERT_EQ(three->members.size(), 3U);
  EXPECT_EQ(hex_id(three->find("infra1")->id.raw()), "8211f1d0f64f3269");
  EXPECT_EQ(hex_id(three->find("infra2")->id.raw()), "91bc3c398fb3c146");
  EXPECT_EQ(hex_id(three->find("infra3")->id.raw()), "fd422379fda50e48");
  EXPECT_LT(three->members[0].id, three->members[1].id);
  EXPECT_LT(three->members[1].id, three->members[2].id);
  EXPECT_EQ(three->find(MemberId(1)), nullptr);
  EXPECT_EQ(three->find("infra4"), nullptr);
}

TEST(Ids, UrlOrderDoesNotMatter) {
  EXPECT_EQ(member_id({"http://a:1", "http://b:2"}, "t"), member_id({"http://b:2", "http://a:1"}, "t"));
  EXPECT_NE(member_id({"http://a:1"}, "t"), member_id({"http://a:1"}, "u"));
  EXPECT_EQ(plan_cluster("m=http://b:2,m=http://a:1", "t")->members[0].peer_urls,
            (std::vector<std::string>{"http://a:1", "http://b:2"}));
}

TEST(Ids, Hex) {
  EXPECT_EQ(hex_id(0xab), "ab");
  EXPECT_EQ(parse_hex_id("8e9e05c52164694d").value(), 0x8e9e05c52164694dU);
  for (const char* bad : {"", "0ab", "AB", "x", "ab ", "-1", "0x1", "11111111111111111"})
    EXPECT_FALSE(parse_hex_id(bad)) << bad;
}

TEST(PeerUrl, GoodAndBad) {
  const struct {
    const char* url;
    const char* normal;  // nullptr: refused
  } rows[] = {
      {"http://localhost:2380", "http://localhost:2380"},
      {" https://10.0.0.1:2380 ", "https://10.0.0.1:2380"},
      {"HTTP://LOCALHOST:2380", "http://LOCALHOST:2380"},
      {"http://[::1]:2380", "http://[::1]:2380"},
      {"unix://localhost:m0", "unix://localhost:m0"},
      {"unixs:///run/etcd.sock", "unixs:///run/etcd.sock"},
      {"", nullptr},
      {"localhost:2380", nullptr},
      {"http:/localhost:2380", nullptr},
      {"ftp://localhost:2380", nullptr},
      {"http://localhost", nullptr},
      {"http://localhost:", nullptr},
      {"http://localhost:x", nullptr},
      {"http://localhost:65536", nullptr},
      {"http://:2380", nullptr},
      {"http://::1:2380", nullptr},
      {"http://[]:2380", nullptr},
      {"http://localhost:2380/", nullptr},
      {"http://localhost:2380/path", nullptr},
      {"http://localhost:2380?q", nullptr},
      {"http://user@localhost:2380", nullptr},
      {"http://local host:2380", nullptr},
      {"http://local\x01host:2380", nullptr},
      {"http://lo<al:2380", nullptr},
      {"unix://", nullptr},
  };
  for (const auto& row : rows) {
    const auto url = normal_peer_url(row.url);
    EXPECT_EQ(url.has_value(), row.normal != nullptr) << row.url;
    if (url && row.normal != nullptr) {
      EXPECT_EQ(*url, row.normal);
    } else if (!url) {
      EXPECT_EQ(url.error().code, Errc::invalid);
    }
  }
}

TEST(PlanCluster, Bad) {
  for (const char* bad : {"", " ", "a", "=http://a:1", "a=", "a=http://a:1,", "a=http://a:1,b=http://a:1",
                          "a=http://a:1,a=http://a:1", "a b=http://a:1", "a=http://a:1;b=http://b:1"}) {
    const auto plan = plan_cluster(bad, "t");
    ASSERT_FALSE(plan) << bad;
    EXPECT_EQ(plan.error().code, Errc::invalid) << bad;
  }
}

TEST(ChooseMember, GoodAndBad) {
  const NewCluster cluster = plan_cluster("a=http://a:1,a=http://a:2,b=http://b:1", "t").value();
  EXPECT_EQ(choose_member(cluster, "a", ""), cluster.find("a")->id);
  EXPECT_EQ(choose_member(cluster, "a", "http://a:2,http://a:1"), cluster.find("a")->id);
  EXPECT_FALSE(choose_member(cluster, "c", ""));
  EXPECT_FALSE(choose_member(cluster, "", ""));
  EXPECT_FALSE(choose_member(cluster, "a", "http://a:1"));
  EXPECT_FALSE(choose_member(cluster, "b", "http://a:1"));
  EXPECT_FALSE(choose_member(cluster, "b", "b:1"));
}

TEST(MemberJson, AsGoWritesIt) {
  const NewCluster cluster = plan_cluster(kDefaultInitialCluster, kDefaultToken).value();
  EXPECT_EQ(member_json(cluster.members[0]),
            R"({"id":10276657743932975437,"peerURLs":["http://localhost:2380"],"name":"default"})");
  EXPECT_EQ(json_quoted("a\"b\\c<d>&"), "\"a\\\"b\\\\c\\u003cd\\u003e\\u0026\"");
}

}  // namespace
}  // namespace tidemark::etcd
