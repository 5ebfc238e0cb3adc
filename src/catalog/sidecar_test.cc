#include "catalog/sidecar.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <sstream>

#include "base/rfc3339.h"
#include "base/testing/source_dir.h"

namespace tidemark::catalog {
namespace {

using ::testing::HasSubstr;

std::string golden(std::string_view name) {
  std::ifstream in(fmt::format("{}/testdata/sidecars/{}", tidemark::testing::source_dir(), name));
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

// Parses by kind and prints again.
struct Codec {
  const char* file;
  std::function<Result<std::string>(std::string_view)> round;
};

template <class T>
Codec codec(const char* file, Result<T> (*parse)(std::string_view)) {
  return {file, [parse](std::string_view text) -> Result<std::string> {
            TM_LET(const T value, parse(text));
            return print_sidecar(value);
          }};
}

const std::vector<Codec>& codecs() {
  static const std::vector<Codec> all{
      codec("v1-lineage.json", parse_lineage), codec("v1-successor.json", parse_successor),
      codec("v1-claim.json", parse_claim),     codec("v1-gap.json", parse_gap),
      codec("v1-seek.json", parse_seek_table), codec("v1-state.json", parse_state)};
  return all;
}

std::string with(std::string text, std::string_view from, std::string_view to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << "nothing to replace: " << from << " in " << text;
  if (at != std::string::npos) text.replace(at, from.size(), to);
  return text;
}

// As it is written today: with a checksum.
std::string summed(std::string_view file) { return golden("v1-summed-" + std::string(file.substr(3))); }

TEST(Sidecar, GoldensComeBackByteForByte) {
  for (const Codec& c : codecs()) {
    const std::string text = summed(c.file);
    ASSERT_FALSE(text.empty()) << c.file;
    for (const std::string& read : {text, golden(c.file)}) {
      const auto printed = c.round(read);
      ASSERT_TRUE(printed) << c.file << ": " << printed.error().what;
      EXPECT_EQ(*printed, text) << c.file;
    }
  }
}

TEST(Sidecar, GoldenValues) {
  const auto state = parse_state(golden("v1-state.json"));
  ASSERT_TRUE(state);
  EXPECT_EQ(state->revision, Revision(308));
  EXPECT_EQ(state->hash_kv, (HashSample{4294967295U, Revision(308), Revision(100)}));
  ASSERT_EQ(state->leases.size(), 1U);
  EXPECT_EQ(state->leases[0], (LeaseRecord{LeaseId(0x694d7550d0a3c11a), 3600, 3412}));
  ASSERT_EQ(state->members.size(), 1U);
  EXPECT_EQ(state->members[0].id, MemberId(0x8e9e05c52164694d));
  EXPECT_EQ(state->members[0].peer_urls, std::vector<std::string>{"https://10.0.0.1:2380"});
  const auto lineage = parse_lineage(golden("v1-lineage.json"));
  ASSERT_TRUE(lineage);
  EXPECT_EQ(lineage->cluster, ClusterId(0xcdf818194e3a8c32));
  EXPECT_EQ(print_rfc3339_nano(lineage->created), "2026-11-21T10:00:00.123456789Z");
}

TEST(Sidecar, EveryStrictPrefixIsRefused) {
  for (const Codec& c : codecs()) {
    std::string text = golden(c.file);
    text.pop_back();  // the newline is not part of the value
    for (std::size_t n = 0; n < text.size(); ++n) {
      const auto r = c.round(text.substr(0, n));
      ASSERT_FALSE(r) << c.file << " cut at " << n;
      EXPECT_EQ(r.error().code, Errc::corrupt) << c.file << " cut at " << n;
    }
  }
}

TEST(Sidecar, BitFlipsNeverPassForANewerVersionOrCrash) {
  for (const Codec& c : codecs()) {
    const std::string good = golden(c.file);
    for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
      std::string bad = good;
      bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
      const auto r = c.round(bad);  // a flipped digit or letter of free text is another good value
      EXPECT_TRUE(!r || !r->empty());
    }
  }
}

// With a checksum a flip is refused as damage, or it is in the checksum's own name and changes nothing.
TEST(Sidecar, BitFlipsAreFound) {
  for (const Codec& c : codecs()) {
    const std::string good = summed(c.file);
    const std::size_t name = good.rfind("crc32c");
    for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
      std::string bad = good;
      bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
      const auto r = c.round(bad);
      if (!r) {
        EXPECT_EQ(r.error().code, Errc::corrupt) << bad;
      } else {
        EXPECT_EQ(*r, good) << bad;
        EXPECT_TRUE((bit / 8 >= name && bit / 8 < name + 6) || bit / 8 + 1 == good.size()) << bad;
      }
    }
  }
  const std::string state = summed("v1-state.json");
  for (const auto& [from, to] : {std::pair("\"ttl\":3600", "\"ttl\":7600"), std::pair("3412", "3413"),
                                 std::pair("\"formatVersion\":1", "\"formatVersion\":3")}) {
    const auto r = parse_state(with(state, from, to));
    ASSERT_FALSE(r) << to;
    EXPECT_EQ(r.error().code, Errc::corrupt) << to;
    EXPECT_THAT(r.error().what, HasSubstr("State: its bytes are not those that were written")) << to;
  }
  // The checksum is the last field, or it is none.
  EXPECT_FALSE(parse_state(with(state, "{", "{\"crc32c\":\"00000000\",")));
  EXPECT_FALSE(parse_state(with(golden("v1-state.json"), "{", "{\"crc32c\":\"00000000\",")));
  EXPECT_FALSE(parse_state(with(state, "\"}\n", "\" }\n")));
}

TEST(Sidecar, NewerVersionIsRefusedByKind) {
  for (const Codec& c : codecs()) {
    const auto r = c.round(with(golden(c.file), "\"formatVersion\":1", "\"formatVersion\":2"));
    ASSERT_FALSE(r) << c.file;
    EXPECT_EQ(r.error().code, Errc::unsupported) << c.file;
    EXPECT_THAT(r.error().what, HasSubstr("format version 2 is newer than 1"));
    EXPECT_EQ(r.error().hint, "use a newer tidemark");
  }
}

TEST(Sidecar, UnknownFieldsAreIgnored) {
  for (const Codec& c : codecs()) {
    const std::string text = golden(c.file);
    EXPECT_EQ(c.round(with(text, "\"formatVersion\":1", "\"formatVersion\":1,\"later\":[{}]")), summed(c.file))
        << c.file;
  }
}

TEST(Sidecar, KindsAreNotMixedUp) {
  for (const Codec& a : codecs()) {
    for (const Codec& b : codecs()) {
      EXPECT_EQ(a.round(golden(b.file)).has_value(), a.file == b.file) << a.file << " reads " << b.file;
    }
  }
}

struct BadRow {
  const char* file;
  const char* from;
  const char* to;
  const char* error;
};

TEST(Sidecar, BadFieldsAreNamed) {
  const BadRow rows[] = {
      {"v1-lineage.json", "\"number\":1", "\"number\":0", "Lineage: field 'number' is not at least 1"},
      {"v1-lineage.json", "\"number\":1", "\"number\":-1", "'number' is not a whole number from 0"},
      {"v1-lineage.json", "\"number\":1", "\"number\":4294967296", "'number' is not a whole number from 0"},
      {"v1-lineage.json", "cdf818194e3a8c32", "cdf818194e3a8c321", "'clusterId' is not at most 16"},
      {"v1-lineage.json", "cdf818194e3a8c32", "", "'clusterId' is not at most 16"},
      {"v1-lineage.json", "cdf818194e3a8c32", "CDF8", "'clusterId' is not at most 16"},
      {"v1-lineage.json", "\"memberId\"", "\"memberid\"", "field 'memberId' is missing"},
      {"v1-lineage.json", "\"firstRevision\":2", "\"firstRevision\":9223372036854775808",
       "'firstRevision' is not a whole"},
      {"v1-lineage.json", "\"firstRevision\":2", "\"firstRevision\":2.5", "'firstRevision' is not a whole"},
      {"v1-lineage.json", "2026-11-21T", "2026-13-21T", "'created' is not a time"},
      {"v1-lineage.json", "\"formatVersion\":1", "\"formatVersion\":0", "'formatVersion' is not 1"},
      {"v1-lineage.json", "\"formatVersion\":1", "\"formatVersion\":\"1\"", "'formatVersion' is not a whole"},
      {"v1-successor.json", "lineage-2.prod", "../prod", "'store' is not the name of a folder"},
      {"v1-successor.json", "lineage-2.prod", "", "'store' is not the name of a folder"},
      {"v1-successor.json", "\"number\":2", "\"number\":1", "'number' is not at least 2"},
      {"v1-claim.json", "\"epoch\":2", "\"epoch\":\"2\"", "'epoch' is not a whole number"},
      {"v1-claim.json", "\"object\":\"v2/Incr-00000309-00000434-1795246365.gz\"", "\"object\":7",
       "'object' is not a string"},
      {"v1-gap.json", "\"last\":1000", "\"last\":938", "'last' is not at or behind 'first'"},
      {"v1-gap.json", "\"last\":1000", "\"last\":9223372036854775807",
       "'last' is not a revision that another could follow"},
      {"v1-seek.json", "[4096,1048576]", "[0,1048576]", "'members' is not in growing order"},
      {"v1-seek.json", "[4096,1048576]", "[4096]", "'members' is not an array of"},
      {"v1-seek.json", "[4096,1048576]", "[-1,1048576]", "'members' is not an array of"},
      {"v1-seek.json", "[309,350,401]", "[309,350]", "'firstRevisions' is not as long as 'members'"},
      {"v1-seek.json", "[309,350,401]", "[309,350,-1]", "'firstRevisions' is not an array of revisions"},
      {"v1-seek.json", "[309,350,401]", "309", "'firstRevisions' is not an array"},
      {"v1-state.json", "4294967295", "4294967296", "State: hashKv: field 'hash' is not a whole number"},
      {"v1-state.json", "{\"hash\"", "{\"hsah\"", "State: hashKv: field 'hash' is missing"},
      {"v1-state.json", "694d7550d0a3c11a", "694d7550d0a3c11z", "State: leases: field 'id' is not"},
      {"v1-state.json", "\"ttl\":3600", "\"ttl\":\"1h\"", "State: leases: field 'ttl' is not a whole number"},
      {"v1-state.json", "[\"https://10.0.0.1:2380\"]", "[1]",
       "State: members: field 'peerUrls' is not an array of strings"},
      {"v1-state.json", "\"learner\":false", "\"learner\":0", "State: members: field 'learner' is not true or false"},
      {"v1-state.json", "\"dbSize\":20480", "\"dbSize\":-1", "State: field 'dbSize' is not a whole number"},
  };
  for (const BadRow& row : rows) {
    for (const Codec& c : codecs()) {
      if (std::string_view(c.file) != row.file) continue;
      const auto r = c.round(with(golden(row.file), row.from, row.to));
      ASSERT_FALSE(r) << row.file << ": " << row.to;
      EXPECT_EQ(r.error().code, Errc::corrupt) << row.to;
      EXPECT_THAT(r.error().what, HasSubstr(row.error));
    }
  }
}

TEST(Sidecar, Keys) {
  EXPECT_EQ(successor_key(2), "tidemark/lineages/000002.json");
  EXPECT_EQ(claim_key(Revision(309), 2), "tidemark/claims/00000000000000000309-000002.json");
  EXPECT_TRUE(claim_key(Revision(309), 2).starts_with(claims_of(Revision(309))));
  EXPECT_EQ(gap_key({Revision(939), Revision(1000)}), "tidemark/gaps/00000000000000000939-00000000000000001000.json");
  EXPECT_EQ(seek_key("v2/Incr-1-2-3.gz"), "tidemark/seek/Incr-1-2-3.gz.json");
  EXPECT_EQ(state_key("v1/Backup-7/Full-0-2-3"), "tidemark/state/Full-0-2-3.json");
}

TEST(Sidecar, ClaimKeysAreReadBack) {
  EXPECT_EQ(parse_claim_key(claim_key(Revision(309), 2)), std::pair(Revision(309), 2U));
  EXPECT_EQ(parse_claim_key(claim_key(Revision(INT64_MAX), UINT32_MAX)), std::pair(Revision(INT64_MAX), UINT32_MAX));
  for (const char* bad :
       {"", "tidemark/claims/", "tidemark/claims/.json", "tidemark/claims/1.json", "tidemark/claims/1-.json",
        "tidemark/claims/-1.json", "tidemark/claims/1-2", "tidemark/claims/1-2-3.json", "tidemark/claims/x-2.json",
        "tidemark/gaps/1-2.json", "tidemark/claims/ 1-2.json", "tidemark/claims/9223372036854775808-1.json",
        "tidemark/claims/1-4294967296.json"}) {
    EXPECT_FALSE(parse_claim_key(bad)) << bad;
  }
}

TEST(Sidecar, AStoreThatWasNeverCompactedSaysMinusOne) {
  State state;
  state.object = "v2/Full-00000000-00000308-1795246362.gz";
  state.revision = Revision(308);
  state.hash_kv = HashSample{7, Revision(308), Revision(-1)};
  const std::string text = print_sidecar(state);
  const auto parsed = parse_state(text);
  ASSERT_TRUE(parsed) << parsed.error().what;
  EXPECT_EQ(*parsed, state);
  std::string worse = text.substr(0, text.rfind(",\"crc32c\"")) + "}";
  ASSERT_TRUE(parse_state(worse));
  worse.replace(worse.find("\"compactRevision\":-1"), 20, "\"compactRevision\":-2");
  EXPECT_FALSE(parse_state(worse));
}

}  // namespace
}  // namespace tidemark::catalog
