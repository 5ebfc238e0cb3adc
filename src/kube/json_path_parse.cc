// The grammar, as far as one can be told from the parser of client-go: some of what it takes is an accident that
// templates have come to rely on ("@" and "$" say nothing, "['a.b']" is two names), and is taken here as well.
#include <algorithm>
#include <charconv>
#include <iterator>
#include <utility>

#include "kube/json_path_part.h"
#include "kube/utf8.h"

namespace tidemark::kube {
namespace {

using NodeKind = PathNode::Kind;

// Expressions inside of filters, unions and quotes; more than a person writes.
constexpr int kMostNested = 32;
// No list is longer, and sums with it stay within 64 bits.
constexpr std::int64_t kMostIndex = 1LL << 40;

bool is_decimal(char c) { return c >= '0' && c <= '9'; }
bool begins_a_word(char c) {
  return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || static_cast<unsigned char>(c) >= 0x80;
}
bool ends_a_name(char c) { return std::string_view(" \t\r\n.,[]$@{}").find(c) != std::string_view::npos; }

void append_rune(std::string& to, std::uint32_t rune) {
  const auto tail = [&](unsigned shift) { to += static_cast<char>(0x80U | ((rune >> shift) & 0x3fU)); };
  if (rune < 0x80) {
    to += static_cast<char>(rune);
  } else if (rune < 0x800) {
    to += static_cast<char>(0xc0U | (rune >> 6U));
    tail(0);
  } else if (rune < 0x10000) {
    to += static_cast<char>(0xe0U | (rune >> 12U));
    tail(6);
    tail(0);
  } else {
    to += static_cast<char>(0xf0U | (rune >> 18U));
    tail(12);
    tail(6);
    tail(0);
  }
}

// One expression: from `begin` up to the brace that ends it, or within a window of the template up to its end.
class Expression {
 public:
  Expression(std::string_view text, std::size_t begin, std::size_t end, int nested)
      : text_(text.substr(0, end)), at_(begin), nested_(nested) {}

  // `brace`: where it was opened; nullopt: it is a window.
  Result<PathNodes> read(std::optional<std::size_t> brace) {
    if (nested_ > kMostNested) return no(at_, "more than {} expressions in each other", kMostNested);
    for (;;) {
      if (at_ == text_.size()) {
        if (brace) return no(*brace, "'{{' is not closed");
        return std::move(nodes_);
      }
      if (text_[at_] == '}') {
        at_++;
        return std::move(nodes_);
      }
      TM_CHECK(next(brace.value_or(at_)));
    }
  }
  // What stands between a bracket's quotes: a name, and whatever a dot in it brings.
  Result<PathNodes> read_behind_dot() {
    TM_CHECK(field(at_));
    return read(std::nullopt);
  }
  std::size_t at() const { return at_; }

 private:
  template <class... Args>
  std::unexpected<Error> no(std::size_t at, fmt::format_string<Args...> text, Args&&... args) const {
    return fail(Errc::invalid, "{}: {}", path_place(text_, at), fmt::format(text, std::forward<Args>(args)...));
  }
  std::string_view left() const { return text_.substr(at_); }
  PathNode& add(NodeKind kind, std::size_t at) {
    nodes_.push_back({.kind = kind, .at = at});
    return nodes_.back();
  }

  Status next(std::size_t brace) {
    const std::size_t begin = at_;
    if (left().starts_with("[?(")) return filter();
    if (left().starts_with("..")) return recursive();
    const char c = text_[at_];
    if (c == '\n' || c == '\r') return no(brace, "'{{' is not closed in its line");
    if (c == ' ' || c == '@' || c == '$') {  // the object that there is anyhow
      at_++;
      return {};
    }
    if (c == '[') return brackets();
    if (c == '"' || c == '\'') return quoted();
    if (c == '+' || c == '-' || is_decimal(c)) return number();
    if (begins_a_word(c)) return word();
    at_++;
    if (c == '.') return field(begin);
    return no(begin, "'{}' begins nothing that is known", text_.substr(begin, 1));
  }

