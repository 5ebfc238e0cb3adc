#include "base/proto.h"
#include "etcd/conf_state.h"
#include "etcd/wal.h"

namespace tidemark::etcd {

namespace {

using proto::Fields;
using proto::Wire;

std::unexpected<Error> malformed(std::string_view what, Bytes payload) {
  return fail(Errc::corrupt, "{} of {} bytes: not a well-formed message", what, payload.size());
}

std::optional<std::uint64_t> parse_hex16(std::string_view digits) {
  if (digits.size() != 16) return {};
  std::uint64_t value = 0;
  for (const char c : digits) {
    const int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
    if (digit < 0) return {};
    value = value << 4 | static_cast<std::uint64_t>(digit);
  }
  return value;
}

constexpr std::string_view kSuffix = ".wal";

}  // namespace

std::string wal_file_name(std::uint64_t sequence, std::uint64_t first_index) {
  return fmt::format("{:016x}-{:016x}{}", sequence, first_index, kSuffix);
}

std::optional<WalFileName> parse_wal_file_name(std::string_view name) {
  if (name.size() != 16 + 1 + 16 + kSuffix.size() || !name.ends_with(kSuffix) || name[16] != '-') return {};
  const auto sequence = parse_hex16(name.substr(0, 16)), index = parse_hex16(name.substr(17, 16));
  if (!sequence || !index) return {};
  return WalFileName{*sequence, *index};
}

Result<WalMetadata> decode_wal_metadata(Bytes payload) {
  WalMetadata out;
  Fields fields(payload);
  while (fields.next()) {
    if (fields.is(1, Wire::varint)) out.node = MemberId(fields.value());
    if (fields.is(2, Wire::varint)) out.cluster = ClusterId(fields.value());
  }
  if (fields.bad()) return malformed("metadata", payload);
  return out;
}

Result<RaftEntry> decode_raft_entry(Bytes payload) {
  RaftEntry out;
  Fields fields(payload);
  while (fields.next()) {
    if (fields.is(1, Wire::varint)) {
      if (fields.value() > static_cast<std::uint64_t>(RaftEntry::Kind::conf_change_v2)) fields.spoil();
      out.kind = static_cast<RaftEntry::Kind>(fields.value());
    }
    if (fields.is(2, Wire::varint)) out.term = fields.value();
    if (fields.is(3, Wire::varint)) out.index = fields.value();
    if (fields.is(4, Wire::bytes)) out.payload = fields.bytes();
  }
  if (fields.bad()) return malformed("entry", payload);
  return out;
}

Result<HardState> decode_hard_state(Bytes payload) {
  HardState out;
  Fields fields(payload);
  while (fields.next()) {
    if (fields.is(1, Wire::varint)) out.term = fields.value();
    if (fields.is(2, Wire::varint)) out.vote = MemberId(fields.value());
    if (fields.is(3, Wire::varint)) out.commit = fields.value();
  }
  if (fields.bad()) return malformed("state", payload);
  return out;
}

Result<WalSnapshot> decode_wal_snapshot(Bytes payload) {
  WalSnapshot out;
  Fields fields(payload);
  while (fields.next()) {
    if (fields.is(1, Wire::varint)) out.index = fields.value();
    if (fields.is(2, Wire::varint)) out.term = fields.value();
    if (fields.is(3, Wire::bytes)) {
      TM_LET(ConfState state, decode_conf_state(fields.bytes()));
      out.voters = std::move(state.voters);
    }
  }
  if (fields.bad()) return malformed("snapshot record", payload);
  return out;
}

}  // namespace tidemark::etcd
