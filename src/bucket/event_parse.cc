// Any JSON: what other writers, pretty printers and later versions may make of an event. Slower, and stricter than Go
// in one thing only: names must match to the letter.
#include "base/base64.h"
#include "base/rfc3339.h"
#include "bucket/event_json.h"

namespace tidemark::bucket {

namespace {

void append_utf8(std::uint32_t point, std::string& to) {
  const auto put = [&](std::uint32_t b) { to += static_cast<char>(b); };
  if (point < 0x80) return put(point);
  if (point < 0x800) {
    put(0xc0U | point >> 6U);
  } else if (point < 0x10000) {
    put(0xe0U | point >> 12U);
    put(0x80U | (point >> 6U & 0x3fU));
  } else {
    put(0xf0U | point >> 18U);
    put(0x80U | (point >> 12U & 0x3fU));
    put(0x80U | (point >> 6U & 0x3fU));
  }
  put(0x80U | (point & 0x3fU));
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  std::unexpected<Error> bad(std::string_view why) const {
    return fail(Errc::corrupt, "byte {} of the event: {}", at_, why);
  }

  void skip_space() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\r' || text_[at_] == '\t')) {
      at_++;
    }
  }
  char peek() {
    skip_space();
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  bool take(char wanted) {
    if (peek() != wanted) return false;
    at_++;
    return true;
  }
  bool at_end() {
    skip_space();
    return at_ == text_.size();
  }
  bool take_word(std::string_view word) {
    skip_space();
    if (!text_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }
  bool take_null() { return take_word("null"); }

  // A string without its escapes. The view is into the text, or into `room`.
  Result<std::string_view> string(std::string& room) {
    if (!take('"')) return bad("a string is wanted");
    const std::size_t from = at_;
    const std::size_t quote = text_.find('"', from);
    const std::string_view plain = text_.substr(from, quote == std::string_view::npos ? quote : quote - from);
    if (quote != std::string_view::npos && is_plain(plain)) {
      at_ = quote + 1;
      return plain;
    }
    room.clear();
    for (;;) {
      if (at_ == text_.size()) return bad("a string does not end");
      const char c = text_[at_++];
      if (c == '"') return std::string_view(room);
      if (is_control(c)) return bad("a control character in a string");
      if (c == '\\') {
        TM_CHECK(escape(room));
      } else {
        room += c;
      }
    }
  }

  Result<std::int64_t> number() {
    skip_space();
    const bool minus = at_ < text_.size() && text_[at_] == '-';
    if (minus) at_++;
    const std::size_t digits = at_;
    std::int64_t value = 0;
    while (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9') {
      const int digit = text_[at_++] - '0';
      if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, minus ? -digit : digit, &value)) {
        return bad("a number beyond 64 bits");
      }
    }
    if (at_ == digits || (text_[digits] == '0' && at_ - digits > 1)) return bad("a whole number is wanted");
    if (at_ < text_.size() && (text_[at_] == '.' || text_[at_] == 'e' || text_[at_] == 'E')) {
      return bad("a whole number is wanted");
    }
    return value;
  }

  // {"name": value, …}: calls field(name) for each value, which reads it.
  template <class Field>
  Status object(Field field) {
    if (!take('{')) return bad("an object is wanted");
    if (++depth_ > kMostDepth) return bad("nested too deeply");
    if (!take('}')) {
      do {
        std::string room;  // names are short, and almost never have escapes
        skip_space();
        TM_LET(const std::string_view name, string(room));
        if (!take(':')) return bad("':' is wanted");
        TM_CHECK(field(name));
      } while (take(','));
      if (!take('}')) return bad("',' or '}' is wanted");
    }
    depth_--;
    return {};
  }

  // Any value, checked and dropped.
  Status skip() {
    switch (peek()) {
      case '{': return object([this](std::string_view) { return skip(); });
      case '[': return skip_array();
      case '"': {
        std::string room;
        TM_CHECK(string(room));
        return {};
      }
      case 't':
      case 'f':
      case 'n':
        if (take_word("true") || take_word("false") || take_null()) return {};
        return bad("an unknown word");
      default: return skip_number();
    }
  }

