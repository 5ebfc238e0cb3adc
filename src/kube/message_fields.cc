#include "kube/message_fields.h"

namespace tidemark::kube {

using proto::Fields;
using proto::Wire;

namespace {

// A message that is to stand once. Standing more often it is merged, which is to join the bytes.
bool is_merged(const Type& type) {
  return type.base == Base::message && !type.items && (type.shape == Shape::value || type.shape == Shape::pointer);
}

}  // namespace

Wire wire_of(const Type& type) {
  if (type.shape == Shape::map || type.items) return Wire::bytes;
  switch (type.base) {
    case Base::boolean:
    case Base::int32:
    case Base::int64:
    case Base::uint32:
    case Base::uint64: return Wire::varint;
    case Base::float64: return Wire::fixed64;
    case Base::float32: return Wire::fixed32;
    default: return Wire::bytes;
  }
}

Seen MessageFields::joined(std::uint32_t at) {
  Buffer& all = joined_.emplace_back();
  for (; at != kNone; at = seen_[at].next) all.insert(all.end(), seen_[at].bytes.begin(), seen_[at].bytes.end());
  return {.bytes = all, .bits = 0, .next = kNone};
}

void MessageFields::note(std::size_t slot, bool repeated, Bytes bytes, std::uint64_t bits) {
  Slot& s = slots_[slot];
  const auto at = static_cast<std::uint32_t>(seen_.size());
  if (s.first == kNone || !repeated) {  // of one that is not repeated the last counts
    s.first = at;
  } else {
    seen_[s.last].next = at;
  }
  s.last = at;
  seen_.push_back({bytes, bits, kNone});
}

Status MessageFields::take(const Message& m, const Field& field, const Fields& found, std::size_t slot) {
  const Wire expected = wire_of(field.type);
  if (found.wire() == expected) {
    const bool repeated = field.type.shape == Shape::list || field.type.shape == Shape::map || is_merged(field.type);
    const bool is_bytes = expected == Wire::bytes;
    note(slot, repeated, is_bytes ? found.bytes() : Bytes{}, is_bytes ? 0 : found.value());
    return {};
  }
  if (field.type.shape != Shape::list || expected != Wire::varint || found.wire() != Wire::bytes) {
    return fail(Errc::corrupt, "{} field {} is of another type", m.name, found.number());
  }
  Bytes packed = found.bytes();
  for (std::uint64_t value = 0; !packed.empty();) {
    if (!proto::take_varint(packed, value)) return fail(Errc::corrupt, "damaged {}", m.name);
    note(slot, true, {}, value);
  }
  return {};
}

Status MessageFields::gather(const Message& m, Bytes wire, std::size_t base, Lossiness& lost) {
  Fields found(wire);
  while (found.next()) {
    const Field* field = m.field(found.number());
    if (field == nullptr) {
      if (lost.unknown_fields++ == 0) lost.first_unknown = fmt::format("{} field {}", m.name, found.number());
      continue;
    }
    const auto index = static_cast<std::size_t>(field - m.fields.data());
    if (field->is_inline && found.wire() == Wire::bytes) {
      TM_CHECK(gather(schema_.message(field->type.message), found.bytes(), base + m.inline_slot[index], lost));
    } else {
      TM_CHECK(take(m, *field, found, base + index));
    }
  }
  if (found.bad()) return fail(Errc::corrupt, "damaged {}", m.name);
  return {};
}

}  // namespace tidemark::kube
