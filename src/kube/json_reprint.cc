#include "kube/json_reprint.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "kube/utf8.h"

namespace tidemark::kube {

namespace {

constexpr int kMostLevels = 100;  // of this recursion; the tree takes more
constexpr std::ptrdiff_t kMostDigits = 18;

// Is there a byte among these eight that ends a string or is no plain part of it?
bool needs_a_look(std::uint64_t word) {
  constexpr std::uint64_t kOnes = 0x0101010101010101, kHigh = kOnes << 7U;
  const auto zeros = [](std::uint64_t w) { return (w - kOnes) & ~w; };
  const std::uint64_t below_space = (word - kOnes * 0x20) & ~word;
  return ((word | below_space | zeros(word ^ kOnes * 0x22) | zeros(word ^ kOnes * 0x5c)) & kHigh) != 0;
}

bool is_decimal(char c) { return c >= '0' && c <= '9'; }

void append_utf8(std::string& to, unsigned c) {
  const auto tail = [](unsigned bits) { return static_cast<char>(0x80U | (bits & 0x3fU)); };
  if (c < 0x80) {
    to += static_cast<char>(c);
  } else if (c < 0x800) {
    to += static_cast<char>(0xc0U | c >> 6U);
    to += tail(c);
  } else {
    to += static_cast<char>(0xe0U | c >> 12U);
    to += tail(c >> 6U);
    to += tail(c);
  }
}

}  // namespace

bool JsonReprinter::print(Bytes text, JsonWriter& to) { return all(text, Role::other, to); }

bool JsonReprinter::print_object(Bytes text, const Metadata& metadata, JsonWriter& to) {
  metadata_ = metadata;
  return all(text, Role::root, to);
}

bool JsonReprinter::all(Bytes text, Role role, JsonWriter& to) {
  at_ = as_text(text).data();
  end_ = at_ + text.size();
  to_ = &to;
  const JsonWriter::Mark before = to.mark();
  const bool done = value(0, role) && !take('\0') && at_ == end_;
  if (!done) to.rewind(before);
  members_.clear();
  unescaped_.clear();
  return done;
}

// Behind white space. Anything is taken but what is asked for: that moves on only behind the white space.
bool JsonReprinter::take(char c) {
  while (at_ != end_ && (*at_ == ' ' || *at_ == '\t' || *at_ == '\n' || *at_ == '\r')) at_++;
  if (at_ == end_ || *at_ != c) return false;
  at_++;
  return true;
}

bool JsonReprinter::value(int level, Role role) {
  if (level > kMostLevels) return false;
  if (take('{')) return object(level, role);
  if (role == Role::root || at_ == end_) return false;
  switch (*at_) {
    case '"': {
      std::string_view text;
      if (!string(text)) return false;
      to_->string(text);
      return true;
    }
    case '[': return array(level);
    case 't':
      if (!word("true")) return false;
      to_->boolean(true);
      return true;
    case 'f':
      if (!word("false")) return false;
      to_->boolean(false);
      return true;
    case 'n':
      if (!word("null")) return false;
      if (role == Role::metadata) {
        to_->begin_object();
        const std::size_t first = members_.size();
        add_missing(role, first);
        members_.resize(first);
        to_->end_object();
      } else {
        to_->null();
      }
      return true;
    default: return number();
  }
}

// Behind its brace.
bool JsonReprinter::object(int level, Role role) {
  to_->begin_object();
  const std::size_t first = members_.size(), begin = to_->mark().size;
  if (!take('}')) {
    do {
      std::string_view key;
      if (!take('"')) return false;
      at_--;
      if (!string(key) || !take(':') || !member(level, role, key)) return false;
    } while (take(','));
    if (!take('}')) return false;
  }
  add_missing(role, first);
  arrange(first, begin);
  to_->end_object();
  return true;
}

bool JsonReprinter::member(int level, Role role, std::string_view key) {
  const JsonWriter::Mark before = to_->mark();
  to_->key(key);
  if (!value(level + 1, role == Role::root && key == "metadata" ? Role::metadata : Role::other)) return false;
  const bool is_left_out =
      role == Role::metadata && (key == "selfLink" || (key == "managedFields" && !metadata_.managed_fields) ||
                                 (key == "resourceVersion" && !metadata_.resource_version.empty()));
  if (is_left_out) {
    to_->rewind(before);
  } else {
    note(key, before.size);
  }
  return true;
}

void JsonReprinter::note(std::string_view key, std::size_t begin) {
  members_.push_back({.key = key, .part = {.begin = begin, .end = to_->mark().size}});
}

void JsonReprinter::add_missing(Role role, std::size_t first) {
  const std::size_t begin = to_->mark().size;
  if (role == Role::metadata && !metadata_.resource_version.empty()) {
    to_->key("resourceVersion");
    to_->string(metadata_.resource_version);
    note("resourceVersion", begin);
  }
  const auto has_metadata = [&] {
    return std::any_of(members_.begin() + static_cast<std::ptrdiff_t>(first), members_.end(),
                       [](const Member& m) { return m.key == "metadata"; });
  };
  if (role == Role::root && !has_metadata()) {
    to_->key("metadata");
    to_->begin_object();
    const std::size_t inner = members_.size();
    add_missing(Role::metadata, inner);
    members_.resize(inner);
    to_->end_object();
    note("metadata", begin);
  }
}

// Closes the members from `first` on: sorted, of equal keys the last.
void JsonReprinter::arrange(std::size_t first, std::size_t begin) {
  const auto ours = std::span(members_).subspan(first);
  const auto not_before = [](const Member& a, const Member& b) { return a.key >= b.key; };
  if (std::ranges::adjacent_find(ours, not_before) != ours.end()) {
    std::ranges::stable_sort(ours, {}, &Member::key);
    parts_.clear();
    for (std::size_t i = 0; i < ours.size(); i++) {
      if (i + 1 == ours.size() || ours[i + 1].key != ours[i].key) parts_.push_back(ours[i].part);
    }
    to_->rearrange(begin, parts_);
  }
  members_.resize(first);
}

bool JsonReprinter::array(int level) {
  at_++;
  to_->begin_array();
  if (!take(']')) {
    do {
      if (!value(level + 1, Role::other)) return false;
    } while (take(','));
    if (!take(']')) return false;
  }
  to_->end_array();
  return true;
}

bool JsonReprinter::word(std::string_view expected) {
  if (!std::string_view(at_, static_cast<std::size_t>(end_ - at_)).starts_with(expected)) return false;
  at_ += expected.size();
  return true;
}

bool JsonReprinter::number() {
  const char* const begin = at_;
  const auto digits = [&] {
    const char* const from = at_;
    while (at_ != end_ && is_decimal(*at_)) at_++;
    return at_ - from;
  };
  if (*at_ == '-') at_++;
  const bool leading_zero = at_ != end_ && *at_ == '0';
  const std::ptrdiff_t whole = digits();
  if (whole == 0 || (leading_zero && whole > 1)) return false;
  const char* const end_of_whole = at_;
  if (at_ != end_ && *at_ == '.') {
    at_++;
    if (digits() == 0) return false;
  }
  if (at_ != end_ && (*at_ == 'e' || *at_ == 'E')) {
    at_++;
    if (at_ != end_ && (*at_ == '+' || *at_ == '-')) at_++;
    if (digits() == 0) return false;
  }
  if (at_ == end_of_whole) {
    std::int64_t number = 0;
    if (whole > kMostDigits || std::from_chars(begin, at_, number).ec != std::errc()) return false;
    to_->number(number);
    return true;
  }
  double number = 0;
  if (std::from_chars(begin, at_, number).ec != std::errc()) return false;
  to_->number(number == 0 ? 0 : number);  // a negative zero as print_json() has it
  return true;
}

// At its quote. A view into the text, or into `unescaped_`.
bool JsonReprinter::string(std::string_view& into) {
  const char* const begin = ++at_;
  bool escaped = false;
  if (!skip_string(escaped)) return false;
  const std::string_view raw(begin, static_cast<std::size_t>(at_ - begin - 1));
  if (escaped) return unescape(raw, into);
  into = raw;
  return true;
}

// To behind the closing quote; what is in front of it is UTF-8 and has no control characters.
bool JsonReprinter::skip_string(bool& escaped) {
  for (;;) {
    std::uint64_t word = 0;
    while (static_cast<std::size_t>(end_ - at_) >= sizeof word) {
      std::memcpy(&word, at_, sizeof word);
      if (needs_a_look(word)) break;
      at_ += sizeof word;
    }
    while (at_ != end_ && *at_ >= ' ' && *at_ != '"' && *at_ != '\\') at_++;
    if (at_ == end_) return false;
    if (*at_ == '"') break;
    if (*at_ == '\\') {
      escaped = true;
      if (end_ - at_ < 2) return false;
      at_ += 2;
      continue;
    }
    const auto lead = static_cast<unsigned char>(*at_);
    const std::size_t length = lead < ' ' ? 0 : utf8_length({at_, static_cast<std::size_t>(end_ - at_)});
    if (length == 0) return false;
    at_ += length;
  }
  at_++;
  return true;
}

bool JsonReprinter::unescape(std::string_view raw, std::string_view& into) {
  constexpr std::string_view kEscapes = "\"\\/bfnrt", kMeant = "\"\\/\b\f\n\r\t";
  std::string& text = unescaped_.emplace_front();
  text.reserve(raw.size());
  for (;;) {
    const std::size_t plain = std::min(raw.find('\\'), raw.size());
    text += raw.substr(0, plain);
    raw.remove_prefix(plain);
    if (raw.empty()) break;
    const char escape = raw[1];  // skip_string() saw it
    raw.remove_prefix(2);
    if (escape != 'u') {
      const std::size_t which = kEscapes.find(escape);
      if (which == std::string_view::npos) return false;
      text += kMeant[which];
      continue;
    }
    unsigned code = 0;
    if (raw.size() < 4 || std::from_chars(raw.data(), raw.data() + 4, code, 16).ptr != raw.data() + 4) return false;
    if (code >= 0xd800 && code < 0xe000) return false;  // a surrogate
    append_utf8(text, code);
    raw.remove_prefix(4);
  }
  into = text;
  return true;
}

}  // namespace tidemark::kube
