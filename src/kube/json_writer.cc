#include "kube/json_writer.h"

#include <array>
#include <charconv>
#include <cstring>

#include <fmt/format.h>

#include "base/base64.h"
#include "kube/utf8.h"

namespace tidemark::kube {

namespace {

constexpr std::string_view kHex = "0123456789abcdef";

// Bytes that stand for themselves inside a string.
constexpr std::array<bool, 256> kPlain = [] {
  std::array<bool, 256> plain{};
  for (std::size_t c = 0x20; c < 0x80; c++) plain[c] = true;
  for (const char c : {'"', '\\', '<', '>', '&'}) plain[static_cast<unsigned char>(c)] = false;
  return plain;
}();

// The same for a word of them at once: the high bit of each byte that does not stand for itself, and perhaps of some
// behind the first such.
inline std::uint64_t not_plain(std::uint64_t word) {
  using Word = std::uint64_t;
  constexpr Word kOnes = 0x0101010101010101, kHigh = kOnes << 7U;
  const auto zeros = [](Word w) { return (w - kOnes) & ~w; };
  const Word below_space = (word - kOnes * 0x20) & ~word;
  const Word angle = zeros((word | kOnes * 0x02) ^ kOnes * 0x3e);            // '<' and '>'
  const Word quote_or_and = zeros((word & ~(kOnes * 0x04)) ^ kOnes * 0x22);  // '"' and '&'
  return (word | below_space | angle | quote_or_and | zeros(word ^ kOnes * 0x5c)) & kHigh;
}

template <class Word>
inline Word load(const char* from) {
  Word word;
  std::memcpy(&word, from, sizeof word);
  return word;
}

// Up to the first byte that does not stand for itself. A rest that is no whole word is taken together with what is in
// front of it: text is short, and each branch on its length is one too many.
// Returns how many bytes that were.
std::size_t copy_plain(const char* from, const std::size_t size, char* to) {
  using Word = std::uint64_t;
  using Half = std::uint32_t;
  std::size_t done = 0;
  if (size >= sizeof(Word)) {
    bool plain = true;
    while (size - done >= sizeof(Word)) {
      const auto word = load<Word>(from + done);
      plain = not_plain(word) == 0;
      if (!plain) break;
      std::memcpy(to + done, &word, sizeof word);
      done += sizeof word;
    }
    if (plain) {
      const auto last = load<Word>(from + size - sizeof(Word));
      if (not_plain(last) == 0) {
        std::memcpy(to + size - sizeof last, &last, sizeof last);
        return size;
      }
    }
  } else if (size >= sizeof(Half)) {
    const auto first = load<Half>(from), last = load<Half>(from + size - sizeof(Half));
    if (not_plain(Word{first} << 32U | last) == 0) {
      std::memcpy(to, &first, sizeof first);
      std::memcpy(to + size - sizeof last, &last, sizeof last);
      return size;
    }
  }
  for (; done != size && kPlain[static_cast<unsigned char>(from[done])]; done++) to[done] = from[done];
  return done;
}

constexpr std::size_t kMostOfOne = 6;  // a byte is at most as long as "\u001f"

char* put_text(char* at, std::string_view text) {
  std::memcpy(at, text.data(), text.size());
  return at + text.size();
}

char* put_escape(char* at, unsigned char c) {
  switch (c) {
    case '"': return put_text(at, "\\\"");
    case '\\': return put_text(at, "\\\\");
    case '\b': return put_text(at, "\\b");
    case '\f': return put_text(at, "\\f");
    case '\n': return put_text(at, "\\n");
    case '\r': return put_text(at, "\\r");
    case '\t': return put_text(at, "\\t");
    default:
      at = put_text(at, "\\u00");
      *at++ = kHex[c >> 4U];
      *at++ = kHex[c & 15U];
      return at;
  }
}

// What stands for the first byte, or character, of a text that does not begin with a plain one.
char* put_special(const char*& from, const char* end, char* at) {
  if (const auto c = static_cast<unsigned char>(*from); c < 0x80) {
    from++;
    return put_escape(at, c);
  }
  const std::string_view left(from, static_cast<std::size_t>(end - from));
  const std::size_t length = utf8_length(left);
  const std::string_view sequence = left.substr(0, length);
  from += length == 0 ? 1 : length;
  if (length == 0) return put_text(at, "\ufffd");
  if (sequence == "\u2028") return put_text(at, "\\u2028");
  if (sequence == "\u2029") return put_text(at, "\\u2029");
  return put_text(at, sequence);
}

constexpr std::array<char, 64> kSpaces = [] {
  std::array<char, 64> spaces{};
  spaces.fill(' ');
  return spaces;
}();

}  // namespace

template <class Write>
void JsonWriter::put(std::size_t most, const Write& write) {
  const std::size_t size = to_.size();
  to_.resize_and_overwrite(
      size + most, [&](char* text, std::size_t) { return static_cast<std::size_t>(write(text + size) - text); });
}

char* JsonWriter::new_line(char* at) const {
  *at++ = '\n';
  const std::size_t spaces = std::size_t{depth_} * 4;
  if (spaces <= kSpaces.size()) {
    std::memcpy(at, kSpaces.data(), kSpaces.size());  // of a size known beforehand: cheaper than what is needed
  } else {
    std::memset(at, ' ', spaces);
  }
  return at + spaces;
}

std::size_t JsonWriter::most_before_value() const { return 2 + kSpaces.size() + std::size_t{depth_} * 4; }

// The comma and the line in front of a value, or of a key.
char* JsonWriter::before_value(char* at) {
  if (after_key_) {
    after_key_ = false;
    return at;
  }
  if (depth_ == 0) return at;
  if (!first_) *at++ = ',';
  first_ = false;
  return style_ == Style::indented ? new_line(at) : at;
}

void JsonWriter::begin(char bracket) {
  put(most_before_value() + 1, [&](char* at) {
    at = before_value(at);
    *at++ = bracket;
    return at;
  });
  depth_++;
  first_ = true;
}

void JsonWriter::end(char bracket) {
  depth_--;
  put(most_before_value() + 1, [&](char* at) {
    if (!first_ && style_ == Style::indented) at = new_line(at);
    *at++ = bracket;
    return at;
  });
  first_ = false;
}

void JsonWriter::rewind(const Mark& mark) {
  to_.resize(mark.size);
  depth_ = mark.depth;
  first_ = mark.first;
  after_key_ = mark.after_key;
}

void JsonWriter::rearrange(std::size_t begin, std::span<const Part> parts) {
  const std::string before = to_.substr(begin);
  to_.resize(begin);
  for (const Part& part : parts) {
    // All but the first that was written have a comma in front.
    std::string_view text = std::string_view(before).substr(part.begin - begin, part.end - part.begin);
    if (part.begin != begin) text.remove_prefix(1);
    if (to_.size() != begin) to_ += ',';
    to_ += text;
  }
}

void JsonWriter::key(std::string_view name) {
  quoted(name);
  to_ += style_ == Style::indented ? ": " : ":";
  after_key_ = true;
}

void JsonWriter::ready_key(std::string_view text) {
  if (style_ == Style::compact) text.remove_suffix(1);
  put(most_before_value() + text.size(), [&](char* at) { return put_text(before_value(at), text); });
  after_key_ = true;
}

std::string JsonWriter::key_text(std::string_view name) {
  std::string text;
  JsonWriter(text).quoted(name);
  return text + ": ";
}

void JsonWriter::quoted(std::string_view text) {
  const char* from = text.data();
  const char* const end = from + text.size();
  put(most_before_value() + text.size() + kMostOfOne + 2, [&](char* at) {
    at = before_value(at);
    *at++ = '"';
    const std::size_t copied = copy_plain(from, text.size(), at);
    at += copied;
    from += copied;
    if (from == end) *at++ = '"';
    return at;
  });
  // Seldom: room for what is left, and for a part of it to become longer.
  while (from != end) {
    constexpr std::size_t kSlack = 64;
    put(static_cast<std::size_t>(end - from) + kSlack + kMostOfOne + 1, [&](char* at) {
      const char* const full = at + kSlack;
      for (const char* begin = from; from != end && at - (from - begin) < full;) {
        at = put_special(from, end, at);
        const std::size_t copied = copy_plain(from, static_cast<std::size_t>(end - from), at);
        at += copied;
        from += copied;
      }
      if (from == end) *at++ = '"';
      return at;
    });
  }
}

void JsonWriter::string(std::string_view text) { quoted(text); }

void JsonWriter::plain(std::string_view text) {
  put(most_before_value() + text.size(), [&](char* at) { return put_text(before_value(at), text); });
}

template <class Number>
void JsonWriter::whole(Number number) {
  constexpr std::size_t kRoom = 24;
  put(most_before_value() + kRoom, [&](char* at) {
    at = before_value(at);
    return std::to_chars(at, at + kRoom, number).ptr;
  });
}

void JsonWriter::number(std::int64_t value) { whole(value); }
void JsonWriter::number(std::uint64_t value) { whole(value); }

void JsonWriter::number(double value) {
  std::string to;
  // The fewest digits that read back as this value: "-1.25e-07".
  std::array<char, 32> room{};
  const auto [end, error] = std::to_chars(room.begin(), room.end(), value, std::chars_format::scientific);
  std::string_view text(room.begin(), end);
  if (text.starts_with('-')) {
    to += '-';
    text.remove_prefix(1);
  }
  const std::size_t e = text.find('e');
  int exponent = 0;
  std::from_chars(text.data() + e + (text[e + 1] == '+' ? 2 : 1), text.end(), exponent);
  std::string digits(text.substr(0, 1));
  if (e > 2) digits += text.substr(2, e - 2);
  const int count = static_cast<int>(digits.size());
  if (value != 0 && (exponent < -6 || exponent >= 21)) {
    to += digits[0];
    if (count > 1) to += '.';
    to.append(digits, 1);
    to += fmt::format("e{:+}", exponent);
  } else if (exponent < 0) {
    to += "0.";
    to.append(static_cast<std::size_t>(-exponent - 1), '0');
    to += digits;
  } else if (count <= exponent + 1) {
    to += digits;
    to.append(static_cast<std::size_t>(exponent + 1 - count), '0');
  } else {
    to.append(digits, 0, static_cast<std::size_t>(exponent) + 1);
    to += '.';
    to.append(digits, static_cast<std::size_t>(exponent) + 1);
  }
  plain(to);
}

void JsonWriter::boolean(bool value) { plain(value ? "true" : "false"); }

void JsonWriter::null() { plain("null"); }

void JsonWriter::base64(Bytes bytes) {
  const std::size_t size = base64_size(bytes.size());
  put(most_before_value() + size + 2, [&](char* at) {
    at = before_value(at);
    *at++ = '"';
    base64_encode(bytes, at);
    at[size] = '"';
    return at + size + 1;
  });
}

}  // namespace tidemark::kube
