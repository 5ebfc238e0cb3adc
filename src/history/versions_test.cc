#include "history/versions.h"

#include <gtest/gtest.h>

#include "base/rfc3339.h"
#include "restore/testing/attempt.h"

namespace tidemark::history {
namespace {

using restore::Target;
using restore::testing::Bucket;
using restore::testing::Made;

constexpr Time second(std::int64_t unix_s) { return Time(std::chrono::seconds(unix_s)); }

Made event(const std::string& key, std::int64_t mod, const std::string& value, bool deletion = false) {
  return {.key = key,
          .value = value,
          .deletion = deletion,
          .create = mod,
          .mod = mod,
          .version = 1,
          .time = second(1795247000 + mod)};
}

// "309:/a/x=one 311:-/a/x"; "(…)": not asked for; "!310..311": lost.
struct Words final : VersionListener {
  std::string text;
  std::vector<When> times;
  std::size_t most = SIZE_MAX;
  Status version(const Version& version) override {
    if (most-- == 0) return fail(Errc::cancelled, "enough");
    const std::string what = version.row == nullptr
                                 ? fmt::format("{}:-{}", version.written.last, version.key)
                                 : fmt::format("{}:{}={}", version.written.last, version.key, version.row->value);
    text += version.before_since ? "(" + what + ") " : what + " ";
    times.push_back(version.when);
    return {};
  }
  Status lost(RevisionSpan span, std::string_view) override {
    text += fmt::format("!{}..{} ", span.first, span.last);
    return {};
  }
};

class VersionsOfKeys : public ::testing::Test {
 protected:
  VersionsOfKeys() {
    bucket_.add_delta({event("/a/x", 309, "one"), event("/a/y", 310, "one"), event("/ab", 310, "no")}, 1795247311);
    bucket_.add_delta({event("/a/x", 311, "", true), event("/a/y", 312, "two"), event("/a/x", 313, "back")},
                      1795247314);
  }
  Result<Words> told(const VersionWish& wish, const std::vector<std::string>& prefixes = {"/a/"}) {
    const io::TempDir scratch = io::TempDir::create().value();
    const auto origin = restore::store_origin(bucket_.store);
    TM_LET(const auto versions, Versions::open(*origin, wish, {.scratch = scratch.path(), .stop = {}, .progress = {}}));
    Words words;
    TM_CHECK(versions->for_each({.prefixes = prefixes}, words));
    complete_ = versions->complete();
    reach_ = versions->reach();
    Words again;
    TM_CHECK(versions->for_each({.prefixes = prefixes}, again));
    EXPECT_EQ(again.text, words.text) << "another answer the second time";
    return words;
  }
  std::string words(const VersionWish& wish, const std::vector<std::string>& prefixes = {"/a/"}) {
    const auto all = told(wish, prefixes);
    return all ? all->text : std::string(errc_name(all.error().code));
  }
  void flip(const std::string& key, std::size_t where) {
    Buffer body = bucket_.store.get(key, 10U << 20U).value();
    body[where] ^= std::byte{1};
    ASSERT_TRUE(bucket_.store.remove(key));
    ASSERT_TRUE(bucket_.store.put(key, body));
  }
  Bucket bucket_;
  bool complete_ = false;
  Revision reach_;
};

TEST_F(VersionsOfKeys, InTheOrderOfTheirRevisions) {
  EXPECT_EQ(words({}), "309:/a/x=one 310:/a/y=one 311:-/a/x 312:/a/y=two 313:/a/x=back ");
  EXPECT_TRUE(complete_);
  EXPECT_EQ(reach_, Revision(313));
  EXPECT_EQ(words({}, {"/a/x"}), "309:/a/x=one 311:-/a/x 313:/a/x=back ");
  EXPECT_EQ(words({}, {"/ab", "/a/y"}), "310:/a/y=one 310:/ab=no 312:/a/y=two ");
  EXPECT_EQ(words({}, {"/none"}), "");
  EXPECT_EQ(words({}, {}), "");
}

TEST_F(VersionsOfKeys, SinceAndUntil) {
  struct Row {
    VersionWish wish;
    const char* says;
  };
  const Row rows[] = {
      {{.since = Target::at(Revision(1))}, "309:/a/x=one 311:-/a/x 313:/a/x=back "},
      {{.since = Target::at(Revision(309))}, "309:/a/x=one 311:-/a/x 313:/a/x=back "},
      {{.since = Target::at(Revision(310))}, "(309:/a/x=one) 311:-/a/x 313:/a/x=back "},
      {{.since = Target::at(Revision(313))}, "(309:/a/x=one) (311:-/a/x) 313:/a/x=back "},
      {{.since = Target::at(second(1795247310))}, "(309:/a/x=one) 311:-/a/x 313:/a/x=back "},
      {{.since = Target::at(second(1795248000))}, "(309:/a/x=one) (311:-/a/x) (313:/a/x=back) "},
      {{.since = Target::at(second(1))}, "309:/a/x=one 311:-/a/x 313:/a/x=back "},
      {{.since = {}, .until = Target::at(Revision(311))}, "309:/a/x=one 311:-/a/x "},
      {{.since = {}, .until = Target::at(Revision(308))}, ""},
      {{.since = {}, .until = Target::at(second(1795247312))}, "309:/a/x=one 311:-/a/x "},
      {{.since = Target::at(Revision(310)), .until = Target::at(Revision(311))}, "(309:/a/x=one) 311:-/a/x "},
      // What makes no sense, or is not there.
      {{.since = Target::newest()}, "invalid"},
      {{.since = Target::at(Revision(313)), .until = Target::at(Revision(311))}, "invalid"},
      {{.since = Target::at(second(1795247313)), .until = Target::at(Revision(311))}, "invalid"},
      {{.since = {}, .until = Target::at(Revision(314))}, "not_found"},
      {{.since = {}, .until = Target::at(second(1))}, "not_found"},
  };
  for (const Row& row : rows) EXPECT_EQ(words(row.wish, {"/a/x"}), row.says);
}

TEST_F(VersionsOfKeys, TimesAreThoseOfTheRecorder) {
  const auto all = told({}, {"/a/x"});
  ASSERT_TRUE(all);
  ASSERT_EQ(all->times.size(), 3U);
  for (std::size_t i = 0; i < 3; i++) {
    const Time received = second(1795247309 + 2 * static_cast<std::int64_t>(i));
    EXPECT_EQ(all->times[i].received, received);
    EXPECT_EQ(all->times[i].not_after, received);
  }
}

TEST_F(VersionsOfKeys, OfAFullOnlyItsOwnTimeIsKnown) {
  const auto all = told({.since = {}, .until = Target::at(Revision(308))}, {""});
  ASSERT_TRUE(all);
  ASSERT_FALSE(all->times.empty());
  for (const When& when : all->times) {
    EXPECT_FALSE(when.received);
    EXPECT_FALSE(when.not_before);
    EXPECT_EQ(when.not_after, second(1795246362));
  }
}

TEST_F(VersionsOfKeys, ABadDeltaIsTold) {
  flip("v2/Incr-00000311-00000313-1795247314", 10);
  EXPECT_EQ(words({}), "309:/a/x=one 310:/a/y=one !311..313 ");
  EXPECT_FALSE(complete_);
  EXPECT_EQ(reach_, Revision(310));
  EXPECT_EQ(words({.since = Target::at(Revision(312))}), "(309:/a/x=one) (310:/a/y=one) !312..313 ");
}

TEST_F(VersionsOfKeys, NothingOfABadDeltaIsShown) {
  // The last byte belongs to the digest: every event before it reads well.
  const std::string key = "v2/Incr-00000309-00000310-1795247311";
  flip(key, bucket_.store.get(key, 1U << 20U).value().size() - 1);
  EXPECT_EQ(words({}), "!309..313 ");
}

TEST_F(VersionsOfKeys, WithoutAUsableFullThereIsNothing) {
  const std::string key = "v2/Full-00000000-00000308-1795246362.gz";
  flip(key, bucket_.store.get(key, 10U << 20U).value().size() / 2);
  EXPECT_EQ(words({}), "corrupt");
  ASSERT_TRUE(bucket_.store.remove(key));
  EXPECT_EQ(words({}), "not_found");
}

TEST_F(VersionsOfKeys, StopsWithItsListener) {
  const io::TempDir scratch = io::TempDir::create().value();
  const auto origin = restore::store_origin(bucket_.store);
  const auto versions = Versions::open(*origin, {}, {.scratch = scratch.path(), .stop = {}, .progress = {}});
  ASSERT_TRUE(versions);
  for (const std::size_t most : {0U, 1U, 4U}) {
    Words words;
    words.most = most;
    const Status stopped = (*versions)->for_each({.prefixes = {"/a/"}}, words);
    ASSERT_FALSE(stopped);
    EXPECT_EQ(stopped.error().what, "enough");
  }
}

}  // namespace
}  // namespace tidemark::history
