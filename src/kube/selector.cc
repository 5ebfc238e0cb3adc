#include "kube/selector.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>

namespace tidemark::kube {
namespace {

using nlohmann::json;

constexpr std::string_view kName = "metadata.name", kNamespace = "metadata.namespace";

bool is_blank(char c) { return c == ' ' || c == '\t'; }

// SelectorWords and marks of a selector, one after another.
class SelectorWords {
 public:
  explicit SelectorWords(std::string_view text) : text_(text) {}

  void skip_blanks() {
    while (at_ < text_.size() && is_blank(text_[at_])) at_++;
  }
  bool at_end() {
    skip_blanks();
    return at_ == text_.size();
  }
  bool take(std::string_view mark) {
    skip_blanks();
    if (!text_.substr(at_).starts_with(mark)) return false;
    at_ += mark.size();
    return true;
  }
  // Up to the next blank or mark; may be empty.
  std::string_view word() {
    skip_blanks();
    const std::size_t begin = at_;
    while (at_ < text_.size() && !is_blank(text_[at_]) &&
           std::string_view("=!(),<>").find(text_[at_]) == std::string_view::npos)
      at_++;
    return text_.substr(begin, at_ - begin);
  }
  std::unexpected<Error> wrong(std::string_view what) const {
    return fail(Errc::invalid, "selector '{}': {} at character {}", text_, what, at_ + 1);
  }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
};

// A name of a label: [prefix/]name.
bool is_key(std::string_view key) {
  const std::size_t slash = key.find('/');
  const std::string_view name = slash == std::string_view::npos ? key : key.substr(slash + 1);
  const auto letter = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; };
  if (slash == 0 || name.empty() || name.size() > 63 || !letter(name.front()) || !letter(name.back())) return false;
  return std::ranges::all_of(key, [&](char c) { return letter(c) || c == '-' || c == '_' || c == '.' || c == '/'; }) &&
         name.find('/') == std::string_view::npos;
}

std::optional<std::int64_t> whole(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

Result<std::vector<std::string>> value_list(SelectorWords& words) {
  if (!words.take("(")) return words.wrong("'(' expected");
  std::vector<std::string> values;
  do {
    values.emplace_back(words.word());
  } while (words.take(","));
  if (!words.take(")")) return words.wrong("')' expected");
  return values;
}

}  // namespace

Result<LabelSelector> LabelSelector::parse(std::string_view text) {
  LabelSelector selector;
  SelectorWords words(text);
  if (words.at_end()) return selector;
  do {
    Rule rule;
    const bool negated = words.take("!");
    rule.key = words.word();
    if (!is_key(rule.key)) return words.wrong("the name of a label expected");
    if (negated) {
      rule.is = Is::missing;
    } else if (words.take("==") || words.take("=")) {
      rule.is = Is::one_of;
      rule.values = {std::string(words.word())};
    } else if (words.take("!=")) {
      rule.is = Is::none_of;
      rule.values = {std::string(words.word())};
    } else if (const bool above = words.take(">"); above || words.take("<")) {
      rule.is = above ? Is::above : Is::below;
      rule.values = {std::string(words.word())};
      if (!whole(rule.values.front())) return words.wrong("a whole number expected");
    } else if (const std::string_view word = words.word(); !word.empty()) {
      if (word != "in" && word != "notin") return words.wrong("'=', '!=', 'in' or 'notin' expected");
      rule.is = word == "in" ? Is::one_of : Is::none_of;
      TM_LET(rule.values, value_list(words));
    }
    selector.rules_.push_back(std::move(rule));
  } while (words.take(","));
  if (!words.at_end()) return words.wrong("',' expected");
  return selector;
}

bool LabelSelector::holds(const Rule& rule, std::optional<std::string_view> value) {
  const auto listed = [&] { return std::ranges::find(rule.values, *value) != rule.values.end(); };
  switch (rule.is) {
    case Is::one_of: return value && listed();
    case Is::none_of: return !value || !listed();
    case Is::there: return value.has_value();
    case Is::missing: return !value;
    case Is::above:
    case Is::below: break;
  }
  if (!value) return false;
  const auto is = whole(*value), limit = whole(rule.values.front());
  if (!is || !limit) return false;
  return rule.is == Is::above ? *is > *limit : *is < *limit;
}

bool LabelSelector::matches(const json& labels) const {
  return std::ranges::all_of(rules_, [&](const Rule& rule) {
    std::optional<std::string_view> value;
    if (labels.is_object()) {
      const auto found = labels.find(rule.key);
      if (found != labels.end() && found->is_string()) value = *found->get_ptr<const std::string*>();
    }
    return holds(rule, value);
  });
}

bool LabelSelector::matches_labels_of(const ObjectMetadata& object) const {
  return std::ranges::all_of(rules_, [&](const Rule& rule) {
    std::optional<std::string_view> value;
    for (const Label& label : object.labels) {
      if (label.first == rule.key) value = label.second;
    }
    return holds(rule, value);
  });
}

Result<FieldSelector> FieldSelector::parse(std::string_view text) {
  FieldSelector selector;
  TM_LET(selector.terms_, parse_field_terms(text));
  for (const FieldTerm& term : selector.terms_) {
    if (term.field == kName || term.field == kNamespace) continue;
    return fail(Errc::unsupported, "field selector '{}': only {} and {} are known", term.field, kName, kNamespace);
  }
  return selector;
}

bool FieldSelector::matches(std::string_view ns, std::string_view name) const {
  return std::ranges::all_of(
      terms_, [&](const FieldTerm& term) { return ((term.field == kName ? name : ns) == term.value) == term.equal; });
}

}  // namespace tidemark::kube
