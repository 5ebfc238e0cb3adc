#include "etcd/raft_snap.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/proto.h"
#include "etcd/conf_state.h"
#include "etcd/crc32c.h"

namespace tidemark::etcd {

namespace {

using proto::Fields;
using proto::Wire;

// A node of the v2 store. `children`: the inside of an object, or nothing for a leaf. Nodes made at the cluster's
// creation have index 1, those of the bare store 0.
std::string v2_node(std::string_view path, int index, std::string_view value, std::optional<std::string> children) {
  return fmt::format(R"({{"Path":{},"CreatedIndex":{},"ModifiedIndex":{},"ExpireTime":"0001-01-01T00:00:00Z",)"
                     R"("Value":{},"Children":{}}})",
                     json_quoted(path), index, index, json_quoted(value),
                     children ? "{" + *children + "}" : std::string("null"));
}

std::string named_child(std::string_view name, const std::string& node) { return json_quoted(name) + ":" + node; }

std::unexpected<Error> malformed(std::string_view what) {
  return fail(Errc::corrupt, "raft snapshot: {} is not a well-formed message", what);
}

}  // namespace

std::string snap_file_name(std::uint64_t term, std::uint64_t index) {
  return fmt::format("{:016x}-{:016x}.snap", term, index);
}

std::string v2_store_json(const NewCluster& cluster) {
  std::string members;
  for (const NewMember& member : cluster.members) {
    const std::string path = "/0/members/" + hex_id(member.id.raw());
    const std::string urls = "{\"peerURLs\":" + peer_urls_json(member.peer_urls) + "}";
    const std::string attributes = v2_node(path + "/raftAttributes", 1, urls, {});
    if (!members.empty()) members += ',';
    members += named_child(hex_id(member.id.raw()), v2_node(path, 1, "", named_child("raftAttributes", attributes)));
  }
  const std::string zero = v2_node("/0", 0, "", named_child("members", v2_node("/0/members", 1, "", members)));
  const std::string one = v2_node("/1", 0, "", "");
  return fmt::format(R"({{"Root":{},"CurrentIndex":{},"CurrentVersion":2}})",
                     v2_node("/", 0, "", named_child("0", zero) + "," + named_child("1", one)), cluster.members.size());
}

Result<std::vector<MemberId>> v2_store_members(std::string_view json) {
  const auto store = nlohmann::json::parse(json, nullptr, false);
  const nlohmann::json* at = &store;
  for (const char* key : {"Root", "Children", "0", "Children", "members", "Children"}) {
    if (!at->is_object() || !at->contains(key)) return fail(Errc::corrupt, "v2 store: no /0/members");
    at = &(*at)[key];
  }
  std::vector<MemberId> ids;
  if (!at->is_object()) return fail(Errc::corrupt, "v2 store: /0/members has no children");
  for (const auto& item : at->items()) {
    TM_LET(const std::uint64_t id, parse_hex_id(item.key()));
    ids.push_back(MemberId(id));
  }
  std::ranges::sort(ids);
  return ids;
}

Buffer encode_raft_snapshot(const RaftSnapshot& snapshot) {
  Buffer metadata;
  proto::append_field(metadata, 1, encode_conf_state({snapshot.voters, snapshot.learners}));
  proto::append_field(metadata, 2, snapshot.index);
  proto::append_field(metadata, 3, snapshot.term);
  std::string store = snapshot.v2_store;
  for (;;) {
    Buffer message;
    proto::append_field(message, 1, as_bytes(store));
    proto::append_field(message, 2, metadata);
    const std::uint32_t crc = crc32c(0, message);
    if (crc == 0) {  // etcd takes that for an empty file; blanks behind JSON do no harm
      store += ' ';
      continue;
    }
    Buffer file;
    proto::append_field(file, 1, crc);
    proto::append_field(file, 2, message);
    return file;
  }
}

Result<RaftSnapshot> decode_raft_snapshot(Bytes file) {
  if (file.empty()) return fail(Errc::torn, "raft snapshot: empty");
  std::uint64_t crc = 0;
  Bytes message;
  Fields outer(file);
  while (outer.next()) {
    if (outer.is(1, Wire::varint)) crc = outer.value();
    if (outer.is(2, Wire::bytes)) message = outer.bytes();
  }
  // The file is two fields, and the message is the last: what does not parse was cut.
  if (outer.bad() || message.empty()) return fail(Errc::torn, "raft snapshot: cut short at {} bytes", file.size());
  if (const std::uint32_t expected = crc32c(0, message); crc != expected || crc == 0)
    return fail(Errc::corrupt, "raft snapshot: checksum {:08x}, expected {:08x}", crc, expected);

  RaftSnapshot out;
  Fields fields(message);
  while (fields.next()) {
    if (fields.is(1, Wire::bytes)) out.v2_store = as_text(fields.bytes());
    if (!fields.is(2, Wire::bytes)) continue;
    Fields metadata(fields.bytes());
    while (metadata.next()) {
      if (metadata.is(2, Wire::varint)) out.index = metadata.value();
      if (metadata.is(3, Wire::varint)) out.term = metadata.value();
      if (!metadata.is(1, Wire::bytes)) continue;
      TM_LET(ConfState state, decode_conf_state(metadata.bytes()));
      out.voters = std::move(state.voters);
      out.learners = std::move(state.learners);
    }
    if (metadata.bad()) return malformed("its metadata");
  }
  if (fields.bad()) return malformed("it");
  return out;
}

}  // namespace tidemark::etcd
