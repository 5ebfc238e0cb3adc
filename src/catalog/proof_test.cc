#include "catalog/proof.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/testing/source_dir.h"
#include "io/file.h"
#include "store/testing/mem_store.h"

namespace tidemark::catalog {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view kObject = "v2/Incr-00000309-00000434-1795246365.gz";

Proof example() {
  return {.object = std::string(kObject),
          .level = ProofLevel::replay,
          .sound = true,
          .when = Time(std::chrono::seconds(1795250000)),
          .size = 20221,
          .reach = Revision(938),
          .samples = 2,
          .findings = {},
          .program = "tidemark 0.1.0"};
}

std::string sidecar_of_disk(const char* file) {
  const auto text = io::read_file(io::Path(tidemark::testing::source_dir()) / "testdata/sidecars" / file, 4096);
  EXPECT_TRUE(text) << file;
  return text ? std::string(as_text(*text)) : std::string();
}

TEST(Proof, GoldenOfVersionOne) {
  EXPECT_EQ(sidecar_of_disk("v1-summed-proof.json"), print_sidecar(example()));
  for (const char* file : {"v1-proof.json", "v1-summed-proof.json"}) {
    const auto parsed = parse_proof(sidecar_of_disk(file));
    ASSERT_TRUE(parsed) << parsed.error().what;
    EXPECT_EQ(*parsed, example());
  }
}

TEST(Proof, BadOnesAreRefused) {
  const std::string good = sidecar_of_disk("v1-proof.json");  // without a checksum: each field speaks for itself
  const std::tuple<std::string, std::string, Errc, const char*> rows[] = {
      {"\"formatVersion\":1", "\"formatVersion\":2", Errc::unsupported, "newer"},
      {"\"kind\":\"Proof\"", "\"kind\":\"State\"", Errc::corrupt, "kind"},
      {"\"replay\"", "\"boot\"", Errc::corrupt, "level"},
      {"\"sound\":true", "\"sound\":1", Errc::corrupt, "sound"},
      {"\"size\":20221", "\"size\":-1", Errc::corrupt, "size"},
      {"\"samples\":2", "\"samples\":\"2\"", Errc::corrupt, "samples"},
      {"\"findings\":[]", "\"findings\":[1]", Errc::corrupt, "findings"},
      {"2026-11-21", "2026-13-21", Errc::corrupt, "time"},
  };
  for (const auto& [what, instead, code, words] : rows) {
    std::string text = good;
    ASSERT_NE(text.find(what), std::string::npos) << what;
    text.replace(text.find(what), what.size(), instead);
    const auto parsed = parse_proof(text);
    ASSERT_FALSE(parsed) << instead;
    EXPECT_EQ(parsed.error().code, code) << instead;
    EXPECT_THAT(parsed.error().what, HasSubstr(words));
  }
  for (std::size_t n = 0; n + 1 < good.size(); ++n) EXPECT_FALSE(parse_proof(good.substr(0, n))) << n;
  std::string summed = sidecar_of_disk("v1-summed-proof.json");
  summed.replace(summed.find("true"), 4, "null");
  EXPECT_THAT(parse_proof(summed).error().what, HasSubstr("its bytes are not those that were written"));
}

TEST(Proof, KeysSayAll) {
  const std::string key = proof_key(example());
  EXPECT_EQ(key, "tidemark/proofs/Incr-00000309-00000434-1795246365.gz/001795250000-replay-sound.json");
  const auto mark = parse_proof_key(key);
  ASSERT_TRUE(mark);
  EXPECT_EQ(mark->object_name, "Incr-00000309-00000434-1795246365.gz");
  EXPECT_EQ(mark->level, ProofLevel::replay);
  EXPECT_TRUE(mark->sound);
  EXPECT_EQ(mark->when, example().when);
  for (const char* bad :
       {"tidemark/proofs/readme.txt", "tidemark/proofs//001795250000-replay-sound.json",
        "tidemark/proofs/a/1-replay-sound.json", "tidemark/proofs/a/00179525000x-replay-sound.json",
        "tidemark/proofs/a/-01795250000-replay-sound.json", "tidemark/proofs/a/001795250000-boot-sound.json",
        "tidemark/proofs/a/001795250000-replay-fine.json", "tidemark/proofs/a/001795250000-replay-sound.txt",
        "tidemark/state/a/001795250000-replay-sound.json", "tidemark/proofs/a/001795250000-replay.json"}) {
    EXPECT_FALSE(parse_proof_key(bad)) << bad;
  }
}

struct Said {
  std::int64_t at;
  ProofLevel level;
  bool sound;
};
struct ShownRow {
  const char* name;
  std::vector<Said> said;
  std::int64_t shown;  // which of them; 0: none
};

TEST(Proof, WhatIsShown) {
  const ShownRow rows[] = {
      {"nothing", {}, 0},
      {"one", {{1, ProofLevel::digest, true}}, 1},
      {"the highest level", {{1, ProofLevel::replay, true}, {2, ProofLevel::digest, true}}, 1},
      {"the newest of a level", {{1, ProofLevel::replay, true}, {2, ProofLevel::replay, true}}, 2},
      {"a later failure", {{1, ProofLevel::replay, true}, {2, ProofLevel::digest, false}}, 2},
      {"a failure that was overcome", {{1, ProofLevel::structure, false}, {2, ProofLevel::replay, true}}, 2},
      {"an easier check overcomes nothing", {{1, ProofLevel::structure, false}, {2, ProofLevel::digest, true}}, 1},
  };
  for (const ShownRow& row : rows) {
    SCOPED_TRACE(row.name);
    store::testing::MemStore store;
    for (const Said& said : row.said) {
      Proof proof = example();
      proof.level = said.level;
      proof.sound = said.sound;
      proof.when = Time(std::chrono::seconds(said.at));
      ASSERT_TRUE(store.put(proof_key(proof), as_bytes(print_sidecar(proof))));
    }
    const auto proofs = Proofs::read(store);
    ASSERT_TRUE(proofs);
    const ProofMark* shown = proofs->of(kObject);
    EXPECT_EQ(shown == nullptr ? Time{} : shown->when, Time(std::chrono::seconds(row.shown)));
  }
}

TEST(Proof, AreBoundedInNumber) {
  store::testing::MemStore store;
  for (std::int64_t at = 1; at <= 20; ++at) {
    Proof proof = example();
    proof.level = at % 3 == 0 ? ProofLevel::digest : at % 3 == 1 ? ProofLevel::structure : ProofLevel::replay;
    proof.sound = at % 2 == 0;
    proof.when = Time(std::chrono::seconds(at));
    const auto known = Proofs::read(store);
    ASSERT_TRUE(known);
    ASSERT_TRUE(keep_proof(store, proof, *known));
    ASSERT_TRUE(keep_proof(store, proof, *known)) << "again within the second";
    EXPECT_LE(store.list(kProofPrefix)->size(), 3U);
  }
  EXPECT_EQ(store.list(kProofPrefix)->size(), 3U);
}

}  // namespace
}  // namespace tidemark::catalog
