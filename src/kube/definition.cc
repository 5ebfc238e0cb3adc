#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>
#include <tuple>

#include "kube/json_text.h"
#include "kube/resource.h"

namespace tidemark::kube {
namespace {

using nlohmann::json;

const json kNothing;

// A member of an object; null when it is not there or `from` is no object.
const json& at(const json& from, const char* name) {
  if (!from.is_object()) return kNothing;
  const auto found = from.find(name);
  return found == from.end() ? kNothing : *found;
}

std::string text(const json& value) { return value.is_string() ? value.get<std::string>() : std::string(); }
bool is_true(const json& value) { return value.is_boolean() && value.get<bool>(); }

std::vector<std::string> texts(const json& value) {
  std::vector<std::string> all;
  if (!value.is_array()) return all;
  for (const json& one : value) {
    if (one.is_string()) all.push_back(one.get<std::string>());
  }
  return all;
}

// How clients order versions: stable ones first, then beta, then alpha, the higher numbers first; others by the
// alphabet behind them. Greater is preferred.
struct Rank {
  int stability = 0;  // 3: stable, 2: beta, 1: alpha, 0: of another form
  int major = 0, minor = 0;
  std::string name;
  bool operator<(const Rank& other) const {
    if (std::tie(stability, major, minor) != std::tie(other.stability, other.major, other.minor)) {
      return std::tie(stability, major, minor) < std::tie(other.stability, other.major, other.minor);
    }
    return name > other.name;
  }
};

std::optional<int> take_number(std::string_view& from) {
  int value = 0;
  const auto [end, error] = std::from_chars(from.data(), from.data() + from.size(), value);
  if (error != std::errc{} || value < 1 || from.front() == '0') return std::nullopt;
  from.remove_prefix(static_cast<std::size_t>(end - from.data()));
  return value;
}

Rank rank_of(const std::string& version) {
  Rank other{.name = version};
  std::string_view left = version;
  if (!left.starts_with('v')) return other;
  left.remove_prefix(1);
  Rank rank;
  const auto major = take_number(left);
  if (!major) return other;
  rank.major = *major;
  rank.stability = 3;
  if (left.empty()) return rank;
  for (const auto& [word, stability] : {std::pair{"alpha", 1}, std::pair{"beta", 2}}) {
    if (!left.starts_with(word)) continue;
    left.remove_prefix(std::string_view(word).size());
    const auto minor = take_number(left);
    if (!minor || !left.empty()) return other;
    rank.minor = *minor;
    rank.stability = stability;
    return rank;
  }
  return other;
}

std::vector<PrinterColumn> columns_of(const json& list) {
  std::vector<PrinterColumn> all;
  if (!list.is_array()) return all;
  for (const json& one : list) {
    PrinterColumn column{.name = text(at(one, "name")), .type = text(at(one, "type")), .json_path = {}, .priority = 0};
    column.json_path = text(at(one, "jsonPath"));
    if (column.json_path.empty()) column.json_path = text(at(one, "JSONPath"));  // v1beta1
    if (at(one, "priority").is_number_integer()) column.priority = at(one, "priority").get<std::int64_t>();
    all.push_back(std::move(column));
  }
  return all;
}

}  // namespace

Result<Resource> read_definition(Bytes value) {
  TM_LET(const json object, parse_json_or_cbor(value));
  const json& spec = at(object, "spec");
  const json& names = at(spec, "names");
  Resource r;
  r.custom = true;
  r.group = text(at(spec, "group"));
  r.plural = text(at(names, "plural"));
  r.kind = text(at(names, "kind"));
  r.singular = text(at(names, "singular"));
  r.short_names = texts(at(names, "shortNames"));
  r.categories = texts(at(names, "categories"));
  r.namespaced = text(at(spec, "scope")) != "Cluster";
  if (r.group.empty() || r.plural.empty() || r.kind.empty()) {
    return fail(Errc::corrupt, "a definition without group, plural or kind");
  }
  r.prefix = r.group + "/" + r.plural;
  r.convertible = text(at(at(spec, "conversion"), "strategy")) != "Webhook";
  r.columns = columns_of(at(spec, "additionalPrinterColumns"));  // v1beta1: of all versions
  r.version = text(at(spec, "version"));                         // v1beta1, with one version
  const json& versions = at(spec, "versions");
  if (!versions.is_array()) return r;
  std::optional<Rank> best;
  for (const json& version : versions) {
    const std::string name = text(at(version, "name"));
    if (!is_true(at(version, "served"))) continue;
    Rank rank = rank_of(name);
    if (best && !(*best < rank)) continue;
    best = std::move(rank);
    r.version = name;
    if (at(version, "additionalPrinterColumns").is_array()) {
      r.columns = columns_of(at(version, "additionalPrinterColumns"));
    }
  }
  r.other_versions = versions.size() > 1;
  return r;
}

}  // namespace tidemark::kube