  Status field(std::size_t begin) {
    const std::size_t name = at_;
    while (at_ < text_.size() && !ends_a_name(text_[at_])) {
      if (text_[at_] == '\\' && at_ + 1 == text_.size()) return no(at_, "nothing stands behind the backslash");
      at_ += text_[at_] == '\\' ? 2 : 1;
    }
    std::string word(text_.substr(name, at_ - name));
    if (word == "*") {
      add(NodeKind::members, begin);
      return {};
    }
    std::erase(word, '\\');
    add(NodeKind::field, begin).name = std::move(word);
    return {};
  }

  Status recursive() {
    if (!nodes_.empty() && nodes_.back().kind == NodeKind::recursive) return no(at_, "'..' stands behind '..'");
    const std::size_t begin = at_;
    at_ += 2;
    add(NodeKind::recursive, begin);
    if (at_ < text_.size() && (begins_a_word(text_[at_]) || is_decimal(text_[at_]))) return field(at_);
    return {};
  }

  Status number() {
    const std::size_t begin = at_;
    if (text_[at_] == '+' || text_[at_] == '-') at_++;
    while (at_ < text_.size() && (is_decimal(text_[at_]) || text_[at_] == '.')) at_++;
    std::string_view digits = text_.substr(begin, at_ - begin);
    if (digits.starts_with('+')) digits.remove_prefix(1);
    std::int64_t whole = 0;
    double real = 0;
    const auto all = [&](const auto& read) { return read.ec == std::errc{} && read.ptr == digits.end(); };
    if (all(std::from_chars(digits.begin(), digits.end(), whole))) {
      add(NodeKind::literal, begin).literal = whole;
    } else if (all(std::from_chars(digits.begin(), digits.end(), real, std::chars_format::fixed))) {
      add(NodeKind::literal, begin).literal = real;
    } else {
      return no(begin, "'{}' is not a number", digits);
    }
    return {};
  }

  Status word() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && !ends_a_name(text_[at_])) at_++;
    const std::string_view word = text_.substr(begin, at_ - begin);
    if (word == "true" || word == "false") {
      add(NodeKind::literal, begin).literal = word == "true";
      return {};
    }
    const bool range = word == "range";
    if (!range && word != "end") {
      return hinted(Status(no(begin, "'{}' is neither 'range' nor 'end', nor a path", word)),
                    nested_ > 0 ? fmt::format("text stands in quotes: \"{}\"", word)
                                : fmt::format("a path begins with a dot: .{}", word));
    }
    if (nested_ > 0) return no(begin, "'{}' stands in an expression of its own", word);
    add(range ? NodeKind::begin : NodeKind::end, begin);
    return {};
  }

  // ---- quotes

  Status quoted() {
    const std::size_t begin = at_++;
    const char mark = text_[begin];
    for (;; at_++) {
      if (at_ == text_.size() || text_[at_] == '\n') return no(begin, "the quote is not closed");
      if (text_[at_] == mark && text_[at_ - 1] != '\\') break;
    }
    TM_LET(std::string word, unescaped(begin + 1, at_, mark));
    at_++;
    add(NodeKind::literal, begin).literal = std::move(word);
    return {};
  }

  // As a Go string literal is read.
  Result<std::string> unescaped(std::size_t begin, std::size_t end, char mark) const {
    const std::string_view raw = text_.substr(begin, end - begin);
    if (raw.find('\\') == std::string_view::npos) return std::string(raw);
    std::string word;
    for (std::size_t i = 0; i < raw.size();) {
      if (raw[i] == mark) return no(begin + i, "a quote stands within quotes");
      if (raw[i] != '\\') {
        const std::size_t length = utf8_length(raw.substr(i));
        word += length == 0 ? std::string_view("\ufffd") : raw.substr(i, length);
        i += std::max<std::size_t>(length, 1);
        continue;
      }
      const std::size_t used = escape(raw.substr(i), mark, word);
      if (used == 0) return no(begin + i, "'{}' is not an escape", raw.substr(i, 2));
      i += used;
    }
    return word;
  }

