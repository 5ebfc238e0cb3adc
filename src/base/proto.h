// The wire format of protocol buffers, without messages or descriptors: fields in, fields out. What etcd's rows,
// leases, log and .snap are written in, and Kubernetes' objects.
//
// Nothing is copied and nothing is trusted: a length is compared with what is left before it is used.
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace tidemark::proto {

enum class Wire : std::uint8_t { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };

// Takes one varint from the front. false: it is cut off or has more than 64 bits.
inline bool take_varint(Bytes& from, std::uint64_t& into) {
  if (!from.empty() && static_cast<std::uint8_t>(from[0]) < 0x80) {  // most: tags, lengths of names
    into = static_cast<std::uint64_t>(from[0]);
    from = from.subspan(1);
    return true;
  }
  std::uint64_t value = 0;
  const std::size_t most = from.size() < 10 ? from.size() : 10;
  for (std::size_t i = 0; i < most; i++) {
    const auto byte = static_cast<std::uint64_t>(from[i]);
    if (i == 9 && byte > 1) return false;
    value |= (byte & 0x7f) << (7 * i);
    if (byte < 0x80) {
      from = from.subspan(i + 1);
      into = value;
      return true;
    }
  }
  return false;
}

// The fields of one message in order.
//
//   for (Fields fields(message); fields.next();) { … fields.number() … }
//   if (fields.bad()) …
class Fields {
 public:
  explicit Fields(Bytes message) : left_(message) {}

  // false: the end, or the message is malformed (see bad()).
  bool next() {
    if (left_.empty() || bad_) return false;
    std::uint64_t tag = 0;
    if (!take_varint(tag) || tag >> 3 == 0 || tag >> 32 != 0) return fail();
    number_ = static_cast<std::uint32_t>(tag >> 3);
    wire_ = static_cast<Wire>(tag & 7);
    switch (wire_) {
      case Wire::varint: return take_varint(value_) || fail();
      case Wire::fixed64: return take_fixed<std::uint64_t>() || fail();
      case Wire::fixed32: return take_fixed<std::uint32_t>() || fail();
      case Wire::bytes:
        if (!take_varint(value_) || value_ > left_.size()) return fail();
        bytes_ = left_.first(static_cast<std::size_t>(value_));
        left_ = left_.subspan(bytes_.size());
        return true;
    }
    return fail();  // groups: used by nobody we read
  }
  bool bad() const { return bad_; }

  std::uint32_t number() const { return number_; }
  bool is(std::uint32_t number, Wire wire) const { return number_ == number && wire_ == wire; }
  // The same; and this field in another wire type spoils the message, as generated readers have it.
  bool expect(std::uint32_t number, Wire wire) {
    if (number_ != number || wire_ == wire) return number_ == number;
    bad_ = true;
    return false;
  }
  Wire wire() const { return wire_; }
  std::uint64_t value() const { return value_; }  // of a varint; the bits of a fixed64 or fixed32
  std::int64_t signed_value() const { return static_cast<std::int64_t>(value_); }
  Bytes bytes() const { return bytes_; }
  // The message is wrong in a way only the caller can see: ends the loop with bad().
  void spoil() { bad_ = true; }

 private:
  bool fail() {
    bad_ = true;
    return false;
  }
  bool take_varint(std::uint64_t& into) { return proto::take_varint(left_, into); }
  template <class T>
  bool take_fixed() {
    if (left_.size() < sizeof(T)) return false;
    value_ = load_le<T>(left_);
    left_ = left_.subspan(sizeof(T));
    return true;
  }

  Bytes left_;
  Bytes bytes_;
  std::uint64_t value_ = 0;
  std::uint32_t number_ = 0;
  Wire wire_ = Wire::varint;
  bool bad_ = false;
};

inline std::size_t varint_size(std::uint64_t value) {
  return (static_cast<std::size_t>(std::bit_width(value | 1)) + 6) / 7;
}

inline std::byte* write_varint(std::uint64_t value, std::byte* to) {
  for (; value >= 0x80; value >>= 7) *to++ = static_cast<std::byte>(value | 0x80);
  *to++ = static_cast<std::byte>(value);
  return to;
}

inline void append_varint(Buffer& to, std::uint64_t value) {
  std::byte room[10];
  to.insert(to.end(), room, write_varint(value, room));
}

inline void append_field(Buffer& to, std::uint32_t number, std::uint64_t value) {
  append_varint(to, std::uint64_t{number} << 3);
  append_varint(to, value);
}

inline void append_field(Buffer& to, std::uint32_t number, Bytes bytes) {
  append_varint(to, std::uint64_t{number} << 3 | static_cast<std::uint64_t>(Wire::bytes));
  append_varint(to, bytes.size());
  to.insert(to.end(), bytes.begin(), bytes.end());
}

}  // namespace tidemark::proto
