#include "history/event_places.h"

#include <cstring>

#include "crypto/crc32c.h"

namespace tidemark::history {

Result<std::size_t> EventPlaces::read(MutableBytes into) {
  TM_LET(const std::size_t n, from_.read(into));
  if (!over_) pass(into.first(n));
  at_ += n;
  return n;
}

// One piece of text. Behind the array stands the digest, which is no text.
void EventPlaces::pass(Bytes bytes) {
  const std::string_view text = as_text(bytes);
  std::size_t open = 0;  // where the part of an event that is in this piece begins
  for (std::size_t i = 0; i < text.size(); i++) {
    const char c = text[i];
    if (in_string_) {
      if (escaped_) {
        escaped_ = false;
        continue;
      }
      const std::size_t mark = text.find_first_of("\"\\", i);
      if (mark == std::string_view::npos) break;
      i = mark;
      if (text[i] == '"') in_string_ = false;
      if (text[i] == '\\') escaped_ = true;
      continue;
    }
    if (c == '"') {
      in_string_ = true;
    } else if (c == '{' || c == '[') {
      if (++depth_ == 2) {
        begin_ = at_ + i;
        open = i;
        crc_ = 0;
      }
    } else if (c == '}' || c == ']') {
      if (--depth_ == 1) {
        const std::uint64_t end = at_ + i + 1;
        ended_.push_back({.offset = begin_,
                          .bytes = end - begin_,
                          .crc = crypto::crc32c(crc_, bytes.subspan(open, i + 1 - open)),
                          .kept = false});
      }
      over_ = depth_ <= 0;
      if (over_) return;
    }
  }
  if (depth_ >= 2) crc_ = crypto::crc32c(crc_, bytes.subspan(open));
}

Result<Place> EventPlaces::next() {
  if (ended_.empty()) return fail(Errc::corrupt, "an event without an end before byte {}", at_);
  const Place place = ended_.front();
  ended_.pop_front();
  return place;
}

}  // namespace tidemark::history