  // Appends what stands at the beginning of `raw`; how many bytes that were, 0: it is none.
  static std::size_t escape(std::string_view raw, char mark, std::string& to) {
    if (raw.size() < 2) return 0;
    const char c = raw[1];
    constexpr std::string_view kLetters = "abfnrtv\\", kMeant = "\a\b\f\n\r\t\v\\";
    if (const std::size_t which = kLetters.find(c); which != std::string_view::npos) {
      to += kMeant[which];
      return 2;
    }
    if (c == '"' || c == '\'') {
      if (c != mark) return 0;
      to += c;
      return 2;
    }
    const bool octal = c >= '0' && c <= '7';
    const std::size_t first = octal ? 1 : 2, digits = octal ? 3 : c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
    if (digits == 0 || raw.size() < first + digits) return 0;
    std::uint32_t value = 0;
    const char* const end = raw.data() + first + digits;
    const auto read = std::from_chars(raw.data() + first, end, value, octal ? 8 : 16);
    if (read.ec != std::errc{} || read.ptr != end) return 0;
    if (octal || c == 'x') {
      if (value > 0xff) return 0;
      to += static_cast<char>(value);
    } else {
      if (value > 0x10ffff || (value >= 0xd800 && value < 0xe000)) return 0;
      append_rune(to, value);
    }
    return first + digits;
  }

  // ---- brackets

  Status brackets() {
    const std::size_t begin = at_, end = text_.find_first_of("]\n", at_);
    if (end == std::string_view::npos || text_[end] == '\n') return no(begin, "'[' is not closed");
    at_ = end + 1;
    const std::string_view inside = text_.substr(begin + 1, end - begin - 1);
    if (inside.find(',') == std::string_view::npos) return index(begin, begin + 1, end, nodes_);
    PathNode each{.kind = NodeKind::each, .at = begin};
    for (std::size_t from = begin + 1; from <= end;) {
      const std::size_t to = std::min(text_.find(',', from), end);
      std::size_t first = from, last = to;
      while (first < last && text_[first] == ' ') first++;
      while (last > first && text_[last - 1] == ' ') last--;
      TM_CHECK(index(first, first, last, each.inner.emplace_back()));
      from = to + 1;
    }
    nodes_.push_back(std::move(each));
    return {};
  }

  // What stands between brackets, without commas.
  Status index(std::size_t begin, std::size_t first, std::size_t last, PathNodes& to) const {
    const std::string_view inside = text_.substr(first, last - first);
    if (inside.size() >= 2 && inside.front() == '\'' && inside.find('\'', 1) == inside.size() - 1) {
      Expression name(text_, first + 1, last - 1, nested_ + 1);
      TM_LET(PathNodes nodes, name.read_behind_dot());
      std::ranges::move(nodes, std::back_inserter(to));
      return {};
    }
    PathNode node{.kind = NodeKind::slice, .at = begin};
    const std::string_view numbers = inside == "*" ? ":" : inside;
    std::optional<std::int64_t>* const parts[] = {&node.slice.from, &node.slice.to, &node.slice.step};
    std::size_t part = 0, from = 0;
    for (; part < std::size(parts) && from <= numbers.size(); part++) {
      const std::size_t to_colon = std::min(numbers.find(':', from), numbers.size());
      TM_LET(*parts[part], whole_number(begin, numbers.substr(from, to_colon - from), inside));
      from = to_colon + 1;
    }
    if (from <= numbers.size()) return no(begin, "[{}] is neither an index nor a name in single quotes", inside);
    node.slice.one = part == 1;
    to.push_back(std::move(node));
    return {};
  }

  Result<std::optional<std::int64_t>> whole_number(std::size_t begin, std::string_view digits,
                                                   std::string_view inside) const {
    if (digits.empty()) return std::nullopt;
    std::int64_t value = 0;
    const auto read = std::from_chars(digits.begin(), digits.end(), value);
    if (read.ec != std::errc{} || read.ptr != digits.end() || value < -kMostIndex || value > kMostIndex) {
      return hinted(Result<std::optional<std::int64_t>>(
                        no(begin, "[{}] is neither an index nor a name in single quotes", inside)),
                    "[0]  [-1:]  [*]  ['name']  [?(@.a==\"b\")]");
    }
    return value;
  }

