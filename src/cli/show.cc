// tidemark show: one point, what its sidecars know about it, and the chain that leads to it.
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <ostream>

#include "base/rfc3339.h"
#include "catalog/sidecar.h"
#include "cli/history.h"
#include "cli/object_reading.h"
#include "cli/output.h"
#include "cli/points.h"
#include "cli/program.h"
#include "cli/verbs.h"

namespace tidemark::cli {
namespace {

using catalog::Point;
using catalog::Timeline;
using Json = nlohmann::ordered_json;

struct ShowWish {
  std::string store;
  std::string point;
  Format format = Format::table;
};

struct Details {
  const Point* point = nullptr;
  std::vector<const Point*> chain;
  std::vector<RevisionSpan> restorable;
  std::optional<catalog::State> state;
  std::optional<catalog::SeekTable> seek;
  std::optional<catalog::Proof> proof;  // the one that counts
  std::string proof_text;               // empty: a place that keeps no proofs
  std::vector<std::string> left_out;
  std::vector<std::string> damaged;  // sidecars that cannot be read
};

template <class T>
Result<std::optional<T>> sidecar(store::ObjectStore& store, const std::string& key,
                                 Result<T> (*parse)(std::string_view), std::vector<std::string>& damaged) {
  const auto body = store.get(key, catalog::kMaxSidecarBytes);
  if (!body && body.error().code == Errc::not_found) return std::nullopt;
  if (!body && body.error().code == Errc::denied) {
    damaged.push_back(body.error().what);  // encrypted: its name is all that is known without an identity
    return std::nullopt;
  }
  if (!body) return std::unexpected(body.error());
  auto parsed = parse(as_text(*body));
  if (parsed) return *std::move(parsed);
  damaged.push_back(key + ": " + parsed.error().what);
  return std::nullopt;
}

std::string print_table(const Details& d) {
  const Point& p = *d.point;
  std::string text;
  const auto line = [&](std::string_view name, std::string_view value) {
    text += fmt::format("{:<12}{}\n", name, value);
  };
  line("object", p.key);
  line("kind", kind_word(p.name.kind));
  line("revisions", revisions_of(p));
  line("created", print_rfc3339(catalog::created(p.name)));
  line("size",
       fmt::format("{} ({} bytes), compression {}", human_size(p.size), p.size, codec_word(p.name.compression)));
  line("state", state_word(p, d.restorable));
  if (p.name.final_mark) line("final", "marked: the last full before a control plane moved");
  for (std::size_t i = 0; i < d.chain.size(); ++i) line(i == 0 ? "chain" : "", d.chain[i]->key);
  if (d.chain.empty()) line("chain", "none: no full leads to it");
  if (d.state) {
    line("etcd",
         d.state->version + (d.state->storage_version.empty() ? "" : ", storage version " + d.state->storage_version));
    if (d.state->db_size != 0) line("database", human_size(d.state->db_size));
    if (!d.state->raw_sha256.empty()) line("sha256", d.state->raw_sha256 + " (uncompressed)");
    if (const auto& hash = d.state->hash_kv) {
      line("hashkv",
           fmt::format("{} at revision {}, compacted at {}", hash->hash, hash->revision, hash->compact_revision));
    }
    line("leases", fmt::format("{}", d.state->leases.size()));
    for (const catalog::MemberRecord& m : d.state->members) {
      line("member", fmt::format("{:x} {}{}", m.id.raw(), m.name, m.learner ? " (learner)" : ""));
    }
  }
  for (const std::string& what : d.left_out) line("left out", what);
  if (!d.proof_text.empty()) line("proof", d.proof_text);
  if (d.proof && d.proof->level == catalog::ProofLevel::replay) {
    line("", fmt::format("rebuilt up to revision {}, {} HashKV answers met", d.proof->reach, d.proof->samples));
  }
  if (d.proof) {
    for (const std::string& finding : d.proof->findings) line("finding", finding);
  }
  if (d.seek) line("seekable", fmt::format("{} parts", d.seek->members.size()));
  for (const std::string& what : d.damaged) line("damaged", what);
  return text;
}

// Without what belongs to the file alone.
template <class T>
Json sidecar_fields(const std::optional<T>& sidecar) {
  if (!sidecar) return nullptr;
  Json fields = Json::parse(catalog::print_sidecar(*sidecar));
  fields.erase("crc32c");
  return fields;
}

Json to_json(const Details& d) {
  Json all{{"kind", "Point"}, {"formatVersion", 1}};
  all["point"] = point_fields(*d.point, d.restorable);
  all["chain"] = Json::array();
  for (const Point* p : d.chain) all["chain"].push_back(p->key);
  all["state"] = sidecar_fields(d.state);
  all["seekParts"] = d.seek ? Json(d.seek->members.size()) : Json(nullptr);
  all["proof"] = sidecar_fields(d.proof);
  all["leftOut"] = d.left_out;
  all["damaged"] = d.damaged;
  return all;
}

Status read_sidecars(store::ObjectStore& store, Details& d) {
  TM_LET(d.state, sidecar(store, catalog::state_key(d.point->key), catalog::parse_state, d.damaged));
  TM_LET(d.seek, sidecar(store, catalog::seek_key(d.point->key), catalog::parse_seek_table, d.damaged));
  TM_LET(const auto proofs, catalog::Proofs::read(store));
  const catalog::ProofMark* proof = proofs.of(d.point->key);
  d.proof_text = proof == nullptr ? "none: tidemark verify reads it back" : proof_words(proof);
  if (proof == nullptr) return {};
  TM_LET(d.proof, sidecar(store, proof->key, catalog::parse_proof, d.damaged));
  return {};
}

// A moment is shown by the object that holds its revision.
Result<std::string> point_word(Program& program, const ShowWish& wish, restore::Origin& from) {
  if (!history::asks_history(wish.point)) return wish.point;
  TM_LET(const io::TempDir scratch, io::TempDir::create());
  TM_LET(const restore::Target target,
         target_anywhere(program, "POINT", wish.point, ObjectReading(), from, moment_options(program, scratch.path())));
  return restore::print_target(target);
}

Result<Exit> show(Program& program, const ShowWish& wish) {
  TM_LET(const History history, open_history(program, wish.store));
  TM_LET(const Timeline timeline, timeline_of(history));
  Details d;
  TM_LET(const std::string point, point_word(program, wish, *history.origin));
  TM_LET(d.point, named(history.origin->url(), find_point(timeline, point)));
  d.chain = catalog::chain_to(timeline, *d.point);
  d.restorable = catalog::restorable(timeline);
  d.left_out = history.origin->left_out();
  if (history.store) TM_CHECK(read_sidecars(*history.store, d));
  switch (wish.format) {
    case Format::json: program.out() << print_json(to_json(d)); break;
    case Format::yaml: program.out() << print_yaml(to_json(d)); break;
    case Format::name: program.out() << d.point->key << "\n"; break;
    case Format::table:
    case Format::wide: program.out() << print_table(d); break;
  }
  return Exit::done;
}

}  // namespace

void add_show(Program& program) {
  auto wish = std::make_shared<ShowWish>();
  CLI::App& app = program.verb("show", "one point: span, time, size, digests, the chain that leads to it",
                               "tidemark show latest --store dir:/backups/prod\n"
                               "tidemark show rev:1234 --store dir:/backups/prod          # the object that holds it\n"
                               "tidemark show Full-00000000-00000308-1795246362.gz --store dir:/backups/prod\n",
                               [wish](Program& p) { return show(p, *wish); });
  app.add_option("POINT", wish->point, "an object's name, a revision, latest, or before:delete:KIND/NAME")->required();
  program.add_store(app, wish->store);
  program.add_format(app, wish->format);
}

}  // namespace tidemark::cli