 private:
  static bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20; }
  // Neither escapes nor control characters. Without an early exit, so that the compiler makes vectors of it.
  static bool is_plain(std::string_view inside) {
    bool other = false;
    for (const char c : inside) other |= is_control(c) || c == '\\';
    return !other;
  }

  Status skip_array() {
    at_++;
    if (++depth_ > kMostDepth) return bad("nested too deeply");
    if (!take(']')) {
      do {
        TM_CHECK(skip());
      } while (take(','));
      if (!take(']')) return bad("',' or ']' is wanted");
    }
    depth_--;
    return {};
  }

  std::size_t skip_digits() {
    const std::size_t from = at_;
    while (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9') at_++;
    return at_ - from;
  }

  bool take_here(std::string_view one_of) {
    if (at_ == text_.size() || one_of.find(text_[at_]) == std::string_view::npos) return false;
    at_++;
    return true;
  }

  Status skip_number() {
    take_here("-");
    const bool zero = at_ < text_.size() && text_[at_] == '0';
    const std::size_t whole = skip_digits();
    if (whole == 0 || (zero && whole > 1)) return bad("a value is wanted");
    if (take_here(".") && skip_digits() == 0) return bad("a digit is wanted");
    if (take_here("eE")) {
      take_here("+-");
      if (skip_digits() == 0) return bad("a digit is wanted");
    }
    return {};
  }

  bool hex4(std::uint32_t& value) {
    if (at_ + 4 > text_.size()) return false;
    value = 0;
    for (int i = 0; i < 4; i++) {
      const char c = text_[at_++];
      const char lower = static_cast<char>(c | 0x20);
      if (c >= '0' && c <= '9') {
        value = value * 16 + static_cast<unsigned>(c - '0');
      } else if (lower >= 'a' && lower <= 'f') {
        value = value * 16 + static_cast<unsigned>(lower - 'a' + 10);
      } else {
        return false;
      }
    }
    return true;
  }

  Status escape(std::string& to) {
    static constexpr std::string_view kLetters = "\"\\/bfnrt", kMeanings = "\"\\/\b\f\n\r\t";
    if (at_ == text_.size()) return bad("a string does not end");
    const char c = text_[at_++];
    if (const std::size_t i = kLetters.find(c); i != std::string_view::npos) {
      to += kMeanings[i];
      return {};
    }
    std::uint32_t point = 0;
    if (c != 'u' || !hex4(point)) return bad("an unknown escape");
    if (point >= 0xd800 && point < 0xdc00 && text_.substr(at_).starts_with("\\u")) {
      const std::size_t saved = at_;
      std::uint32_t low = 0;
      at_ += 2;
      if (hex4(low) && low >= 0xdc00 && low < 0xe000) {
        point = 0x10000 + ((point - 0xd800) << 10U) + (low - 0xdc00);
      } else {
        at_ = saved;
      }
    }
    append_utf8(point >= 0xd800 && point < 0xe000 ? 0xfffd : point, to);  // half a pair: what Go puts in its place
    return {};
  }

  std::string_view text_;
  std::size_t at_ = 0;
  int depth_ = 0;
};

// The quote that ends the string whose inside begins at `from`; npos when there is none.
std::size_t closing_quote(std::string_view text, std::size_t from) {
  for (std::size_t at = from;; at++) {
    at = text.find('"', at);
    if (at == std::string_view::npos) return at;
    std::size_t backslashes = 0;  // an odd number of them makes the quote a part of the string
    while (at - backslashes > from && text[at - backslashes - 1] == '\\') backslashes++;
    if (backslashes % 2 == 0) return at;
  }
}

// The fields of one event, read from where the parser stands.
class EventReader {
 public:
  EventReader(Parser& in, EventScratch& scratch, DeltaEvent& event) : in_(in), scratch_(scratch), event_(event) {}

  Status wrapper() {
    return in_.object([this](std::string_view name) -> Status {
      if (name == "etcdEvent") return in_.take_null() ? Status() : etcd_event();
      if (name == "time") return in_.take_null() ? Status() : time();
      return in_.skip();
    });
  }

 private:
  Status etcd_event() {
    return in_.object([this](std::string_view name) -> Status {
      if (name == "kv") return in_.take_null() ? Status() : kv();
      if (name == "type") return in_.take_null() ? Status() : type();
      return in_.skip();  // also prev_kv: the row before, which the log has already
    });
  }

  Status type() {
    TM_LET(const std::int64_t type, in_.number());
    if (type != 0 && type != 1) return in_.bad("an event type that is neither put nor delete");
    event_.deletion = type == 1;
    return {};
  }

  Status kv() {
    return in_.object([this](std::string_view name) -> Status {
      if (name == "key") return base64(scratch_.key, event_.key);
      if (name == "value") return base64(scratch_.value, event_.value);
      if (name == "create_revision") return number(event_.create);
      if (name == "mod_revision") return number(event_.mod);
      if (name == "version") return number(event_.version);
      if (name == "lease") return number(event_.lease);
      return in_.skip();
    });
  }

  Status number(std::int64_t& to) {
    if (in_.take_null()) return {};
    TM_LET(to, in_.number());
    return {};
  }

  Status base64(Buffer& room, Bytes& to) {
    if (in_.take_null()) return {};
    TM_LET(const std::string_view text, in_.string(scratch_.unescaped));
    if (room.size() < base64_most_bytes(text.size())) room.resize(base64_most_bytes(text.size()));
    const auto n = base64_decode(text, room.data());
    if (!n) return in_.bad("a string that is not base64");
    to = Bytes(room).first(*n);
    return {};
  }

  Status time() {
    TM_LET(const std::string_view text, in_.string(scratch_.unescaped));
    const auto parsed = parse_rfc3339(text);
    if (!parsed) return in_.bad("a time that is not RFC 3339");
    event_.time = *parsed;
    return {};
  }

  Parser& in_;
  EventScratch& scratch_;
  DeltaEvent& event_;
};

}  // namespace

Scan measure_object(std::string_view text, std::size_t& length) {
  if (text.empty()) return Scan::more;
  if (text[0] != '{') return Scan::other;
  int depth = 0;
  for (std::size_t i = 0; i < text.size(); i++) {
    switch (text[i]) {
      case '"':
        i = closing_quote(text, i + 1);
        if (i == std::string_view::npos) return Scan::more;
        break;
      case '{':
      case '[':
        if (++depth > kMostDepth) return Scan::other;
        break;
      case '}':
      case ']':
        if (--depth > 0) break;
        length = i + 1;
        return Scan::done;
      default: break;
    }
  }
  return Scan::more;
}

Status parse_event(std::string_view text, EventScratch& scratch, DeltaEvent& event) {
  event = DeltaEvent{};
  Parser in(text);
  TM_CHECK(EventReader(in, scratch, event).wrapper());
  if (!in.at_end()) return in.bad("something follows the event");
  return {};
}

}  // namespace tidemark::bucket