  // [?(...)]. A parenthesis ends it unless one pair of quotes is open.
  Status filter() {
    const std::size_t begin = at_;
    at_ += 3;
    const std::size_t first = at_;
    bool opened = false, closed = false;
    for (char mark = '\0';; at_++) {
      if (at_ == text_.size() || text_[at_] == '\n') return no(begin, "'[?(' is not closed");
      const char c = text_[at_];
      if (c == '"' || c == '\'') {
        if (!std::exchange(opened, true)) {
          mark = c;
        } else if (c == mark && text_[at_ - 1] != '\\') {
          closed = true;
        }
      }
      if (c == ')' && opened == closed) break;
    }
    const std::size_t last = at_++;
    if (at_ == text_.size() || text_[at_] != ']') return no(begin, "']' is missing behind the filter's ')'");
    at_++;
    return condition(begin, first, last);
  }

  Status condition(std::size_t begin, std::size_t first, std::size_t last) {
    constexpr std::string_view kSigns = "!<>=";
    const std::string_view inside = text_.substr(first, last - first);
    const std::size_t sign = inside.find_first_of(kSigns);
    std::size_t behind = sign == std::string_view::npos ? sign : inside.find_first_not_of(kSigns, sign);
    if (behind == std::string_view::npos) behind = inside.size() - 1;  // something has to be on the right
    if (sign == std::string_view::npos || sign == 0 || behind <= sign) {
      PathNode node{.kind = NodeKind::exists, .at = begin};
      TM_LET(node.inner.emplace_back(), Expression(text_, first, last, nested_ + 1).read(std::nullopt));
      nodes_.push_back(std::move(node));
      return {};
    }
    constexpr std::pair<std::string_view, PathNode::Is> kKnown[] = {
        {"<", PathNode::Is::less},       {">", PathNode::Is::greater},  {"==", PathNode::Is::equal},
        {"!=", PathNode::Is::not_equal}, {"<=", PathNode::Is::at_most}, {">=", PathNode::Is::at_least}};
    const std::string_view word = inside.substr(sign, behind - sign);
    const auto* const is = std::ranges::find(kKnown, word, [](const auto& row) { return row.first; });
    if (is == std::end(kKnown)) return no(first + sign, "'{}' is none of < > == != <= >=", word);
    PathNode node{.kind = NodeKind::compare, .at = begin, .is = is->second};
    TM_LET(node.inner.emplace_back(), Expression(text_, first, first + sign, nested_ + 1).read(std::nullopt));
    TM_LET(node.inner.emplace_back(), Expression(text_, first + behind, last, nested_ + 1).read(std::nullopt));
    nodes_.push_back(std::move(node));
    return {};
  }

  const std::string_view text_;  // up to where the expression ends at the latest
  std::size_t at_;
  const int nested_;
  PathNodes nodes_;
};

}  // namespace

std::string path_place(std::string_view text, std::size_t at) {
  const std::string_view before = text.substr(0, at);
  const auto characters =
      std::ranges::count_if(before, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; });
  return fmt::format("character {}", characters + 1);
}

Result<std::vector<PathPart>> parse_path(std::string_view text) {
  std::vector<PathPart> parts;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t brace = std::min(text.find('{', at), text.size());
    if (brace > at) {
      PathNode words{.kind = NodeKind::literal, .at = at};
      words.literal = std::string(text.substr(at, brace - at));
      parts.push_back({.expression = false, .nodes = {std::move(words)}});
    }
    if (brace == text.size()) break;
    Expression expression(text, brace + 1, text.size(), 0);
    TM_LET(PathNodes nodes, expression.read(brace));
    parts.push_back({.expression = true, .nodes = std::move(nodes)});
    at = expression.at();
  }
  return parts;
}

}  // namespace tidemark::kube
