#include "etcd/database.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/proto.h"
#include "etcd/row.h"

namespace tidemark::etcd {

namespace {

using bolt::Element;
using proto::Fields;
using proto::Wire;

// A missing bucket is an empty one: etcd makes it at its start.
Status each_in(const bolt::Reader& database, std::string_view bucket_name,
               const std::function<Status(const Element&)>& each) {
  auto bucket = database.bucket(bucket_name);
  if (!bucket && bucket.error().code == Errc::not_found) return {};
  if (!bucket) return std::unexpected(std::move(bucket).error());
  return database.for_each(*bucket, [&](const Element& element) {
    return named(fmt::format("{}: bucket {}, key {}", database.name(), bucket_name, to_hex(element.key)),
                 each(element));
  });
}

Result<std::uint64_t> be64(Bytes value) {
  if (value.size() != 8) return fail(Errc::corrupt, "{} bytes, expected 8", value.size());
  return load_be<std::uint64_t>(value);
}

Result<Revision> revision_value(Bytes value) {
  TM_LET(const RowId id, decode_row_key(value));
  return id.main;
}

struct MetaValues {
  Revision finished{kNeverCompacted}, scheduled{kNeverCompacted};
  std::optional<std::uint64_t> consistent_index, term;
  std::string storage_version;
};

Result<MetaValues> read_meta(const bolt::Reader& database) {
  MetaValues meta;
  TM_CHECK(each_in(database, "meta", [&](const Element& element) -> Status {
    const std::string_view key = as_text(element.key);
    if (key == "finishedCompactRev") {
      TM_LET(meta.finished, revision_value(element.value));
    } else if (key == "scheduledCompactRev") {
      TM_LET(meta.scheduled, revision_value(element.value));
    } else if (key == "consistent_index") {
      TM_LET(meta.consistent_index, be64(element.value));
    } else if (key == "term") {
      TM_LET(meta.term, be64(element.value));
    } else if (key == "storageVersion") {
      meta.storage_version = as_text(element.value);
    }
    return {};
  }));
  return meta;
}

Result<LeaseState> decode_lease(const Element& element) {
  LeaseState lease;
  Fields fields(element.value);
  while (fields.next()) {
    if (fields.is(1, Wire::varint)) lease.id = LeaseId(fields.signed_value());
    if (fields.is(2, Wire::varint)) lease.granted_ttl_s = fields.signed_value();
    if (fields.is(3, Wire::varint)) lease.remaining_ttl_s = fields.signed_value();
  }
  if (fields.bad()) return fail(Errc::corrupt, "lease is not a well-formed message");
  TM_LET(const std::uint64_t id, be64(element.key));
  if (static_cast<std::uint64_t>(lease.id.raw()) != id)
    return fail(Errc::corrupt, "holds lease {:x}", static_cast<std::uint64_t>(lease.id.raw()));
  return lease;
}

Result<Alarm> decode_alarm(Bytes key) {
  Alarm alarm;
  Fields fields(key);
  while (fields.next()) {
    if (fields.is(1, Wire::varint)) alarm.member = MemberId(fields.value());
    if (fields.is(2, Wire::varint)) alarm.kind = static_cast<AlarmKind>(fields.signed_value());
  }
  if (fields.bad()) return fail(Errc::corrupt, "alarm is not a well-formed message");
  return alarm;
}

std::vector<std::string> text_list(const nlohmann::json& object, const char* key) {
  std::vector<std::string> out;
  if (const auto it = object.find(key); it != object.end() && it->is_array())
    for (const auto& item : *it)
      if (item.is_string()) out.push_back(item.get<std::string>());
  return out;
}

Result<ClusterMember> decode_member(const Element& element) {
  TM_LET(const std::uint64_t id, parse_hex_id(as_text(element.key)));
  const std::string_view text = as_text(element.value);
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object() || !json.contains("id") || !json["id"].is_number_integer())
    return fail(Errc::corrupt, "member is not a JSON object with an id");
  ClusterMember member;
  member.id = MemberId(json["id"].get<std::uint64_t>());
  if (member.id.raw() != id) return fail(Errc::corrupt, "holds member {}", hex_id(member.id.raw()));
  if (const auto it = json.find("name"); it != json.end() && it->is_string()) member.name = it->get<std::string>();
  if (const auto it = json.find("isLearner"); it != json.end() && it->is_boolean()) member.is_learner = it->get<bool>();
  member.peer_urls = text_list(json, "peerURLs");
  member.client_urls = text_list(json, "clientURLs");
  return member;
}

Status read_auth(const bolt::Reader& database, DatabaseState& state) {
  TM_CHECK(each_in(database, "auth", [&](const Element& element) -> Status {
    const std::string_view key = as_text(element.key);
    if (key == "authEnabled") state.auth_enabled = element.value.size() == 1 && element.value[0] == std::byte{1};
    if (key == "authRevision") {
      TM_LET(state.auth_revision, be64(element.value));
    }
    return {};
  }));
  TM_CHECK(each_in(database, "authUsers", [&](const Element&) -> Status { return state.auth_users++, Status{}; }));
  return each_in(database, "authRoles", [&](const Element&) -> Status { return state.auth_roles++, Status{}; });
}

Status read_membership(const bolt::Reader& database, DatabaseState& state) {
  TM_CHECK(each_in(database, "members", [&](const Element& element) -> Status {
    TM_LET(ClusterMember member, decode_member(element));
    state.members.push_back(std::move(member));
    return {};
  }));
  TM_CHECK(each_in(database, "members_removed", [&](const Element& element) -> Status {
    TM_LET(const std::uint64_t id, parse_hex_id(as_text(element.key)));
    state.removed_members.push_back(MemberId(id));
    return {};
  }));
  return each_in(database, "cluster", [&](const Element& element) -> Status {
    if (as_text(element.key) == "clusterVersion") state.cluster_version = as_text(element.value);
    if (as_text(element.key) == "downgrade") state.downgrade = as_text(element.value);
    return {};
  });
}

Result<Compaction> compaction_from(const bolt::Reader& database, const MetaValues& meta) {
  auto rows = database.bucket("key");
  if (!rows && rows.error().code == Errc::not_found)
    return fail(Errc::corrupt, "{}: no bucket 'key': not a database of etcd", database.name());
  if (!rows) return std::unexpected(std::move(rows).error());
  TM_LET(const std::optional<Element> last, database.last(*rows));
  Compaction out;
  if (last) {
    TM_LET(const RowId id, named(database.name(), decode_row_key(last->key)));
    out.last_row = id.main;
  }
  out.finished = meta.finished;
  out.scheduled = meta.scheduled;
  out.revision = std::max({Revision(1), out.last_row, out.finished, out.scheduled});
  return out;
}

}  // namespace

Result<Compaction> read_compaction(const bolt::Reader& database) {
  TM_LET(const MetaValues meta, read_meta(database));
  return compaction_from(database, meta);
}

Result<DatabaseState> read_state(const bolt::Reader& database) {
  DatabaseState state;
  TM_LET(MetaValues meta, read_meta(database));
  TM_LET(const Compaction compaction, compaction_from(database, meta));
  state.revision = compaction.revision;
  state.last_row = compaction.last_row;
  state.finished_compaction = compaction.finished;
  state.scheduled_compaction = compaction.scheduled;
  state.consistent_index = meta.consistent_index;
  state.term = meta.term;
  state.storage_version = std::move(meta.storage_version);

  TM_CHECK(each_in(database, "lease", [&](const Element& element) -> Status {
    TM_LET(const LeaseState lease, decode_lease(element));
    state.leases.push_back(lease);
    return {};
  }));
  TM_CHECK(each_in(database, "alarm", [&](const Element& element) -> Status {
    TM_LET(const Alarm alarm, decode_alarm(element.key));
    state.alarms.push_back(alarm);
    return {};
  }));
  TM_CHECK(read_auth(database, state));
  TM_CHECK(read_membership(database, state));
  return state;
}

}  // namespace tidemark::etcd
