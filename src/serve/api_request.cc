#include "serve/api_request.h"

#include <algorithm>
#include <charconv>

namespace tidemark::serve {
namespace {

// Deeper is no path of the API: /at/W/apis/G/V/namespaces/N/R/NAME/SUB, and a proxy's path behind it.
constexpr std::size_t kMostParts = 32;

bool is_printable(std::string_view text) {
  return std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

Result<std::vector<std::string>> read_path(std::string_view path) {
  std::vector<std::string> parts;
  while (!path.empty()) {
    path.remove_prefix(1);
    const std::size_t end = std::min(path.find('/'), path.size());
    TM_LET(std::string part, net::percent_decode(path.substr(0, end)));
    path.remove_prefix(end);
    if (part.empty() && path.empty()) break;  // a slash at the end
    const bool plain = !part.empty() && part != "." && part != ".." && part.find('/') == std::string::npos;
    if (!plain || !is_printable(part))
      return fail(Errc::invalid, "part {} of the path is not a name", parts.size() + 1);
    if (parts.size() == kMostParts) return fail(Errc::invalid, "a path of more than {} parts", kMostParts);
    parts.push_back(std::move(part));
  }
  return parts;
}

// As Go's clients encode them: a blank as '+'.
std::string without_plus(std::string_view query) {
  std::string text;
  for (const char c : query) {
    if (c == '+') {
      text += "%20";
    } else {
      text += c;
    }
  }
  return text;
}

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

// Takes up to the mark away from the front.
std::string_view take_until(std::string_view& text, char mark) {
  const std::size_t end = std::min(text.find(mark), text.size());
  const std::string_view front = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return trimmed(front);
}

std::optional<Form> form_of(std::string_view range) {
  const std::string_view type = take_until(range, ';');
  if (type != "application/json" && type != "application/*" && type != "*/*") return std::nullopt;
  std::string_view as, group, version;
  while (!range.empty()) {
    std::string_view pair = take_until(range, ';');
    const std::string_view name = take_until(pair, '=');
    if (name == "as") as = pair;
    if (name == "g") group = pair;
    if (name == "v") version = pair;
    if (name == "q" && (pair == "0" || pair == "0.0")) return std::nullopt;
  }
  if (as.empty()) return Form::object;
  if (group == "meta.k8s.io" && version == "v1") {
    if (as == "Table") return Form::table;
    if (as == "PartialObjectMetadata" || as == "PartialObjectMetadataList") return Form::partial;
  }
  if (group == "apidiscovery.k8s.io" && version == "v2" && as == "APIGroupDiscoveryList") return Form::discovery;
  return std::nullopt;
}

}  // namespace

std::string_view ApiTarget::parameter(std::string_view name) const {
  const auto found = std::ranges::find(query, name, [](const auto& pair) -> std::string_view { return pair.first; });
  return found == query.end() ? std::string_view() : std::string_view(found->second);
}

bool ApiTarget::has(std::string_view name) const { return !parameter(name).empty(); }

bool ApiTarget::flag(std::string_view name) const {
  const std::string_view value = parameter(name);
  return value == "1" || value == "t" || value == "T" || value == "true" || value == "TRUE" || value == "True";
}

Result<ApiTarget> read_target(std::string_view target) {
  if (!target.starts_with('/')) return fail(Errc::invalid, "the request is not for a path");
  ApiTarget read;
  const std::size_t question = std::min(target.find('?'), target.size());
  TM_LET(read.path, read_path(target.substr(0, question)));
  if (question < target.size()) {
    TM_LET(read.query, net::parse_query(without_plus(target.substr(question + 1))));
  }
  if (read.path.empty() || read.path.front() != "at") return read;
  if (read.path.size() < 2) return fail(Errc::invalid, "/at/ needs a moment behind it");
  read.when = std::move(read.path[1]);
  std::ptrdiff_t parts = 2;
  if (read.when.starts_with("before:delete:") && read.path.size() > 2) {
    // KIND/NAME has a slash of its own, and clients that join paths do not keep one encoded.
    read.when += "/" + read.path[2];
    parts++;
  }
  read.path.erase(read.path.begin(), read.path.begin() + parts);
  return read;
}

std::optional<std::int64_t> read_count(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
}

std::optional<Form> read_accept(std::string_view accept) {
  if (trimmed(accept).empty()) return Form::object;
  while (!accept.empty()) {
    if (const auto form = form_of(take_until(accept, ','))) return form;
  }
  return std::nullopt;
}

}  // namespace tidemark::serve
