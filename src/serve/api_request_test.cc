#include "serve/api_request.h"

#include <gtest/gtest.h>

namespace tidemark::serve {
namespace {

using Path = std::vector<std::string>;

TEST(ReadTarget, Reads) {
  struct Row {
    const char* target;
    Path path;
    const char* when;
  };
  const Row rows[] = {
      {"/", {}, ""},
      {"/api", {"api"}, ""},
      {"/api/", {"api"}, ""},
      {"/api/v1/namespaces/shop/pods/web", {"api", "v1", "namespaces", "shop", "pods", "web"}, ""},
      {"/apis/rbac.authorization.k8s.io/v1/clusterroles/system%3Anode",
       {"apis", "rbac.authorization.k8s.io", "v1", "clusterroles", "system:node"},
       ""},
      {"/at/latest/api", {"api"}, "latest"},
      {"/at/2026-11-21T10:00:00Z/api/v1", {"api", "v1"}, "2026-11-21T10:00:00Z"},
      {"/at/2026-11-21T10%3A00%3A00Z/", {}, "2026-11-21T10:00:00Z"},
      {"/at/-2h", {}, "-2h"},
      {"/api?x=1", {"api"}, ""},
  };
  for (const Row& row : rows) {
    const auto read = read_target(row.target);
    ASSERT_TRUE(read) << row.target << ": " << read.error().what;
    EXPECT_EQ(read->path, row.path) << row.target;
    EXPECT_EQ(read->when, row.when) << row.target;
  }
}

TEST(ReadTarget, ReadsQueries) {
  const auto read =
      read_target("/api/v1/pods?labelSelector=env+in+%28a%2Cb%29&limit=5&watch&x=&y=a%2Bb&limit=6&f=true&g=0");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->parameter("labelSelector"), "env in (a,b)");
  EXPECT_EQ(read->parameter("limit"), "5");  // the first
  EXPECT_EQ(read->parameter("y"), "a+b");
  EXPECT_EQ(read->parameter("none"), "");
  EXPECT_FALSE(read->has("x"));
  EXPECT_TRUE(read->flag("f"));
  EXPECT_FALSE(read->flag("g"));
  EXPECT_FALSE(read->flag("watch"));
}

TEST(ReadTarget, Refuses) {
  std::string deep;
  for (int i = 0; i < 33; i++) deep += "/a";
  const std::string rows[] = {"",      "api",       "http://x/api", "*",        "//api",  "/api//v1", "/a/../b",
                              "/./a",  "/%2e%2e/a", "/a%2Fb",       "/a%00b",   "/a%0Ab", "/a%",      "/a%4",
                              "/a%zz", "/at",       "/at/",         "/at//api", "/?a=%",  "/?%zz=1",  deep};
  for (const std::string& row : rows) {
    const auto read = read_target(row);
    ASSERT_FALSE(read) << row;
    EXPECT_EQ(read.error().code, Errc::invalid) << row;
  }
}

TEST(ReadCount, Reads) {
  EXPECT_EQ(read_count("0"), 0);
  EXPECT_EQ(read_count("9223372036854775807"), INT64_MAX);
  for (const char* bad : {"", "-1", "+1", " 1", "1 ", "1e3", "0x1", "9223372036854775808", "a"}) {
    EXPECT_FALSE(read_count(bad)) << bad;
  }
}

TEST(ReadAccept, TakesTheFirstThatCanBe) {
  const char* table = "application/json;as=Table;v=v1;g=meta.k8s.io";
  struct Row {
    std::string accept;
    std::optional<Form> form;
  };
  const Row rows[] = {
      {"", Form::object},
      {"application/json", Form::object},
      {"*/*", Form::object},
      {"application/*", Form::object},
      {table, Form::table},
      {std::string(table) + ",application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json", Form::table},
      {"application/json;as=Table;v=v1beta1;g=meta.k8s.io, application/json", Form::object},
      {"application/vnd.kubernetes.protobuf,application/json", Form::object},
      {"application/vnd.kubernetes.protobuf;as=Table;v=v1;g=meta.k8s.io," + std::string(table), Form::table},
      {"application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io", Form::partial},
      {"application/json ; as=PartialObjectMetadata ; v=v1 ; g=meta.k8s.io", Form::partial},
      {"application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList", Form::discovery},
      {"application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json", Form::object},
      {"application/json;stream=watch", Form::object},
      {"application/json;q=0", std::nullopt},
      {"application/vnd.kubernetes.protobuf", std::nullopt},
      {"application/com.github.proto-openapi.spec.v2@v1.0+protobuf", std::nullopt},
      {"text/html", std::nullopt},
      {"application/json;as=Thing;v=v1;g=meta.k8s.io", std::nullopt},
      {"application/json;as=Table;v=v1;g=other.k8s.io", std::nullopt},
      {"application/json;as=Table", std::nullopt},
      {",,;;=", std::nullopt},
  };
  for (const Row& row : rows) EXPECT_EQ(read_accept(row.accept), row.form) << row.accept;
}

}  // namespace
}  // namespace tidemark::serve
