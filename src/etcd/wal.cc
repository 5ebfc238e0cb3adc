#include "etcd/wal.h"

#include <algorithm>

#include "base/proto.h"
#include "etcd/conf_state.h"
#include "etcd/crc32c.h"

namespace tidemark::etcd {

namespace {

using proto::Fields;
using proto::Wire;

constexpr std::size_t kFrameSize = 8;
constexpr std::size_t kSector = 512;
constexpr unsigned kPadShift = 56;
constexpr std::uint64_t kPadMark = 0x80;

struct Parsed {
  std::uint64_t type = 0;
  std::uint32_t crc = 0;
  Bytes payload;
};

// The checksum covers the payload only, so the rest is read strictly: exactly these fields, in this order.
std::optional<Parsed> parse_record(Bytes message) {
  Parsed out;
  Fields fields(message);
  if (!fields.next() || !fields.is(1, Wire::varint)) return {};
  out.type = fields.value();
  if (!fields.next() || !fields.is(2, Wire::varint) || fields.value() > UINT32_MAX) return {};
  out.crc = static_cast<std::uint32_t>(fields.value());
  if (fields.next()) {
    if (!fields.is(3, Wire::bytes)) return {};
    out.payload = fields.bytes();
    if (fields.next()) return {};
  }
  if (fields.bad()) return {};
  return out;
}

bool all_zero(Bytes bytes) {
  return std::ranges::all_of(bytes, [](std::byte b) { return b == std::byte{0}; });
}

// A record that lies over several sectors of which one was never written reads as zeros there: it was being written
// when the power went. Damage by anything else looks different.
bool has_unwritten_sector(Bytes record, std::uint64_t offset) {
  while (!record.empty()) {
    const std::size_t n = std::min<std::size_t>(record.size(), kSector - offset % kSector);
    if (all_zero(record.first(n))) return true;
    record = record.subspan(n);
    offset += n;
  }
  return false;
}

}  // namespace

WalSegment::WalSegment(std::uint32_t crc_of_the_segment_before) : crc_(crc_of_the_segment_before) {
  frame(WalRecordType::crc, nullptr);
}

void WalSegment::frame(WalRecordType type, const Bytes* payload) {
  if (payload != nullptr) crc_ = crc32c(crc_, *payload);
  Buffer record;
  proto::append_field(record, 1, static_cast<std::uint64_t>(type));
  proto::append_field(record, 2, crc_);
  if (payload != nullptr) proto::append_field(record, 3, *payload);

  const std::size_t pad = (kFrameSize - record.size() % kFrameSize) % kFrameSize;
  std::uint64_t length = record.size();
  if (pad > 0) length |= (kPadMark | pad) << kPadShift;
  const std::size_t at = bytes_.size();
  bytes_.resize(at + kFrameSize + record.size() + pad);
  store_le(bytes_.data() + at, length);
  std::ranges::copy(record, bytes_.begin() + static_cast<std::ptrdiff_t>(at + kFrameSize));
}

void WalSegment::raw(WalRecordType type, Bytes payload) { frame(type, &payload); }

void WalSegment::metadata(MemberId node, ClusterId cluster) {
  Buffer payload;
  proto::append_field(payload, 1, node.raw());
  proto::append_field(payload, 2, cluster.raw());
  raw(WalRecordType::metadata, payload);
}

void WalSegment::entry(const RaftEntry& entry) {
  Buffer payload;
  proto::append_field(payload, 1, static_cast<std::uint64_t>(entry.kind));
  proto::append_field(payload, 2, entry.term);
  proto::append_field(payload, 3, entry.index);
  if (entry.payload.data() != nullptr) proto::append_field(payload, 4, entry.payload);
  raw(WalRecordType::entry, payload);
}

void WalSegment::state(const HardState& state) {
  Buffer payload;
  proto::append_field(payload, 1, state.term);
  proto::append_field(payload, 2, state.vote.raw());
  proto::append_field(payload, 3, state.commit);
  raw(WalRecordType::state, payload);
}

void WalSegment::snapshot(const WalSnapshot& snapshot) {
  Buffer payload;
  proto::append_field(payload, 1, snapshot.index);
  proto::append_field(payload, 2, snapshot.term);
  if (snapshot.index > 0) {
    proto::append_field(payload, 3, encode_conf_state({snapshot.voters, {}}));
  }
  raw(WalRecordType::snapshot, payload);
}

WalSegmentReader::WalSegmentReader(Bytes segment, std::string name_in_errors, std::optional<std::uint32_t> crc_before)
    : segment_(segment), name_(std::move(name_in_errors)), expected_(crc_before) {}

Result<std::optional<WalRecord>> WalSegmentReader::next() {
  if (failed_) return std::unexpected(*failed_);
  auto record = read_one();
  if (!record) failed_ = record.error();
  return record;
}

Result<std::optional<WalRecord>> WalSegmentReader::read_one() {
  const Bytes rest = segment_.subspan(static_cast<std::size_t>(offset_));
  if (rest.empty()) return std::nullopt;
  if (rest.size() < kFrameSize) return fail(Errc::torn, "{} at {}: ends inside the length of a record", name_, offset_);
  const auto length_field = load_le<std::uint64_t>(rest);
  if (length_field == 0) return std::nullopt;  // preallocated and not written yet
  const std::uint64_t top = length_field >> kPadShift, pad = top & 7;
  const std::uint64_t length = length_field & ((1ULL << kPadShift) - 1);
  stricter_ = true;
  if (top != 0 && top != (kPadMark | pad))
    return fail(Errc::corrupt, "{} at {}: length field {:016x} makes no sense", name_, offset_, length_field);
  if (pad != (kFrameSize - length % kFrameSize) % kFrameSize || (top != 0 && pad == 0))
    return fail(Errc::corrupt, "{} at {}: {} bytes padded with {}", name_, offset_, length, pad);
  stricter_ = false;
  if (length + pad > rest.size() - kFrameSize)
    return fail(Errc::torn, "{} at {}: ends inside a record of {} bytes", name_, offset_, length);

  const Bytes message = rest.subspan(kFrameSize, static_cast<std::size_t>(length));
  const auto damaged = [&](std::string_view how) {
    const bool torn = has_unwritten_sector(message, offset_ + kFrameSize);
    return fail(torn ? Errc::torn : Errc::corrupt, "{} at {}: {}{}", name_, offset_, how,
                torn ? ", a sector of the record was never written" : "");
  };
  stricter_ = true;
  const std::optional<Parsed> parsed = parse_record(message);
  if (!parsed) return damaged("not a well-formed record");
  if (!all_zero(rest.subspan(kFrameSize + message.size(), static_cast<std::size_t>(pad))))
    return fail(Errc::corrupt, "{} at {}: padding is not zero", name_, offset_);

  stricter_ = false;
  const auto type = static_cast<WalRecordType>(parsed->type);
  if (parsed->type < 1 || parsed->type > 5) return damaged(fmt::format("record type {}", parsed->type));
  stricter_ = true;
  if (first_ && type != WalRecordType::crc) return damaged("a segment must begin with a checksum record");
  if (type == WalRecordType::crc && !parsed->payload.empty()) return damaged("checksum record with a payload");
  stricter_ = false;
  if (type == WalRecordType::crc) {
    const std::optional<std::uint32_t> expected = first_ ? expected_ : crc_;
    if (expected && *expected != parsed->crc)
      return fail(Errc::corrupt, "{} at {}: the segment before ended with checksum {:08x}, this one continues {:08x}",
                  name_, offset_, *expected, parsed->crc);
    crc_ = parsed->crc;
  } else {
    const std::uint32_t crc = crc32c(crc_, parsed->payload);
    if (crc != parsed->crc) return damaged(fmt::format("checksum {:08x}, expected {:08x}", parsed->crc, crc));
    crc_ = crc;
  }
  first_ = false;
  const WalRecord record{type, parsed->payload, offset_};
  offset_ += kFrameSize + length + pad;
  return record;
}

}  // namespace tidemark::etcd
