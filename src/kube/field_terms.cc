#include <algorithm>

#include "kube/selector.h"

namespace tidemark::kube {
namespace {

// Up to the next ',' that has no backslash in front.
std::string_view first_term(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); i++) {
    if (text[i] == '\\') {
      i++;
    } else if (text[i] == ',') {
      return text.substr(0, i);
    }
  }
  return text;
}

Result<std::string> unescape(std::string_view value, std::string_view term) {
  std::string plain;
  for (std::size_t i = 0; i < value.size(); i++) {
    if (value[i] == '=') return fail(Errc::invalid, "field selector '{}': '=' in a value is written '\\='", term);
    if (value[i] == '\\') {
      i++;
      if (i == value.size() || std::string_view("\\,=").find(value[i]) == std::string_view::npos) {
        return fail(Errc::invalid, "field selector '{}': behind a backslash ',', '=' or another one is expected", term);
      }
    }
    plain += value[i];
  }
  return plain;
}

}  // namespace

Result<std::vector<FieldTerm>> parse_field_terms(std::string_view text) {
  std::vector<FieldTerm> terms;
  while (!text.empty()) {
    const std::string_view one = first_term(text);
    text.remove_prefix(std::min(one.size() + 1, text.size()));
    if (one.empty()) continue;
    const std::size_t equals = one.find('=');
    if (equals == std::string_view::npos) {
      return fail(Errc::invalid, "field selector '{}': '=' or '!=' expected", one);
    }
    std::string_view field = one.substr(0, equals), value = one.substr(equals + 1);
    const bool equal = !field.ends_with('!');
    if (!equal) {
      field.remove_suffix(1);
    } else if (value.starts_with('=')) {
      value.remove_prefix(1);
    }
    TM_LET(std::string plain, unescape(value, one));
    terms.push_back({.field = std::string(field), .equal = equal, .value = std::move(plain)});
  }
  return terms;
}

}  // namespace tidemark::kube
