#include "link/json_feed.h"

namespace tidemark::link {
namespace {

constexpr std::size_t kChunk = 64UL << 10U;

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// Where a value ends, character by character.
class Extent {
 public:
  // True: `c` is its last one, or, of a scalar, the first one behind it (behind() then).
  bool ends(char c) {
    if (in_string_) {
      if (escaped_) {
        escaped_ = false;
      } else if (c == '\\') {
        escaped_ = true;
      } else if (c == '"') {
        in_string_ = false;
        return depth_ == 0;
      }
      return false;
    }
    switch (c) {
      case '"': in_string_ = true; return false;
      case '{':
      case '[': depth_++; return false;
      case '}':
      case ']':
        if (depth_ == 0) return behind_ = true;
        return --depth_ == 0;
      default: return depth_ == 0 && (is_blank(c) || c == ',' || c == ':') && (behind_ = true);
    }
  }
  bool behind() const { return behind_; }
  bool scalar() const { return depth_ == 0 && !in_string_; }

 private:
  std::size_t depth_ = 0;
  bool in_string_ = false, escaped_ = false, behind_ = false;
};

}  // namespace

Result<bool> JsonFeed::fill() {
  buffer_.erase(0, at_);
  at_ = 0;
  const std::size_t old = buffer_.size();
  buffer_.resize(old + kChunk);
  const auto got = from_.read(std::as_writable_bytes(std::span(buffer_)).subspan(old));
  buffer_.resize(old + (got ? *got : 0));
  TM_CHECK(got);
  return *got != 0;
}

Result<char> JsonFeed::peek() {
  for (;;) {
    while (at_ < buffer_.size() && is_blank(buffer_[at_])) at_++;
    if (at_ < buffer_.size()) return buffer_[at_];
    TM_LET(const bool more, fill());
    if (!more) return '\0';
  }
}

Status JsonFeed::take(char wanted) {
  TM_LET(const char next, peek());
  if (next == '\0') return fail(Errc::torn, "JSON: it ends where '{}' is expected", wanted);
  if (next != wanted) return fail(Errc::corrupt, "JSON: '{}' expected", wanted);
  at_++;
  return {};
}

Result<std::string_view> JsonFeed::value() {
  TM_LET(const char first, peek());
  if (first == '\0') return fail(Errc::torn, "JSON: it ends where a value is expected");
  Extent extent;
  for (std::size_t n = 0;; n++) {
    if (n > most_value_) return fail(Errc::no_space, "JSON: a value of more than {} bytes", most_value_);
    if (at_ + n == buffer_.size()) {
      TM_LET(const bool more, fill());
      if (!more && (!extent.scalar() || n == 0)) return fail(Errc::torn, "JSON: it ends in a value");
      if (!more) {
        at_ = buffer_.size();
        return std::string_view(buffer_).substr(at_ - n);
      }
    }
    if (!extent.ends(buffer_[at_ + n])) continue;
    if (!extent.behind()) n++;
    if (n == 0) return fail(Errc::corrupt, "JSON: a value expected");
    at_ += n;
    return std::string_view(buffer_).substr(at_ - n, n);
  }
}

}  // namespace tidemark::link
