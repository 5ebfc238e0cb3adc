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

// How a value of this type is written; of a list: one of its values.
proto::Wire wire_of(const Type& type);

// A length-delimited value's bytes, or the bits of any other.
struct Seen {
  Bytes bytes;
  std::uint64_t bits = 0;
  std::uint32_t next = kNone;  // of the same field
};

// Where the values of one field are: kNone when it was not there.
struct Slot {
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
          slots_(fields.slots_.size()),
          seen_(fields.seen_.size()),
          joined_(fields.joined_.size()) {
      fields_.slots_.resize(slots_ + m.slots);
    }
    Frame(const Frame&) = delete;
    Frame& operator=(const Frame&) = delete;
    ~Frame() {
      fields_.slots_.resize(slots_);
      fields_.seen_.resize(seen_);
      fields_.joined_.resize(joined_);
    }
    // Errc::corrupt: the wire is damaged or a field is of another type than the table says. What the table does not
    // have is counted in `lost`.
    Status gather(Bytes wire, Lossiness& lost) { return fields_.gather(message_, wire, slots_, lost); }
    Slot slot(const Message::Printed& printed) const { return fields_.slots_[slots_ + printed.slot]; }

   private:
    MessageFields& fields_;
    const Message& message_;
    const std::size_t slots_, seen_, joined_;
  };

  // A copy: another Frame may move what is behind it. Requires: at is not kNone.
  Seen seen(std::uint32_t at) const { return seen_[at]; }
  // The one value of a field that is not repeated. Good until the Frame ends.
  Seen only(const Slot& slot) {
    if (slot.first == kNone) return {};
    return slot.first == slot.last ? seen_[slot.first] : joined(slot.first);
  }

 private:
  Status gather(const Message& m, Bytes wire, std::size_t base, Lossiness& lost);
  Status take(const Message& m, const Field& field, const proto::Fields& found, std::size_t slot);
  Seen joined(std::uint32_t at);
  void note(std::size_t slot, bool repeated, Bytes bytes, std::uint64_t bits);

  const Schema& schema_;
  std::vector<Slot> slots_;
  std::vector<Seen> seen_;
  std::deque<Buffer> joined_;  // which leaves the others where they are
};

}  // namespace tidemark::kube
