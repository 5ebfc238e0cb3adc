#include "history/comparison.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "history/object_reader.h"
#include "kube/storage_key.h"

namespace tidemark::history {
namespace {

using nlohmann::json;

// What every cluster writes all the time by itself.
bool is_always_changing(const kube::Resource& resource) {
  return resource.prefix == "events" || resource.prefix == "leases";
}

bool side_matches(const kube::LabelSelector& selector, const Result<json>& object) {
  const json::json_pointer labels("/metadata/labels");
  return !object || (!object->is_null() && selector.matches(object->contains(labels) ? object->at(labels) : json()));
}

}  // namespace

Status Comparison::load(Moment& before, Moment& after) {
  const Asked asked = wanted_.asked();
  const auto nothing = [](std::string_view, Revision) { return false; };
  TM_LET(Rows then, before.below(asked, nothing));
  const auto same = [&then](std::string_view key, Revision mod) {
    const auto found = then.find(key);
    return found != then.end() && found->second.mod == mod;
  };
  TM_LET(Rows now, after.below(asked, [&](std::string_view key, Revision mod) { return !same(key, mod); }));
  for (const Wanted::Kind& kind : wanted_.kinds()) {
    for (const std::string& name : kind.names) {
      const std::string key = wanted_.prefix_of(*kind.resource) + name;
      if (!then.contains(key) && !now.contains(key)) missing_.emplace_back(kind.resource, name);
    }
  }
  // What is the same in both goes.
  for (auto row = now.begin(); row != now.end();) {
    if (!same(row->first, row->second.mod)) {
      ++row;
      continue;
    }
    then.erase(row->first);
    row = now.erase(row);
  }
  after_ = std::move(now);
  if (then.empty()) return {};
  const auto differs = [&then](std::string_view key, Revision) { return then.contains(key); };
  TM_LET(before_, before.below(asked, differs));
  std::erase_if(before_, [&](const auto& row) { return !then.contains(row.first); });
  return {};
}

Result<Comparison> Comparison::make(Moment& before, Moment& after, const ObjectWish& wish) {
  TM_LET(Wanted wanted, Wanted::read(wish, "diff", /*words_needed=*/false));
  const auto definitions = [&](const std::string& prefix) -> Result<Rows> {
    TM_LET(Rows rows, after.below(std::vector{prefix}));
    TM_LET(Rows earlier, before.below(std::vector{prefix}));
    rows.merge(earlier);
    return rows;
  };
  TM_CHECK(wanted.resolve(definitions, fmt::format("at revision {} nor at {}", before.revision(), after.revision())));
  Comparison comparison(wish, std::move(wanted));
  comparison.notes_ = comparison.wanted_.notes();
  TM_CHECK(comparison.load(before, after));
  return comparison;
}

Status Comparison::for_each(const std::function<Status(const Pair&)>& each) {
  std::set<std::string_view> keys;
  for (const auto& [key, row] : before_) keys.insert(key);
  for (const auto& [key, row] : after_) keys.insert(key);
  ObjectReader reader(wish_.decryptor, /*managed_fields=*/true);
  std::size_t told = 0;
  const auto side = [&](const Rows& rows, const std::string& key, const kube::Resource& resource,
                        Revision& written) -> Result<json> {
    const auto row = rows.find(key);
    if (row == rows.end()) return json();
    written = row->second.mod;
    return reader.read(key, row->second, resource);
  };
  std::set<std::string_view> told_keys;
  for (const Wanted::Kind& kind : wanted_.kinds()) {
    if (wanted_.everything() && is_always_changing(*kind.resource)) continue;
    const std::string prefix = wanted_.prefix_of(*kind.resource);
    for (auto at = keys.lower_bound(prefix); at != keys.end() && at->starts_with(prefix); ++at) {
      const bool named =
          kind.names.empty() || std::ranges::find(kind.names, at->substr(prefix.size())) != kind.names.end();
      const auto place = named ? wanted_.place_of(*kind.resource, *at) : std::nullopt;
      // Kinds of two groups may have the same keys.
      if (!place || !told_keys.insert(*at).second) continue;
      const std::string key(*at);
      Pair pair{.resource = kind.resource,
                .ns = place->ns,
                .name = place->name,
                .key = &key,
                .before_written = {},
                .after_written = {},
                .before = json(),
                .after = json()};
      pair.before = side(before_, key, *kind.resource, pair.before_written);
      pair.after = side(after_, key, *kind.resource, pair.after_written);
      for (; told < reader.notes().size(); told++) notes_.push_back(reader.notes()[told]);
      if (!wish_.labels.empty() && !side_matches(wish_.labels, pair.before) &&
          !side_matches(wish_.labels, pair.after)) {
        continue;
      }
      TM_CHECK(each(pair));
    }
  }
  if (!wanted_.everything()) return {};
  std::size_t unknown = 0, left_out = 0;
  for (const std::string_view key : keys) {
    if (told_keys.contains(key) || !kube::parse_storage_key(as_bytes(key), wish_.etcd_prefix)) continue;
    const auto place = wanted_.place_of(key);
    (place && is_always_changing(*place->resource) ? left_out : unknown)++;
  }
  if (left_out > 0)
    notes_.push_back(fmt::format("{} changed events and leases are left out: name them to see them", left_out));
  if (unknown > 0) {
    notes_.push_back(fmt::format("{} changed keys are of no kind that is known", unknown));
  }
  return {};
}

}  // namespace tidemark::history
