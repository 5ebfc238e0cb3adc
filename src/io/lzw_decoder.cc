// LZW as Go's compress/lzw writes it with order LSB and 8-bit literals: codes of 9 to 12 bits, lowest bit first, 256
// clears the table, 257 ends the stream. There is no header and no checksum.
#include <algorithm>
#include <array>

#include "io/decoders_internal.h"

namespace tidemark::io {

namespace {

constexpr unsigned kClear = 256, kEnd = 257, kFirstWidth = 9, kLastWidth = 12, kCodes = 1U << kLastWidth;
constexpr unsigned kNone = 0xffff;
constexpr std::size_t kOutput = 64UL * 1024;  // at least one longest string

class LzwSource final : public Source {
 public:
  explicit LzwSource(std::unique_ptr<Source> from) : in_(std::move(from)), out_(kOutput) {}

  Result<std::size_t> read(MutableBytes into) override {
    if (begin_ == end_ && !ended_) {
      begin_ = end_ = 0;
      TM_CHECK(decode());
    }
    const std::size_t n = std::min(into.size(), end_ - begin_);
    std::copy_n(out_.begin() + static_cast<std::ptrdiff_t>(begin_), n, into.begin());
    begin_ += n;
    return n;
  }

 private:
  // Decodes until the output has no room for one more string, or the end.
  Status decode() {
    while (end_ + kCodes <= out_.size()) {
      while (bit_count_ < width_) {
        TM_LET(const bool more, in_.fill());
        if (!more && in_.offset() == 0) return fail(Errc::torn, "the compressed object is empty");
        TM_LET(const std::uint8_t b, in_.byte("the LZW stream"));
        bits_ |= static_cast<std::uint32_t>(b) << bit_count_;
        bit_count_ += 8;
      }
      const unsigned code = bits_ & ((1U << width_) - 1);
      bits_ >>= width_;
      bit_count_ -= width_;
      if (code == kEnd) return end();
      if (code == kClear) {
        width_ = kFirstWidth;
        next_ = kEnd;
        previous_ = kNone;
        continue;
      }
      TM_CHECK(expand(code));
      grow(code);
    }
    return {};
  }

  Status expand(unsigned code) {
    if (code > next_ || (code == next_ && previous_ == kNone && next_ < kCodes - 1)) {
      return fail(Errc::corrupt, "LZW code {} before byte {} is not in the table of {}", code, in_.offset(), next_);
    }
    // The string is found from its end: each entry is its predecessor and one byte.
    std::array<std::byte, kCodes> text;
    std::size_t at = text.size();
    unsigned c = code;
    const bool just_being_made = code == next_ && previous_ != kNone;
    if (just_being_made) {
      at--;
      c = previous_;
    }
    while (c >= kClear) {
      text[--at] = last_byte_[c];
      c = before_[c];
    }
    text[--at] = static_cast<std::byte>(c);
    first_byte_ = static_cast<std::byte>(c);
    if (just_being_made) text.back() = first_byte_;
    std::copy(text.begin() + static_cast<std::ptrdiff_t>(at), text.end(),
              out_.begin() + static_cast<std::ptrdiff_t>(end_));
    end_ += text.size() - at;
    return {};
  }

  // Puts "previous string + first byte of this one" into the table.
  void grow(unsigned code) {
    if (previous_ != kNone) {
      last_byte_[next_] = first_byte_;
      before_[next_] = static_cast<std::uint16_t>(previous_);
    }
    previous_ = code;
    next_++;
    if (next_ < 1U << width_) return;
    if (width_ < kLastWidth) {
      width_++;
    } else {  // full: the writer sends a clear code next, and no entry is made until then
      next_--;
      previous_ = kNone;
    }
  }

  Status end() {
    ended_ = true;
    TM_LET(const bool more, in_.fill());
    if (more) return fail(Errc::corrupt, "bytes follow the LZW stream at {}", in_.offset());
    return {};
  }

  PieceReader in_;
  std::uint32_t bits_ = 0;
  unsigned bit_count_ = 0, width_ = kFirstWidth;
  unsigned next_ = kEnd, previous_ = kNone;  // next_: the entry that is made with the next string
  std::byte first_byte_{};
  std::array<std::byte, kCodes> last_byte_{};
  std::array<std::uint16_t, kCodes> before_{};
  Buffer out_;
  std::size_t begin_ = 0, end_ = 0;
  bool ended_ = false;
};

}  // namespace

std::unique_ptr<Source> lzw_decoder(std::unique_ptr<Source> from) {
  return std::make_unique<LzwSource>(std::move(from));
}

}  // namespace tidemark::io
