#include "bucket/name.h"

#include <gtest/gtest.h>

namespace tidemark::bucket {

namespace {

SnapshotName name_of(Kind kind, std::int64_t first, std::int64_t last, std::int64_t unix_s, Compression compression,
                     bool final_mark = false) {
  return {kind, {Revision(first), Revision(last)}, unix_s, compression, final_mark};
}

}  // namespace

TEST(Name, Parses) {
  struct Row {
    std::string_view text;
    SnapshotName wanted;
  };
  const Row rows[] = {
      {"Full-00000000-00000308-1795246362.gz", name_of(Kind::full, 0, 308, 1795246362, Compression::gzip)},
      {"Incr-00000309-00000434-1795246365", name_of(Kind::delta, 309, 434, 1795246365, Compression::none)},
      {"Incr-00000309-00000434-1795246365.Z", name_of(Kind::delta, 309, 434, 1795246365, Compression::lzw)},
      {"Incr-00000309-00000434-1795246365.zlib", name_of(Kind::delta, 309, 434, 1795246365, Compression::zlib)},
      {"Full-00000000-00000308-1795246362.gz.final", name_of(Kind::full, 0, 308, 1795246362, Compression::gzip, true)},
      {"Full-00000000-00000308-1795246362.final", name_of(Kind::full, 0, 308, 1795246362, Compression::none, true)},
      {"Incr-12345678901-12345678901-1795246365.gz",
       name_of(Kind::delta, 12345678901, 12345678901, 1795246365, Compression::gzip)},
      {"Incr-3-9223372036854775806-0.gz", name_of(Kind::delta, 3, INT64_MAX - 1, 0, Compression::gzip)},  // unpadded
      {"Full-00000000-00000000-1.gz", name_of(Kind::full, 0, 0, 1, Compression::gzip)},
  };
  for (const Row& row : rows) {
    const auto got = parse_name(row.text);
    ASSERT_TRUE(got) << row.text << ": " << got.error().what;
    EXPECT_EQ(*got, row.wanted) << row.text;
    const auto again = parse_name(print_name(*got));
    ASSERT_TRUE(again) << print_name(*got);
    EXPECT_EQ(*again, row.wanted);
    EXPECT_EQ(parse_key(v2_key(*got)), row.wanted);
  }
}

TEST(Name, Refuses) {
  struct Row {
    std::string_view text;
    Errc code;
    std::string_view why;
  };
  const Row rows[] = {
      {"", Errc::invalid, "nothing"},
      {"Full", Errc::invalid, "one part"},
      {"Full-0-12", Errc::invalid, "no time"},
      {"Full-0-12-", Errc::invalid, "an empty time"},
      {"Full-0-12-1-2", Errc::invalid, "five parts"},
      {"Full--12-1", Errc::invalid, "an empty revision"},
      {"Full-0-12-.gz", Errc::invalid, "a suffix for a time"},
      {"full-0-12-1", Errc::invalid, "kinds are case-sensitive"},
      {"Chunk-0-12-1", Errc::invalid, "only a label in metrics"},
      {"Incr-00000040-00000013-1700000300", Errc::invalid, "backwards"},
      {"Full-00000000-9223372036854775807-1", Errc::invalid, "no revision could follow it"},
      {"Incr-+3-5-1", Errc::invalid, "a sign"},
      {"Incr- 3-5-1", Errc::invalid, "a blank"},
      {"Incr-0x3-5-1", Errc::invalid, "hexadecimal"},
      {"Incr-3-9223372036854775808-1", Errc::invalid, "beyond 63 bits"},
      {"Incr-3-5-99999999999999999999", Errc::invalid, "time beyond 63 bits"},
      {"Incr-3-5-1x.gz", Errc::invalid, "letters in the time"},
      {"v2/Incr-3-5-1.gz", Errc::invalid, "a key, not a name"},
      {"Incr-3-5-1.gz/0000000001", Errc::unsupported, "a chunk: the suffix is unknown"},
      {"Incr-3-5-1.zst", Errc::unsupported, "the newest such object makes etcd-backup-restore fail"},
      {"Incr-3-5-1.gz.idx", Errc::unsupported, "etcd-backup-restore takes it for a second gzip object"},
      {"Incr-3-5-1.GZ", Errc::unsupported, "suffixes are case-sensitive"},
      {"Incr-3-5-1.", Errc::unsupported, "a dot and nothing"},
      {"Full-0-5-1.final.gz", Errc::unsupported, "final is last"},
      {"Full-0-5-1.gz.final.final", Errc::unsupported, "final is once"},
      {"Full-0-5-1..gz", Errc::unsupported, "two dots"},
  };
  for (const Row& row : rows) {
    const auto got = parse_name(row.text);
    ASSERT_FALSE(got) << row.text;
    EXPECT_EQ(got.error().code, row.code) << row.text << ": " << row.why;
    EXPECT_EQ(parse_key("v2/" + std::string(row.text)), std::nullopt) << row.text;
  }
  EXPECT_EQ(parse_name("Full-0-12").error().what, "'Full-0-12' is not a snapshot's name: not four parts joined by '-'");
  EXPECT_EQ(parse_name("Full-0-12-1.zst").error().what, "snapshot 'Full-0-12-1.zst' has the unknown suffix '.zst'");
}

TEST(Key, WhatIsASnapshotObject) {
  const std::pair<std::string_view, bool> rows[] = {
      {"v2/Full-00000000-00000308-1795246362.gz", true},
      {"v1/Backup-1795246362/Full-00000000-00000308-1795246362.gz", true},
      {"v1/Backup-1795246362/Incr-00000309-00000434-1795246365", true},
      {"Full-00000000-00000308-1795246362.gz", false},  // no version folder
      {"/v2/Full-00000000-00000308-1795246362.gz", false},
      {"v3/Full-00000000-00000308-1795246362.gz", false},
      {"v2//Full-00000000-00000308-1795246362.gz", false},
      {"xv2/Full-00000000-00000308-1795246362.gz", false},                              // another prefix
      {"foo/v2/Full-00000000-00000308-1795246362.gz", false},                           // another prefix
      {"v2/Full-00000000-00000308-1795246362.gz/0000000001", false},                    // a chunk
      {"v1/Backup-1795246362/Full-00000000-00000308-1795246362.gz/0000000001", false},  // a chunk
      {"v1/Full-00000000-00000308-1795246362.gz", false},                               // v1 has a folder
      {"v1/Backup-/Full-00000000-00000308-1795246362.gz", false},
      {"v1/Other-1/Full-00000000-00000308-1795246362.gz", false},
      {"v2/tidemark-index", false},
      {"v2/", false},
      {"v2", false},
      {"", false},
      {"tidemark/seek/Full-00000000-00000308-1795246362.gz", false},
  };
  for (const auto& [key, wanted] : rows) EXPECT_EQ(parse_key(key).has_value(), wanted) << key;
}

TEST(Prefix, CheckPrefix) {
  const std::pair<std::string_view, bool> rows[] = {
      {"", true},
      {"etcd-main", true},
      {"shoots/garden/etcd-main", true},
      {"shoots/etcd-main/", true},
      {"v1beta1/etcd", true},  // does not end in v1
      {"v1.2/etcd", true},
      {"v10/etcd", true},
      {"shoot-v1/etcd", false},  // etcd-backup-restore finds nothing and deletes the data directory
      {"etcd/v1", false},
      {"v1", false},
      {"etcd-v1", false},  // happens to work, one folder more and it does not
      {"v2", false},       // our side objects would lie in what it takes for the version folder
      {"foo/v2/bar", false},
      {"etcd-v2", false},
      {"/etcd", false},
      {"a//b", false},
      {"a/./b", false},
      {"../b", false},
      {"/", false},
      {"a//", false},
  };
  for (const auto& [prefix, wanted] : rows) {
    const auto got = check_prefix(prefix);
    EXPECT_EQ(got.has_value(), wanted) << prefix;
    if (!got) {
      EXPECT_EQ(got.error().code, Errc::invalid) << prefix;
    }
  }
}

}  // namespace tidemark::bucket
