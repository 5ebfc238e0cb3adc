#include "catalog/proof.h"

#include <algorithm>
#include <charconv>

#include "catalog/sidecar_fields.h"

namespace tidemark::catalog {
namespace {

constexpr ProofLevel kLevels[] = {ProofLevel::digest, ProofLevel::structure, ProofLevel::replay};

std::string_view last_part(std::string_view key) {
  const std::size_t slash = key.rfind('/');
  return slash == std::string_view::npos ? key : key.substr(slash + 1);
}

std::int64_t unix_seconds(Time when) {
  return std::chrono::floor<std::chrono::seconds>(when).time_since_epoch().count();
}

// Takes everything before the first `mark` off the front of `text`; nullopt without one.
std::optional<std::string_view> take_until(std::string_view& text, char mark) {
  const std::size_t at = text.find(mark);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view part = text.substr(0, at);
  text.remove_prefix(at + 1);
  return part;
}

}  // namespace

std::string_view level_word(ProofLevel level) {
  switch (level) {
    case ProofLevel::digest: return "digest";
    case ProofLevel::structure: return "structure";
    case ProofLevel::replay: return "replay";
  }
  return "digest";
}

std::optional<ProofLevel> parse_level(std::string_view word) {
  for (const ProofLevel level : kLevels) {
    if (level_word(level) == word) return level;
  }
  return std::nullopt;
}

std::string print_sidecar(const Proof& proof) {
  Ordered fields = begin("Proof");
  fields["object"] = proof.object;
  fields["level"] = level_word(proof.level);
  fields["sound"] = proof.sound;
  fields["time"] = print_rfc3339_nano(proof.when);
  fields["size"] = proof.size;
  fields["reach"] = proof.reach.raw();
  fields["samples"] = proof.samples;
  fields["findings"] = proof.findings;
  fields["program"] = proof.program;
  return line(fields);
}

Result<Proof> parse_proof(std::string_view text) {
  TM_LET(const json parsed, parse_kind("Proof", text));
  const Fields fields("Proof", parsed);
  Proof proof;
  TM_LET(proof.object, fields.text("object"));
  TM_LET(const std::string word, fields.text("level"));
  const auto level = parse_level(word);
  if (!level) return fields.wrong("level", "digest, structure or replay");
  proof.level = *level;
  TM_LET(const json* sound, fields.need("sound"));
  if (!sound->is_boolean()) return fields.wrong("sound", "true or false");
  proof.sound = sound->get<bool>();
  TM_LET(proof.when, fields.time("time"));
  TM_LET(proof.size, fields.number("size", kAnyNumber));
  TM_LET(proof.reach, fields.revision("reach"));
  TM_LET(proof.samples, fields.number("samples", kAnyNumber));
  TM_LET(proof.findings, fields.texts("findings"));
  TM_LET(proof.program, fields.text_or_empty("program"));
  return proof;
}

std::string proof_key(const Proof& proof) {
  return fmt::format("{}{}/{:012}-{}-{}.json", kProofPrefix, last_part(proof.object), unix_seconds(proof.when),
                     level_word(proof.level), proof.sound ? "sound" : "bad");
}

std::optional<ProofMark> parse_proof_key(std::string_view key) {
  if (!key.starts_with(kProofPrefix) || !key.ends_with(".json")) return std::nullopt;
  std::string_view rest = key.substr(kProofPrefix.size(), key.size() - kProofPrefix.size() - 5);
  const auto object = take_until(rest, '/');
  const auto seconds = take_until(rest, '-');
  const auto word = take_until(rest, '-');
  if (!object || object->empty() || !seconds || seconds->size() != 12 || !word) return std::nullopt;
  ProofMark mark{.key = std::string(key), .object_name = std::string(*object), .level = {}, .sound = {}, .when = {}};
  std::int64_t unix_s = 0;
  const auto [end, error] = std::from_chars(seconds->data(), seconds->data() + seconds->size(), unix_s);
  if (error != std::errc{} || end != seconds->data() + seconds->size() || unix_s < 0) return std::nullopt;
  // A Time reaches to the year 2262.
  constexpr std::int64_t kMost = std::chrono::floor<std::chrono::seconds>(Time::max()).time_since_epoch().count();
  mark.when = Time(std::chrono::seconds(std::min(unix_s, kMost)));
  const auto level = parse_level(*word);
  if (!level || (rest != "sound" && rest != "bad")) return std::nullopt;
  mark.level = *level;
  mark.sound = rest == "sound";
  return mark;
}

Result<Proofs> Proofs::read(store::ObjectStore& store) {
  Proofs proofs;
  TM_LET(const auto objects, store.list(kProofPrefix));
  for (const store::ObjectInfo& object : objects) {
    if (auto mark = parse_proof_key(object.key)) {
      proofs.by_object_[mark->object_name].push_back(*std::move(mark));
    }
  }
  for (auto& [name, marks] : proofs.by_object_) std::ranges::stable_sort(marks, {}, &ProofMark::when);
  return proofs;
}

const ProofMark* Proofs::of(std::string_view object_key) const {
  const auto found = by_object_.find(last_part(object_key));
  if (found == by_object_.end()) return nullptr;
  const ProofMark* best = nullptr;
  for (const ProofMark& mark : found->second) {
    // What failed once and passed the same checks since is good again; an easier check proves nothing against it.
    const bool shown = best == nullptr || !mark.sound || mark.level >= best->level;
    if (shown) best = &mark;
  }
  return best;
}

std::vector<std::string> Proofs::keys_of(std::string_view object_key, ProofLevel level) const {
  std::vector<std::string> keys;
  const auto found = by_object_.find(last_part(object_key));
  if (found == by_object_.end()) return keys;
  for (const ProofMark& mark : found->second) {
    if (mark.level == level) keys.push_back(mark.key);
  }
  return keys;
}

Status keep_proof(store::ObjectStore& store, const Proof& proof, const Proofs& known) {
  const std::string key = proof_key(proof);
  auto put = store.put(key, as_bytes(print_sidecar(proof)));
  // Twice within a second: the first one stands.
  if (!put && put.error().code != Errc::already_exists) return put;
  for (const std::string& old : known.keys_of(proof.object, proof.level)) {
    if (old == key) continue;
    // One too many is no harm, and a store that forbids removals keeps them all.
    if (auto removed = store.remove(old); !removed && removed.error().code == Errc::unavailable) return removed;
  }
  return {};
}

}  // namespace tidemark::catalog
