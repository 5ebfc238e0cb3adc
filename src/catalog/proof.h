// What was proven about an object, kept as data beside it: which checks it passed or failed, and when.
//
// tidemark/proofs/<object's name>/<unix seconds, 12 digits>-<level>-<sound|bad>.json, created once, never changed. All
// that a listing shows is in the key. Bounded: a new proof of a level replaces the older ones of that level, so an
// object has at most three (and a fourth for the moment of a crash). Byte table: doc/format/sidecars.md.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"
#include "base/result.h"
#include "store/object_store.h"

namespace tidemark::catalog {

// Each includes those before it.
enum class ProofLevel {
  digest,     // every byte was read back; checksums and digests are right
  structure,  // and it is what its name says, by the rules of its format
  replay,     // and a restore through it gave what etcd itself had: every recorded HashKV was met
};
std::string_view level_word(ProofLevel level);  // "digest", "structure", "replay"
std::optional<ProofLevel> parse_level(std::string_view word);

struct Proof {
  std::string object;  // key
  ProofLevel level = ProofLevel::digest;
  bool sound = true;
  Time when;
  std::uint64_t size = 0;     // of the object as it was read
  Revision reach;             // level replay: the revision that was rebuilt through it; else 0
  std::uint64_t samples = 0;  // level replay: how many recorded HashKV answers were met on the way
  std::vector<std::string> findings;
  std::string program;  // "tidemark 0.1.0"
  friend bool operator==(const Proof&, const Proof&) = default;
};

std::string print_sidecar(const Proof& proof);
Result<Proof> parse_proof(std::string_view text);

inline constexpr std::string_view kProofPrefix = "tidemark/proofs/";
std::string proof_key(const Proof& proof);

// What a key alone says.
struct ProofMark {
  std::string key;
  std::string object_name;  // the last part of the object's key
  ProofLevel level = ProofLevel::digest;
  bool sound = true;
  Time when;
};
std::optional<ProofMark> parse_proof_key(std::string_view key);

// All proofs of a store, by the object they are about; keys that are none are passed over.
class Proofs {
 public:
  static Result<Proofs> read(store::ObjectStore& store);
  bool empty() const { return by_object_.empty(); }
  // What to show for an object: a failure when nothing newer speaks against it, else the proof of the highest level.
  // nullptr: never verified.
  const ProofMark* of(std::string_view object_key) const;
  // Of the same object and level.
  std::vector<std::string> keys_of(std::string_view object_key, ProofLevel level) const;

 private:
  std::map<std::string, std::vector<ProofMark>, std::less<>> by_object_;  // by time
};

// Writes the proof, then removes those of `known` that it replaces. Errc::denied: the store cannot be written to.
Status keep_proof(store::ObjectStore& store, const Proof& proof, const Proofs& known);

}  // namespace tidemark::catalog
