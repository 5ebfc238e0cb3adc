#include "kube/json_path.h"

#include <charconv>
#include <nlohmann/json.hpp>
#include <string>

namespace tidemark::kube {
namespace {

using nlohmann::json;
using Found = std::vector<const json*>;

class Path {
 public:
  explicit Path(std::string_view path) : path_(path), left_(path) {}

  Result<Found> find(const json& object) {
    // Braces are optional around the whole.
    if (take('{')) {
      if (!left_.ends_with('}')) return not_known();
      left_.remove_suffix(1);
    }
    Found found{&object};
    while (!left_.empty()) {
      if (take('.')) {
        TM_LET(const std::string name, name_after_dot());
        if (name == "*") {
          found = all_of(found);
        } else if (!name.empty()) {
          found = members(found, name);
        }
        continue;
      }
      if (!take('[')) return not_known();
      TM_LET(found, inside_brackets(found));
    }
    return found;
  }

 private:
  std::unexpected<Error> not_known() const {
    return fail(Errc::unsupported, "JSON path '{}': character {} begins a part that is not known", path_,
                path_.size() - left_.size() + 1);
  }
  bool take(char c) {
    if (!left_.starts_with(c)) return false;
    left_.remove_prefix(1);
    return true;
  }
  bool take(std::string_view text) {
    if (!left_.starts_with(text)) return false;
    left_.remove_prefix(text.size());
    return true;
  }

  // Up to the next dot or bracket; a backslash takes the meaning of the character behind it.
  Result<std::string> name_after_dot() {
    std::string name;
    while (!left_.empty() && left_.front() != '.' && left_.front() != '[') {
      if (take('\\') && left_.empty()) return not_known();
      name += left_.front();
      left_.remove_prefix(1);
    }
    return name;
  }

  Result<std::string> quoted() {
    const char mark = left_.empty() ? '\0' : left_.front();
    if (mark != '\'' && mark != '"') return not_known();
    const std::size_t end = left_.find(mark, 1);
    if (end == std::string_view::npos) return not_known();
    std::string text(left_.substr(1, end - 1));
    std::erase(text, '\\');
    left_.remove_prefix(end + 1);
    return text;
  }

  Result<Found> inside_brackets(const Found& from) {
    if (take("*]")) return all_of(from);
    if (take("?(@")) return filtered(from);
    if (left_.starts_with('\'') || left_.starts_with('"')) {
      TM_LET(const std::string name, quoted());
      if (!take(']')) return not_known();
      return members(from, name);
    }
    std::int64_t index = 0;
    const auto [end, error] = std::from_chars(left_.data(), left_.data() + left_.size(), index);
    if (error != std::errc{}) return not_known();
    left_.remove_prefix(static_cast<std::size_t>(end - left_.data()));
    if (!take(']')) return not_known();
    Found found;
    for (const json* list : from) {
      if (!list->is_array()) continue;
      const auto size = static_cast<std::int64_t>(list->size());
      const std::int64_t at = index < 0 ? index + size : index;
      if (at >= 0 && at < size) found.push_back(&(*list)[static_cast<std::size_t>(at)]);
    }
    return found;
  }

  // Behind "[?(@": a path of names, "==" or "!=", and a word.
  Result<Found> filtered(const Found& from) {
    std::vector<std::string> names;
    while (take('.')) {
      std::string name;
      while (!left_.empty() && std::string_view(".=!)] ").find(left_.front()) == std::string_view::npos) {
        name += left_.front();
        left_.remove_prefix(1);
      }
      names.push_back(std::move(name));
    }
    while (take(' ')) continue;
    const bool equal = take("==");
    if (!equal && !take("!=")) return not_known();
    while (take(' ')) continue;
    std::string word;
    if (left_.starts_with('\'') || left_.starts_with('"')) {
      TM_LET(word, quoted());
    } else {
      const std::size_t end = std::min(left_.find(')'), left_.size());
      word = left_.substr(0, end);
      left_.remove_prefix(end);
    }
    if (!take(")]")) return not_known();
    Found found;
    for (const json* one : all_of(from)) {
      Found value{one};
      for (const std::string& name : names) value = members(value, name);
      const bool same = !value.empty() && text_of(*value.front()) == word;
      if (!value.empty() && same == equal) found.push_back(one);
    }
    return found;
  }

  static std::string text_of(const json& value) { return value.is_string() ? value.get<std::string>() : value.dump(); }

  static Found members(const Found& from, const std::string& name) {
    Found found;
    for (const json* one : from) {
      if (!one->is_object()) continue;
      const auto member = one->find(name);
      if (member != one->end()) found.push_back(&*member);
    }
    return found;
  }

  static Found all_of(const Found& from) {
    Found found;
    for (const json* one : from) {
      if (!one->is_structured()) continue;
      for (const json& inner : *one) found.push_back(&inner);
    }
    return found;
  }

  const std::string_view path_;
  std::string_view left_;
};

}  // namespace

Result<Found> find_path(const json& object, std::string_view path) { return Path(path).find(object); }

}  // namespace tidemark::kube
