// The fields of a message as they stood on the wire, found by the table: each field's last value (messages that stand
// more than once are merged), or all values of a repeated one in their order, whatever the order of the wire. Inline
// messages' fields are found with ours.
//
// A stack: what a Frame has found is given back at its end, so that one set of buffers serves a whole object and no
// object makes it grow beyond its own size. Private to kube/. Threads: one object, one thread.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/proto.h"
#include "base/result.h"
#include "kube/object_json.h"
#include "kube/schema.h"

namespace tidemark::kube {

inline constexpr std::uint32_t kNone = UINT32_MAX;

// A length-delimited value's bytes, or the bits of any other.
struct Seen {
  Bytes bytes;
  std::uint64_t bits = 0;
  std::uint32_t next = kNone;  // of the same field
};

// The value of a field that is not repeated; of one that is, and of a message in parts, where its values are.
struct Slot {
  Seen one;
  std::uint32_t first = kNone, last = kNone;
};

class MessageFields {
 public:
  // Requires: `schema` outlives this.
  explicit MessageFields(const Schema& schema) : schema_(schema) {}

  class Frame {
   public:
    Frame(MessageFields& fields, const Message& m)
        : fields_(fields),
          message_(m),
          slots_(fields.slots_in_use_),
          present_(fields.present_.size()),
          seen_(fields.seen_.size()),
          joined_(fields.joined_.size()) {
      fields_.slots_in_use_ += m.printed.size();
      // What a slot held before is left there: `present_` tells which of them hold something of ours.
      if (fields_.slots_.size() < fields_.slots_in_use_) fields_.slots_.resize(fields_.slots_in_use_ * 2);
      fields_.present_.resize(present_ + words_of(m));
    }
    Frame(const Frame&) = delete;
    Frame& operator=(const Frame&) = delete;
    ~Frame() {
      fields_.slots_in_use_ = slots_;
      fields_.present_.resize(present_);
      fields_.seen_.resize(seen_);
      fields_.joined_.resize(joined_);
    }
    // Errc::corrupt: the wire is damaged or a field is of another type than the table says. What the table does not
    // have is counted in `lost`.
    Status gather(Bytes wire, Lossiness& lost) {
      const Place place{.outer = message_, .slots = slots_, .present = present_};
      return fields_.gather(message_, wire, place, 0, lost);
    }
    // By rank, 64 of them in a word, the first in its lowest bit: which fields were there.
    static std::size_t words_of(const Message& m) { return (m.printed.size() + 63) / 64; }
    std::uint64_t present(std::size_t word) const { return fields_.present_[present_ + word]; }
    // A copy: another Frame may move what is behind it. Requires: the field was there.
    Slot slot(std::size_t rank) const { return fields_.slots_[slots_ + rank]; }

   private:
    MessageFields& fields_;
    const Message& message_;
    const std::size_t slots_, present_, seen_, joined_;
  };

  // A copy, for the same reason. Requires: at is not kNone.
  Seen seen(std::uint32_t at) const { return seen_[at]; }
  // The one value of a field that is not repeated. Good until the Frame ends.
  Seen only(const Slot& slot) { return slot.first == kNone ? slot.one : joined(slot.first); }

 private:
  // Where a Frame has what it finds.
  struct Place {
    const Message& outer;
    std::size_t slots, present;
  };
  Status gather(const Message& m, Bytes wire, const Place& place, std::size_t base, Lossiness& lost);
  Status take(const Message& m, const Field& field, const proto::Fields& found, const Place& place, std::size_t rank);
  Seen joined(std::uint32_t at);
  bool mark(const Place& place, std::size_t rank);
  void note(const Place& place, std::size_t rank, bool merged, const Seen& seen);
  void note_repeated(const Place& place, std::size_t rank, const Seen& seen);
  void append(Slot& slot, const Seen& seen);

  const Schema& schema_;
  std::vector<Slot> slots_;  // by rank; behind those in use is room
  std::size_t slots_in_use_ = 0;
  std::vector<std::uint64_t> present_;
  std::vector<Seen> seen_;
  std::deque<Buffer> joined_;  // which leaves the others where they are
};

}  // namespace tidemark::kube
