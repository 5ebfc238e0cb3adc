#include "catalog/sidecar.h"

#include "catalog/sidecar_fields.h"

namespace tidemark::catalog {

bool operator==(const SeekTable& a, const SeekTable& b) {
  if (a.object != b.object || a.first_revisions != b.first_revisions || a.members.size() != b.members.size()) {
    return false;
  }
  for (std::size_t i = 0; i < a.members.size(); ++i) {
    if (a.members[i].compressed_offset != b.members[i].compressed_offset ||
        a.members[i].text_offset != b.members[i].text_offset) {
      return false;
    }
  }
  return true;
}

std::string print_sidecar(const Lineage& lineage) {
  Ordered fields = begin("Lineage");
  fields["clusterId"] = hex(lineage.cluster.raw());
  fields["memberId"] = hex(lineage.member.raw());
  fields["firstRevision"] = lineage.first.raw();
  fields["created"] = print_rfc3339_nano(lineage.created);
  fields["number"] = lineage.number;
  return line(fields);
}

Result<Lineage> parse_lineage(std::string_view text) {
  TM_LET(const json parsed, parse_kind("Lineage", text));
  const Fields fields("Lineage", parsed);
  Lineage lineage;
  TM_LET(const std::uint64_t cluster, fields.hex_id("clusterId"));
  TM_LET(const std::uint64_t member, fields.hex_id("memberId"));
  TM_LET(lineage.first, fields.revision("firstRevision"));
  TM_LET(lineage.created, fields.time("created"));
  TM_LET(const std::uint64_t number, fields.number("number", kMax32));
  if (number == 0) return fields.wrong("number", "at least 1");
  lineage.cluster = ClusterId(cluster);
  lineage.member = MemberId(member);
  lineage.number = static_cast<std::uint32_t>(number);
  return lineage;
}

std::string print_sidecar(const LineageSuccessor& successor) {
  Ordered fields = begin("LineageSuccessor");
  fields["number"] = successor.number;
  fields["store"] = successor.store;
  fields["reason"] = successor.reason;
  fields["created"] = print_rfc3339_nano(successor.created);
  fields["clusterId"] = hex(successor.cluster.raw());
  return line(fields);
}

Result<LineageSuccessor> parse_successor(std::string_view text) {
  TM_LET(const json parsed, parse_kind("LineageSuccessor", text));
  const Fields fields("LineageSuccessor", parsed);
  LineageSuccessor successor;
  TM_LET(const std::uint64_t number, fields.number("number", kMax32));
  TM_LET(successor.store, fields.text("store"));
  TM_LET(successor.reason, fields.text("reason"));
  TM_LET(successor.created, fields.time("created"));
  TM_LET(const std::uint64_t cluster, fields.hex_id("clusterId"));
  if (number < 2) return fields.wrong("number", "at least 2");
  // It names a neighbour of this prefix. Anything with a way in it could point anywhere.
  if (successor.store.empty() || successor.store.find('/') != std::string::npos || successor.store.starts_with('.')) {
    return fields.wrong("store", "the name of a folder");
  }
  successor.number = static_cast<std::uint32_t>(number);
  successor.cluster = ClusterId(cluster);
  return successor;
}

std::string print_sidecar(const Claim& claim) {
  Ordered fields = begin("Claim");
  fields["start"] = claim.start.raw();
  fields["epoch"] = claim.epoch;
  fields["recorder"] = claim.recorder;
  fields["object"] = claim.object;
  fields["created"] = print_rfc3339_nano(claim.created);
  return line(fields);
}

Result<Claim> parse_claim(std::string_view text) {
  TM_LET(const json parsed, parse_kind("Claim", text));
  const Fields fields("Claim", parsed);
  Claim claim;
  TM_LET(claim.start, fields.revision("start"));
  TM_LET(const std::uint64_t epoch, fields.number("epoch", kMax32));
  TM_LET(claim.recorder, fields.text("recorder"));
  TM_LET(claim.object, fields.text("object"));
  TM_LET(claim.created, fields.time("created"));
  claim.epoch = static_cast<std::uint32_t>(epoch);
  return claim;
}

std::string print_sidecar(const GapRecord& gap) {
  Ordered fields = begin("Gap");
  fields["first"] = gap.span.first.raw();
  fields["last"] = gap.span.last.raw();
  fields["reason"] = gap.reason;
  fields["created"] = print_rfc3339_nano(gap.created);
  return line(fields);
}

Result<GapRecord> parse_gap(std::string_view text) {
  TM_LET(const json parsed, parse_kind("Gap", text));
  const Fields fields("Gap", parsed);
  GapRecord gap;
  TM_LET(gap.span.first, fields.revision("first"));
  TM_LET(gap.span.last, fields.revision("last"));
  TM_LET(gap.reason, fields.text("reason"));
  TM_LET(gap.created, fields.time("created"));
  if (gap.span.empty()) return fields.wrong("last", "at or behind 'first'");
  if (gap.span.last == Revision(INT64_MAX)) return fields.wrong("last", "a revision that another could follow");
  return gap;
}

std::string print_sidecar(const SeekTable& table) {
  Ordered fields = begin("SeekTable");
  fields["object"] = table.object;
  fields["members"] = Ordered::array();
  for (const io::GzipMember& m : table.members) fields["members"].push_back({m.compressed_offset, m.text_offset});
  if (!table.first_revisions.empty()) {
    for (const Revision r : table.first_revisions) fields["firstRevisions"].push_back(r.raw());
  }
  return line(fields);
}

Result<SeekTable> parse_seek_table(std::string_view text) {
  TM_LET(const json parsed, parse_kind("SeekTable", text));
  const Fields fields("SeekTable", parsed);
  SeekTable table;
  TM_LET(table.object, fields.text("object"));
  TM_CHECK(fields.need("members"));
  TM_LET(const json* members, fields.array("members"));
  for (const json& pair : *members) {
    if (!pair.is_array() || pair.size() != 2 || !pair[0].is_number_unsigned() || !pair[1].is_number_unsigned()) {
      return fields.wrong("members", "an array of [offset, offset]");
    }
    const io::GzipMember member{pair[0].get<std::uint64_t>(), pair[1].get<std::uint64_t>()};
    // A reader searches in it: offsets that do not grow would send it in circles.
    if (!table.members.empty() && (member.compressed_offset <= table.members.back().compressed_offset ||
                                   member.text_offset < table.members.back().text_offset)) {
      return fields.wrong("members", "in growing order");
    }
    table.members.push_back(member);
  }
  TM_LET(const json* firsts, fields.array("firstRevisions"));
  for (const json& first : *firsts) {
    if (!first.is_number_unsigned() || first.get<std::uint64_t>() > std::numeric_limits<std::int64_t>::max()) {
      return fields.wrong("firstRevisions", "an array of revisions");
    }
    table.first_revisions.emplace_back(first.get<std::int64_t>());
  }
  if (!table.first_revisions.empty() && table.first_revisions.size() != table.members.size()) {
    return fields.wrong("firstRevisions", "as long as 'members'");
  }
  return table;
}

std::string print_sidecar(const State& state) {
  Ordered fields = begin("State");
  fields["object"] = state.object;
  fields["revision"] = state.revision.raw();
  if (state.hash_kv) {
    fields["hashKv"] = Ordered{{"hash", state.hash_kv->hash},
                               {"revision", state.hash_kv->revision.raw()},
                               {"compactRevision", state.hash_kv->compact_revision.raw()}};
  }
  fields["leases"] = Ordered::array();
  for (const LeaseRecord& lease : state.leases) {
    fields["leases"].push_back(Ordered{{"id", hex(static_cast<std::uint64_t>(lease.id.raw()))},
                                       {"ttl", lease.ttl_s},
                                       {"remaining", lease.remaining_s}});
  }
  fields["members"] = Ordered::array();
  for (const MemberRecord& member : state.members) {
    fields["members"].push_back(Ordered{{"id", hex(member.id.raw())},
                                        {"name", member.name},
                                        {"peerUrls", member.peer_urls},
                                        {"clientUrls", member.client_urls},
                                        {"learner", member.learner}});
  }
  fields["version"] = state.version;
  fields["storageVersion"] = state.storage_version;
  fields["dbSize"] = state.db_size;
  fields["rawSha256"] = state.raw_sha256;
  return line(fields);
}

namespace {

Result<LeaseRecord> parse_lease(const json& item) {
  if (!item.is_object()) return fail(Errc::corrupt, "State: field 'leases' is not an array of objects");
  const Fields fields("State: leases", item);
  LeaseRecord lease;
  TM_LET(const std::uint64_t id, fields.hex_id("id"));
  TM_LET(lease.ttl_s, fields.whole("ttl"));
  TM_LET(lease.remaining_s, fields.whole("remaining"));
  lease.id = LeaseId(static_cast<std::int64_t>(id));
  return lease;
}

Result<MemberRecord> parse_member(const json& item) {
  if (!item.is_object()) return fail(Errc::corrupt, "State: field 'members' is not an array of objects");
  const Fields fields("State: members", item);
  MemberRecord member;
  TM_LET(const std::uint64_t id, fields.hex_id("id"));
  TM_LET(member.name, fields.text_or_empty("name"));
  TM_LET(member.peer_urls, fields.texts("peerUrls"));
  TM_LET(member.client_urls, fields.texts("clientUrls"));
  TM_LET(member.learner, fields.flag_or_false("learner"));
  member.id = MemberId(id);
  return member;
}

Result<HashSample> parse_hash(const json& item) {
  if (!item.is_object()) return fail(Errc::corrupt, "State: field 'hashKv' is not an object");
  const Fields fields("State: hashKv", item);
  HashSample sample;
  TM_LET(const std::uint64_t hash, fields.number("hash", kMax32));
  TM_LET(sample.revision, fields.revision("revision"));
  // -1: never compacted, which is what etcd says then.
  TM_LET(const std::int64_t compact, fields.whole("compactRevision"));
  if (compact < -1) return fields.wrong("compactRevision", "a revision or -1");
  sample.compact_revision = Revision(compact);
  sample.hash = static_cast<std::uint32_t>(hash);
  return sample;
}

}  // namespace

Result<State> parse_state(std::string_view text) {
  TM_LET(const json parsed, parse_kind("State", text));
  const Fields fields("State", parsed);
  State state;
  TM_LET(state.object, fields.text("object"));
  TM_LET(state.revision, fields.revision("revision"));
  if (parsed.contains("hashKv")) {
    TM_LET(state.hash_kv, parse_hash(parsed["hashKv"]));
  }
  TM_LET(const json* leases, fields.array("leases"));
  for (const json& item : *leases) {
    TM_LET(LeaseRecord lease, parse_lease(item));
    state.leases.push_back(lease);
  }
  TM_LET(const json* members, fields.array("members"));
  for (const json& item : *members) {
    TM_LET(MemberRecord member, parse_member(item));
    state.members.push_back(std::move(member));
  }
  TM_LET(state.version, fields.text_or_empty("version"));
  TM_LET(state.storage_version, fields.text_or_empty("storageVersion"));
  if (parsed.contains("dbSize")) {
    TM_LET(state.db_size, fields.number("dbSize", kAnyNumber));
  }
  TM_LET(state.raw_sha256, fields.text_or_empty("rawSha256"));
  return state;
}

}  // namespace tidemark::catalog
