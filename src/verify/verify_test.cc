// Buckets that etcd-backup-restore wrote, good and broken, at every level; recorded hashes; a flip in every object.
#include "verify/verify.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "restore/etcd.h"
#include "verify/testing/verifying.h"

namespace tidemark::verify {
namespace {

using catalog::ProofLevel;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::load;
using testing::Verify;

constexpr ProofLevel kLevels[] = {ProofLevel::digest, ProofLevel::structure, ProofLevel::replay};

std::string spans(const std::vector<RevisionSpan>& all) {
  std::string text;
  for (const RevisionSpan& s : all) text += fmt::format("{}{}..{}", text.empty() ? "" : " ", s.first, s.last);
  return text;
}

struct BucketRow {
  const char* bucket;
  // One finding, from this level on: the object's key ends so, the reason holds that. "": none at any level.
  const char* object;
  const char* reason;
  ProofLevel from;
  const char* restorable;
};

TEST_F(Verify, BucketsOfEtcdBackupRestore) {
  const BucketRow rows[] = {
      {"00-control-gz/bucket", "", "", {}, "308..938"},
      {"02-issue1043-duplicate-delta/bucket", "", "", {}, "308..938"},
      {"02-issue1043-overlap/bucket", "", "", {}, "308..938"},
      {"03-lease-ids-in-delta/bucket", "", "", {}, nullptr},
      {"05-full-bitflip/bucket", "Full-00000000-00000308-1795246362.gz", "sha256", ProofLevel::digest, ""},
      {"05-full-without-hash/bucket", "Full-00000000-00000308-1795246362.gz", "SHA-256 at the end is missing",
       ProofLevel::digest, ""},
      {"06-empty-last-delta/bucket", "Incr-00000813-00000938-1795246378.gz", "", ProofLevel::digest, "308..812"},
      {"06-truncated-last-delta/bucket", "Incr-00000813-00000938-1795246378.gz", "end", ProofLevel::digest, "308..812"},
      {"07-missing-first-delta/bucket", "", "revisions 309 to 434: no object covers it", ProofLevel::digest,
       "308..308"},
      {"07-missing-middle-delta/bucket", "", "revisions 561 to 686: no object covers it", ProofLevel::digest,
       "308..560"},
      {"08-prefix-ending-v1/bucket/shoot-v1/etcd", "", "", {}, "308..938"},
      {"08-sibling-prefix/bucket/foo", "", "", {}, "308..560"},
      {"09-final/bucket", "", "", {}, "308..938"},
      {"09-suffix-Z/bucket", "", "", {}, "308..938"},
      {"09-suffix-none/bucket", "", "", {}, "308..938"},
      {"09-suffix-zlib/bucket", "", "", {}, "308..938"},
      {"09-v1/bucket", "", "", {}, "308..938"},
      {"10-source-etcd-3.6/bucket", "", "", {}, nullptr},
      {"50-multimember-full/bucket", "", "", {}, nullptr},
      {"51-fextra-each-member/bucket", "", "", {}, nullptr},
      {"51-trailing-junk/bucket", "Full", "", ProofLevel::digest, nullptr},
      {"53-multimember-deltas/bucket", "", "", {}, nullptr},
      {"54-json-extra-fields/bucket", "", "", {}, nullptr},
      {"54-stray-nonparsing/bucket", "", "", {}, "308..938"},
  };
  for (const BucketRow& row : rows) {
    for (const ProofLevel level : kLevels) {
      SCOPED_TRACE(fmt::format("{} {}", row.bucket, catalog::level_word(level)));
      const auto store = load(row.bucket);
      const auto done = run(*store, level);
      ASSERT_TRUE(done) << done.error().what;
      const bool expected = (row.object[0] != '\0' || row.reason[0] != '\0') && level >= row.from;
      ASSERT_EQ(done->findings.size(), expected ? 1U : 0U)
          << (done->findings.empty() ? "" : done->findings[0].object + ": " + done->findings[0].reason);
      if (row.restorable != nullptr) {
        // Opened fulls turn out to hold their whole history: nothing was ever compacted.
        const std::string words = row.restorable;
        const bool opened = level >= ProofLevel::structure && words.starts_with("308");
        EXPECT_EQ(spans(done->restorable), opened ? "1" + words.substr(3) : words);
      }
      if (!expected) continue;
      EXPECT_THAT(done->findings[0].object, HasSubstr(row.object));
      EXPECT_THAT(done->findings[0].reason, HasSubstr(row.reason));
      for (const ObjectVerdict& object : done->objects) {
        EXPECT_EQ(object.sound, done->findings[0].object != object.point.key);
      }
    }
  }
}

// Beside each object what etcd said of the revision it ends at.
void put_samples(store::ObjectStore& store, std::int64_t wrong_revision = 0) {
  std::ifstream in(io::Path(tidemark::testing::source_dir()) /
                   "testdata/etcd-backup-restore/00-control-gz/expected/meta.json");
  const auto meta = nlohmann::json::parse(in);
  for (const auto* kind : {"v2/Full", "v2/Incr"}) {
    const auto objects = store.list(kind).value();
    for (const store::ObjectInfo& object : objects) {
      const auto name = bucket::parse_key(object.key).value();
      for (const auto& item : meta["revisions"]) {
        if (item["rev"].get<std::int64_t>() != name.span.last.raw()) continue;
        catalog::State state;
        state.object = object.key;
        state.revision = name.span.last;
        const auto hash = item["hashkv"].get<std::uint32_t>();
        const bool wrong = name.span.last.raw() == wrong_revision;
        state.hash_kv = catalog::HashSample{wrong ? hash + 1 : hash, name.span.last, Revision(-1)};
        ASSERT_TRUE(store.put(catalog::state_key(object.key), as_bytes(catalog::print_sidecar(state))));
      }
    }
  }
}

TEST_F(Verify, EverySampleOfAChainIsMet) {
  const auto store = load("00-control-gz/bucket");
  put_samples(*store);
  const auto done = run(*store, ProofLevel::replay);
  ASSERT_TRUE(done) << done.error().what;
  EXPECT_THAT(done->findings, IsEmpty());
  ASSERT_EQ(done->replays.size(), 1U);
  EXPECT_EQ(done->replays[0].reach, Revision(938));
  EXPECT_EQ(done->replays[0].met(), 6U) << "the recorded ones: no full is a witness for itself";
  // An answer vouches for what was replayed before it: the last delta has its own alone.
  std::vector<std::uint64_t> samples;
  for (const ObjectVerdict& object : done->objects) {
    EXPECT_EQ(object.level, ProofLevel::replay);
    samples.push_back(object.samples);
  }
  EXPECT_THAT(samples, ::testing::ElementsAre(6U, 5U, 4U, 3U, 2U, 1U));
}

// Nobody is a witness for himself, and who repeats what somebody said is no second one.
TEST_F(Verify, OnlyIndependentAnswersCount) {
  const auto none = load("00-control-gz/bucket");
  const auto alone = run(*none, ProofLevel::replay);
  ASSERT_TRUE(alone) << alone.error().what;
  ASSERT_EQ(alone->replays.size(), 1U);
  EXPECT_EQ(alone->replays[0].met(), 0U);
  for (const ObjectVerdict& object : alone->objects) EXPECT_EQ(object.samples, 0U) << object.point.key;

  const auto store = load("00-control-gz/bucket");
  put_samples(*store);
  const std::string full = "v2/Full-00000000-00000308-1795246362.gz", delta = "v2/Incr-00000309-00000434-1795246365.gz";
  catalog::State state = catalog::parse_state(as_text(*store->get(catalog::state_key(full)))).value();
  state.object = delta;
  const std::string text = catalog::print_sidecar(state);
  store->overwrite(catalog::state_key(delta), Buffer(as_bytes(text).begin(), as_bytes(text).end()));
  const auto done = run(*store, ProofLevel::replay);
  ASSERT_TRUE(done) << done.error().what;
  EXPECT_THAT(done->findings, IsEmpty());
  EXPECT_EQ(done->replays.at(0).met(), 5U) << "308 twice";
}

TEST_F(Verify, AWrongHashPointsAtTheObjectsBetween) {
  const auto store = load("00-control-gz/bucket");
  put_samples(*store, 686);
  const auto done = run(*store, ProofLevel::replay);
  ASSERT_TRUE(done) << done.error().what;
  ASSERT_EQ(done->findings.size(), 1U);
  EXPECT_EQ(done->findings[0].object, "v2/Incr-00000561-00000686-1795246371.gz");
  EXPECT_THAT(done->findings[0].reason, HasSubstr("HashKV at revision 686 is 200859b6, etcd had 200859b7"));
  EXPECT_THAT(done->findings[0].reason, HasSubstr("it was right at revision 560"));
  for (const ObjectVerdict& object : done->objects) {
    EXPECT_EQ(object.sound, object.point.key != done->findings[0].object) << object.point.key;
    // Behind a wrong row nothing was proven by the rebuild.
    EXPECT_EQ(object.level == ProofLevel::replay, object.point.name.span.last.raw() <= 686) << object.point.key;
  }
}

TEST_F(Verify, OnePointMeansItsChain) {
  const auto store = load("07-missing-middle-delta/bucket");
  const auto timeline = catalog::read_timeline(*store).value();
  const auto before = run(*store, ProofLevel::replay, timeline.deltas[1]);
  ASSERT_TRUE(before) << before.error().what;
  EXPECT_THAT(before->findings, IsEmpty()) << "the hole is behind it";
  EXPECT_EQ(before->objects.size(), 3U);
  EXPECT_EQ(before->replays.at(0).reach, Revision(560));
  const auto behind = run(*store, ProofLevel::replay, timeline.deltas[2]);
  ASSERT_TRUE(behind) << behind.error().what;
  ASSERT_EQ(behind->findings.size(), 1U);
  EXPECT_THAT(behind->findings[0].reason, HasSubstr("no full leads to it"));
  EXPECT_THAT(behind->replays, IsEmpty());
}

// Whatever byte goes wrong in whatever object: the object is found, at the lowest level already, and what does not need
// it stays restorable.
TEST_F(Verify, AFlipInEveryObjectIsFound) {
  const auto good = load("00-control-gz/bucket");
  const auto objects = good->list("v2/").value();
  for (const store::ObjectInfo& object : objects) {
    for (int i = 0; i < 8; ++i) {
      SCOPED_TRACE(fmt::format("{} part {}", object.key, i));
      Buffer bytes = good->get(object.key).value();
      // Not in the ten bytes of gzip's header, of which some mean nothing.
      const std::size_t at = 10 + (bytes.size() - 10) * static_cast<std::size_t>(i) / 8;
      bytes[at] ^= std::byte{0x20};
      const auto store = load("00-control-gz/bucket");
      store->overwrite(object.key, bytes);
      const auto done = run(*store, ProofLevel::digest);
      ASSERT_TRUE(done) << done.error().what;
      ASSERT_EQ(done->findings.size(), 1U);
      EXPECT_EQ(done->findings[0].object, object.key);
      EXPECT_EQ(done->findings[0].level, ProofLevel::digest);
      const auto first = bucket::parse_key(object.key)->span.first;
      EXPECT_EQ(spans(done->restorable), first == Revision(0) ? "" : fmt::format("308..{}", first.prev()));
    }
  }
}

TEST_F(Verify, ABodyThatIsNotWhatItsNameSays) {
  const auto store = load("00-control-gz/bucket");
  const std::string one = "v2/Incr-00000309-00000434-1795246365.gz", two = "v2/Incr-00000435-00000560-1795246368.gz";
  store->overwrite(one, store->get(two).value());
  const auto digest = run(*store, ProofLevel::digest);
  ASSERT_TRUE(digest);
  EXPECT_THAT(digest->findings, IsEmpty()) << "every byte is as its writer put it";
  const auto structure = run(*store, ProofLevel::structure);
  ASSERT_TRUE(structure);
  ASSERT_EQ(structure->findings.size(), 1U);
  EXPECT_EQ(structure->findings[0].object, one);
  EXPECT_EQ(structure->findings[0].level, ProofLevel::structure);
  EXPECT_THAT(structure->findings[0].reason, HasSubstr("its name says revisions 309..434, it holds 435..560"));
  EXPECT_EQ(spans(structure->restorable), "1..308");
}

TEST_F(Verify, SidecarsAreComparedWithTheirObject) {
  const auto store = load("00-control-gz/bucket");
  const std::string full = "v2/Full-00000000-00000308-1795246362.gz", delta = "v2/Incr-00000309-00000434-1795246365.gz";
  catalog::State state;
  state.object = full;
  state.revision = Revision(308);
  state.raw_sha256 = std::string(64, '0');
  ASSERT_TRUE(store->put(catalog::state_key(full), as_bytes(catalog::print_sidecar(state))));
  ASSERT_TRUE(store->put(catalog::seek_key(full),
                         as_bytes(catalog::print_sidecar(catalog::SeekTable{full, {{0, 0}, {1000, 9000}}, {}}))));
  ASSERT_TRUE(store->put(catalog::state_key(delta), as_bytes("{}")));
  const auto done = run(*store, ProofLevel::digest);
  ASSERT_TRUE(done) << done.error().what;
  std::vector<std::string> found;
  for (const Finding& finding : done->findings) found.push_back(finding.object + ": " + finding.reason);
  EXPECT_THAT(found, ::testing::ElementsAre(HasSubstr("a gzip member begins at 1000"),
                                            HasSubstr("when it was recorded it was 0000"),
                                            HasSubstr("tidemark/state/Incr-00000309")));
}

// One bit in what was noted beside the objects: none stands between a user and the objects, all are told.
TEST_F(Verify, AFlipInASidecarIsFound) {
  const std::string full = "v2/Full-00000000-00000308-1795246362.gz", delta = "v2/Incr-00000309-00000434-1795246365.gz";
  catalog::State state;
  state.object = full;
  state.revision = Revision(308);
  state.leases.push_back({LeaseId(7), 3600, 3412});
  const Time created(std::chrono::seconds(1000));
  const struct {
    std::string key, text;
    const char *from, *to;
  } rows[] = {
      {catalog::state_key(full), catalog::print_sidecar(state), "3600", "7600"},
      {catalog::seek_key(full), catalog::print_sidecar(catalog::SeekTable{full, {{0, 0}}, {}}), "[0,0]", "[0,8]"},
      {std::string(catalog::kLineageKey),
       catalog::print_sidecar(catalog::Lineage{ClusterId(77), MemberId(5), Revision(1), created, 1}), "\"4d\"",
       "\"5d\""},
      {catalog::claim_key(Revision(309), 1),
       catalog::print_sidecar(catalog::Claim{Revision(309), 1, "a-recorder", delta, created}), "00000434", "00000435"},
      {catalog::successor_key(2),
       catalog::print_sidecar(catalog::LineageSuccessor{2, "lineage-2.prod", "went back", created, ClusterId(77)}),
       "lineage-2", "lineage-3"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.key);
    const auto store = load("00-control-gz/bucket");
    ASSERT_TRUE(store->put(row.key, as_bytes(row.text)));
    const auto good = run(*store, ProofLevel::digest);
    ASSERT_TRUE(good) << good.error().what;
    EXPECT_THAT(good->findings, IsEmpty());
    std::string bad = row.text;
    bad.replace(bad.find(row.from), std::string_view(row.from).size(), row.to);
    store->overwrite(row.key, Buffer(as_bytes(bad).begin(), as_bytes(bad).end()));
    const auto done = run(*store, ProofLevel::digest);
    ASSERT_TRUE(done) << done.error().what;
    ASSERT_EQ(done->findings.size(), 1U);
    EXPECT_EQ(done->findings[0].object, row.key);
    EXPECT_THAT(done->findings[0].reason, HasSubstr("its bytes are not those that were written"));
    EXPECT_EQ(spans(done->restorable), "308..938");
  }
}

TEST_F(Verify, AnEmptyStore) {
  store::testing::MemStore store;
  const auto done = run(store, ProofLevel::digest);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Errc::not_found);
}

TEST_F(Verify, ProofsAreKept) {
  const auto store = load("06-truncated-last-delta/bucket");
  const auto done = run(*store, ProofLevel::replay);
  ASSERT_TRUE(done);
  EXPECT_EQ(keep_proofs(*store, *done, Time(std::chrono::seconds(1795250000)), "tidemark test"), 6U);
  const auto proofs = catalog::Proofs::read(*store);
  ASSERT_TRUE(proofs);
  const auto* good = proofs->of("v2/Incr-00000687-00000812-1795246374.gz");
  ASSERT_NE(good, nullptr);
  EXPECT_TRUE(good->sound);
  EXPECT_EQ(good->level, ProofLevel::replay);
  const auto* bad = proofs->of("v2/Incr-00000813-00000938-1795246378.gz");
  ASSERT_NE(bad, nullptr);
  EXPECT_FALSE(bad->sound);
  const auto read = catalog::parse_proof(as_text(*store->get(bad->key)));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->findings.size(), 1U);
  store->make_read_only();
  EXPECT_FALSE(keep_proofs(*store, *done, Time(std::chrono::seconds(1795250009)), "tidemark test"));
}

