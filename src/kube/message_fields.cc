#include "kube/message_fields.h"

#include <utility>

namespace tidemark::kube {

using proto::Fields;
using proto::Wire;

Seen MessageFields::joined(std::uint32_t at) {
  Buffer& all = joined_.emplace_back();
  for (; at != kNone; at = seen_[at].next) all.insert(all.end(), seen_[at].bytes.begin(), seen_[at].bytes.end());
  return {.bytes = all, .bits = 0, .next = kNone};
}

inline void MessageFields::append(Slot& slot, const Seen& seen) {
  const auto at = static_cast<std::uint32_t>(seen_.size());
  if (slot.first == kNone) {
    slot.first = at;
  } else {
    seen_[slot.last].next = at;
  }
  slot.last = at;
  seen_.push_back(seen);
}

// Is it the first of its field? Then its slot is as good as empty.
inline bool MessageFields::mark(const Place& place, std::size_t rank) {
  std::uint64_t& word = present_[place.present + rank / 64];
  const std::uint64_t bit = std::uint64_t{1} << rank % 64;
  return (std::exchange(word, word | bit) & bit) == 0;
}

inline void MessageFields::note_repeated(const Place& place, std::size_t rank, const Seen& seen) {
  Slot& slot = slots_[place.slots + rank];
  if (mark(place, rank)) slot.first = kNone;
  append(slot, seen);
}

// Of one that is not repeated the last counts.
inline void MessageFields::note(const Place& place, std::size_t rank, bool merged, const Seen& seen) {
  Slot& slot = slots_[place.slots + rank];
  if (mark(place, rank) || !merged) {
    slot.one = seen;
    slot.first = kNone;
    return;
  }
  if (slot.first == kNone) append(slot, slot.one);
  append(slot, seen);
}

inline Status MessageFields::take(const Message& m, const Field& field, const Fields& found, const Place& place,
                                  std::size_t rank) {
  const Wire expected = field.wire;
  if (found.wire() == expected) {
    const bool is_bytes = expected == Wire::bytes;
    const Seen seen{is_bytes ? found.bytes() : Bytes{}, is_bytes ? 0 : found.value()};
    if (rank == Message::kNotPrinted) return {};
    if (field.several == Field::Several::repeated) {
      note_repeated(place, rank, seen);
    } else {
      note(place, rank, field.several == Field::Several::merged, seen);
    }
    return {};
  }
  if (field.type.shape != Shape::list || expected != Wire::varint || found.wire() != Wire::bytes) {
    return fail(Errc::corrupt, "{} field {} is of another type", m.name, found.number());
  }
  Bytes packed = found.bytes();
  for (std::uint64_t value = 0; !packed.empty();) {
    if (!proto::take_varint(packed, value)) return fail(Errc::corrupt, "damaged {}", m.name);
    if (rank != Message::kNotPrinted) note_repeated(place, rank, {.bytes = {}, .bits = value});
  }
  return {};
}

Status MessageFields::gather(const Message& m, Bytes wire, const Place& place, std::size_t base, Lossiness& lost) {
  Fields found(wire);
  while (found.next()) {
    const Field* field = m.field(found.number());
    if (field == nullptr) {
      if (lost.unknown_fields++ == 0) lost.first_unknown = fmt::format("{} field {}", m.name, found.number());
      continue;
    }
    const auto index = static_cast<std::size_t>(field - m.fields.data());
    if (field->is_inline && found.wire() == Wire::bytes) {
      const Message& inner = schema_.message(field->type.message);
      TM_CHECK(gather(inner, found.bytes(), place, base + m.inline_slot[index], lost));
    } else {
      TM_CHECK(take(m, *field, found, place, place.outer.rank[base + index]));
    }
  }
  if (found.bad()) return fail(Errc::corrupt, "damaged {}", m.name);
  return {};
}

}  // namespace tidemark::kube
