#include "catalog/lineage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/testing/mem_store.h"

namespace tidemark::catalog {
namespace {

using store::testing::MemStore;
using ::testing::HasSubstr;

TEST(Lineage, IsWrittenOnceAndReadBack) {
  MemStore store;
  EXPECT_EQ(read_lineage(store).value(), std::nullopt);
  const Lineage lineage{ClusterId(1), MemberId(2), Revision(3), Time(std::chrono::seconds(4)), 1};
  ASSERT_TRUE(write_lineage(store, lineage));
  EXPECT_EQ(read_lineage(store).value(), lineage);
  EXPECT_EQ(write_lineage(store, lineage).error().code, Errc::already_exists);
}

TEST(Lineage, ADamagedOneIsNotTakenForNone) {
  MemStore store;
  ASSERT_TRUE(store.put(kLineageKey, as_bytes("{}")));
  const auto r = read_lineage(store);
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().code, Errc::corrupt);
  EXPECT_THAT(r.error().what, HasSubstr("tidemark/lineage.json: "));
}

TEST(Lineage, SuccessorsComeByNumberAndOneNumberIsOneSuccessor) {
  MemStore store;
  EXPECT_TRUE(read_successors(store)->empty());
  for (const std::uint32_t number : {10U, 2U}) {
    ASSERT_TRUE(write_successor(store, {number, successor_name("dir:/b/prod", number).value(), "went back", {}, {}}));
  }
  const auto all = read_successors(store);
  ASSERT_TRUE(all);
  ASSERT_EQ(all->size(), 2U);
  EXPECT_EQ((*all)[0].store, "lineage-2.prod");
  EXPECT_EQ((*all)[1].number, 10U);
  EXPECT_EQ(write_successor(store, (*all)[0]).error().code, Errc::already_exists);
}

struct Row {
  const char* url;
  const char* name;       // empty: refused
  const char* neighbour;  // or what the refusal says
};

TEST(Lineage, PlacesOfSuccessors) {
  const Row rows[] = {
      {"dir:/backups/prod", "lineage-2.prod", "dir:/backups/lineage-2.prod"},
      {"dir:/backups/prod/", "lineage-2.prod", "dir:/backups/lineage-2.prod"},
      {"dir:/prod", "lineage-2.prod", "dir:/lineage-2.prod"},
      {"/prod", "lineage-2.prod", "/lineage-2.prod"},
      {"s3://bucket/prod", "lineage-2.prod", "s3://bucket/lineage-2.prod"},
      {"s3://bucket/a/prod", "lineage-2.prod", "s3://bucket/a/lineage-2.prod"},
      {"s3://bucket/a/prod?endpoint=https://h:9/&path-style=1", "lineage-2.prod",
       "s3://bucket/a/lineage-2.prod?endpoint=https://h:9/&path-style=1"},
      {"az://account/container/prod", "lineage-2.prod", "az://account/container/lineage-2.prod"},
      {"az://account/container/a/prod/?endpoint=h", "lineage-2.prod",
       "az://account/container/a/lineage-2.prod?endpoint=h"},
      {"az://account/container/", "", "is a root"},
      {"az://account", "", "is a root"},
      {"dir:/what?/prod", "lineage-2.prod", "dir:/what?/lineage-2.prod"},
      {"s3://bucket?region=a/b", "", "is a root"},
      {"dir:/", "", "is a root"},
      {"/", "", "is a root"},
      {"", "", "is a root"},
      {"prod", "", "is a root"},
      {"s3://bucket", "", "is a root"},
      {"s3://bucket/", "", "is a root"},
      {"dir:/backups/shoot-v1", "", "shoot-v1"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.url);
    const auto name = successor_name(row.url, 2);
    if (*row.name == '\0') {
      ASSERT_FALSE(name);
      EXPECT_EQ(name.error().code, Errc::invalid);
      EXPECT_THAT(name.error().what, HasSubstr(row.neighbour));
      continue;
    }
    ASSERT_TRUE(name) << name.error().what;
    EXPECT_EQ(*name, row.name);
    EXPECT_EQ(neighbour_url(row.url, *name), row.neighbour);
  }
  EXPECT_THAT(successor_name("dir:/", 2).error().hint, HasSubstr("one folder deeper"));
  EXPECT_FALSE(successor_name("dir:/backups/prod", 1));
}

TEST(Lineage, NeighboursStayBesideTheStore) {
  for (const char* bad : {"", ".", "..", "../x", "a/b", "/etc", ".hidden"}) {
    EXPECT_EQ(neighbour_url("dir:/backups/prod", bad).error().code, Errc::invalid) << bad;
  }
}

TEST(Lineage, NoNameBeginsAnother) {
  std::vector<std::string> names{"prod"};
  for (const std::uint32_t n : {2U, 3U, 20U, 200U}) names.push_back(successor_name("dir:/backups/prod", n).value());
  for (const std::string& a : names) {
    for (const std::string& b : names) EXPECT_EQ(a.starts_with(b), a == b) << a << " " << b;
  }
}

TEST(Lineage, NeighboursWithBackupsMustNotShareABeginning) {
  const auto dir = io::TempDir::create().value();
  for (const char* made : {"prod/v2", "staging/v2", "prod-empty", "lineage-2.prod/v2"}) {
    ASSERT_TRUE(io::make_dirs(dir.path() / made));
  }
  EXPECT_TRUE(check_neighbours(dir.path() / "prod"));
  EXPECT_TRUE(check_neighbours(dir.path() / "prod/"));
  EXPECT_TRUE(check_neighbours(dir.path() / "missing/prod"));
  EXPECT_TRUE(check_neighbours("/"));
  EXPECT_EQ(check_neighbours(dir.path() / "prod-2").error().code, Errc::invalid);
  EXPECT_EQ(check_neighbours(dir.path() / "pro").error().code, Errc::invalid);
  EXPECT_THAT(check_neighbours(dir.path() / "stag").error().what, HasSubstr("staging"));
  ASSERT_TRUE(io::make_dirs(dir.path() / "prod-empty/v1"));
  EXPECT_FALSE(check_neighbours(dir.path() / "prod"));
}

}  // namespace
}  // namespace tidemark::catalog