// A restore that keeps the history asks the same witnesses, whatever its bump.
TEST_F(Verify, ARestoreWithHistoryMeetsTheSamples) {
  for (const std::int64_t wrong : {0, 812, 938, 5000}) {
    for (const char* bump : {"none", "auto"}) {
      SCOPED_TRACE(fmt::format("{} {}", wrong, bump));
      const auto store = load("00-control-gz/bucket");
      put_samples(*store, wrong);
      const auto origin = restore::store_origin(*store);
      restore::EtcdRestore wish;
      wish.data_dir = scratch_.path() / fmt::format("{}-{}", wrong, bump);
      wish.keep_history = true;
      wish.bump = restore::parse_bump(bump).value();
      class : public restore::Audience {
        Result<bool> approve(const restore::Plan&, bool) override { return true; }
      } audience;
      restore::Steps steps;
      const auto restored = restore::restore_etcd(wish, *origin, audience, system_clock(), steps, {});
      const bool bad = wrong == 812 || wrong == 938;
      EXPECT_EQ(restored.has_value(), !bad);
      if (bad && !restored) {
        EXPECT_THAT(restored.error().what, HasSubstr(fmt::format("HashKV at revision {} is ", wrong)));
      }
    }
  }
}

}  // namespace
}  // namespace tidemark::verify
