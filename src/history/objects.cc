#include "history/objects.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "kube/object_json.h"
#include "kube/served.h"
#include "kube/storage_value.h"

namespace tidemark::history {
namespace {

using kube::Resource;
using nlohmann::json;

std::vector<std::string> split(std::string_view text, char at) {
  std::vector<std::string> parts;
  for (;;) {
    const std::size_t mark = text.find(at);
    parts.emplace_back(text.substr(0, mark));
    if (mark == std::string_view::npos) return parts;
    text.remove_prefix(mark + 1);
  }
}

std::string prefix_of(const ObjectWish& wish, const Resource& resource) {
  std::string prefix = wish.etcd_prefix + "/" + resource.prefix + "/";
  if (resource.namespaced && !wish.all_namespaces) prefix += wish.ns + "/";
  return prefix;
}

}  // namespace

// "deploy web db", "deploy/web svc/db", "deploy,svc".
Result<std::vector<Selection::Asked>> Selection::read_words(const ObjectWish& wish) {
  std::vector<Asked> asked;
  if (wish.words.empty()) {
    return hinted(Result<std::vector<Asked>>(fail(Errc::invalid, "get what?")),
                  "a kind and perhaps names: get deploy, get deploy/web, get cm,secrets -A");
  }
  if (wish.ns.empty()) return fail(Errc::invalid, "-n: the name of a namespace expected");
  if (wish.words.front().find('/') == std::string::npos) {
    const std::vector<std::string> names(wish.words.begin() + 1, wish.words.end());
    for (const std::string& name : names) {
      if (name.find('/') != std::string::npos) {
        return fail(Errc::invalid, "'{}': with KIND/NAME no kind may stand alone before it", name);
      }
    }
    for (std::string& kind : split(wish.words.front(), ',')) asked.push_back({std::move(kind), names});
  } else {
    for (const std::string& word : wish.words) {
      const std::vector<std::string> parts = split(word, '/');
      if (parts.size() != 2 || parts[0].empty() || parts[1].empty()) {
        return fail(Errc::invalid, "'{}': KIND/NAME expected", word);
      }
      const auto same = std::ranges::find(asked, parts[0], &Asked::word);
      if (same == asked.end()) {
        asked.push_back({parts[0], {parts[1]}});
      } else {
        same->names.push_back(parts[1]);
      }
    }
  }
  const bool named = std::ranges::any_of(asked, [](const Asked& a) { return !a.names.empty(); });
  if (named && wish.all_namespaces) {
    return hinted(Result<std::vector<Asked>>(fail(Errc::invalid, "a name does not go with -A")),
                  "--field-selector metadata.name=NAME finds it in all namespaces");
  }
  if (named && !wish.labels.empty()) return fail(Errc::invalid, "a name does not go with -l");
  return asked;
}

Result<Bytes> Selection::opened(std::string_view key, const Row& row, Buffer& plain) const {
  const Bytes value = as_bytes(row.value);
  if (kube::encoding_of(value) != kube::Encoding::encrypted) return value;
  kube::Decryptor without_keys;
  TM_LET(plain, (wish_.decryptor == nullptr ? without_keys : *wish_.decryptor).open(value, key));
  return Bytes(plain);
}

Status Selection::load_definitions(Moment& moment) {
  const std::string prefix = wish_.etcd_prefix + "/" + std::string(kube::kDefinitionPrefix) + "/";
  TM_LET(const Rows rows, moment.below(std::vector{prefix}));
  Buffer plain;
  for (const auto& [key, row] : rows) {
    const auto value = opened(key, row, plain);
    auto read = value ? kube::read_definition(*value) : std::unexpected(value.error());
    if (read) {
      resources_.add(*std::move(read));
    } else {
      notes_.push_back(fmt::format("{}: {}", key, read.error().what));
    }
  }
  return {};
}

Status Selection::resolve(Moment& moment, const std::vector<Asked>& asked) {
  const auto known = [&](const Asked& a) { return resources_.find(a.word) != nullptr; };
  if (!std::ranges::all_of(asked, known)) TM_CHECK(load_definitions(moment));
  for (const Asked& a : asked) {
    if (const Resource* resource = resources_.find(a.word)) {
      wanted_.push_back({resource, a.names});
      continue;
    }
    const auto category = resources_.in_category(a.word);
    for (const Resource* resource : category) wanted_.push_back({resource, a.names});
    if (!category.empty()) continue;
    const std::string near = resources_.nearest(a.word);
    return hinted(Status(fail(Errc::not_found, "there was no kind '{}' at revision {}", a.word, moment.revision())),
                  near.empty() ? "get crd shows the kinds that were defined" : "did you mean " + near + "?");
  }
  many_kinds_ = wanted_.size() > 1;
  single_ = !many_kinds_ && wanted_.front().names.size() == 1;
  return {};
}

Status Selection::load_rows(Moment& moment) {
  std::vector<std::string> prefixes;
  for (const Wanted& wanted : wanted_) {
    const std::string prefix = prefix_of(wish_, *wanted.resource);
    if (wanted.names.empty()) prefixes.push_back(prefix);
    for (const std::string& name : wanted.names) prefixes.push_back(prefix + name);
  }
  TM_LET(rows_, moment.below(prefixes));
  for (const Wanted& wanted : wanted_) pick(*wanted.resource, wanted.names);
  return {};
}

void Selection::pick(const Resource& resource, const std::vector<std::string>& names) {
  const std::size_t base = wish_.etcd_prefix.size() + resource.prefix.size() + 2;
  const auto entry_of = [&](const Rows::value_type& row) -> std::optional<Entry> {
    Entry entry{.resource = &resource, .ns = {}, .name = {}, .key = &row.first, .row = &row.second};
    const std::string_view rest = std::string_view(row.first).substr(base);
    const std::size_t slash = rest.find('/');
    if ((slash != std::string_view::npos) != resource.namespaced) return std::nullopt;
    if (resource.namespaced) entry.ns = rest.substr(0, slash);
    entry.name = resource.namespaced ? rest.substr(slash + 1) : rest;
    if (entry.name.empty() || entry.name.find('/') != std::string_view::npos) return std::nullopt;
    if (!wish_.fields.matches(entry.ns, entry.name)) return std::nullopt;
    return entry;
  };
  const std::string prefix = prefix_of(wish_, resource);
  if (names.empty()) {
    for (auto row = rows_.lower_bound(prefix); row != rows_.end() && row->first.starts_with(prefix); ++row) {
      if (const auto entry = entry_of(*row)) entries_.push_back(*entry);
    }
    return;
  }
  for (const std::string& name : names) {
    const auto row = rows_.find(prefix + name);
    const auto entry = row == rows_.end() ? std::nullopt : entry_of(*row);
    if (entry) {
      entries_.push_back(*entry);
    } else {
      missing_.push_back({&resource, name});
    }
  }
}

Result<Selection> Selection::make(Moment& moment, const ObjectWish& wish) {
  TM_LET(const auto asked, read_words(wish));
  Selection selection(wish);
  TM_CHECK(selection.resolve(moment, asked));
  TM_CHECK(selection.load_rows(moment));
  return selection;
}

bool Selection::any_namespaced() const {
  return std::ranges::any_of(wanted_, [](const Wanted& wanted) { return wanted.resource->namespaced; });
}

Status Selection::for_each(const std::function<Status(const Entry&, Result<json>)>& each) const {
  const kube::ObjectOptions options{.managed_fields = wish_.managed_fields, .style = kube::JsonWriter::Style::compact};
  kube::ObjectPrinter printer(kube::Schema::built_in(), options);
  std::string text;
  Buffer plain;
  for (const Entry& entry : entries_) {
    text.clear();
    const auto read = [&]() -> Result<json> {
      TM_LET(const Bytes value, opened(*entry.key, *entry.row, plain));
      TM_LET(const kube::Lossiness lost, printer.print(value, entry.row->mod, text));
      if (lost.unknown_fields > 0) {
        notes_.push_back(fmt::format("{}: {} fields of no known type are left out, first {}", *entry.key,
                                     lost.unknown_fields, lost.first_unknown));
      }
      json object = json::parse(text, nullptr, /*allow_exceptions=*/false);
      if (!kube::as_served(object, *entry.resource)) {
        notes_.push_back(fmt::format("{}: shown as stored, for only a webhook converts it to {}", *entry.key,
                                     entry.resource->version));
      }
      return object;
    };
    Result<json> object = named(*entry.key, read());
    if (object && !wish_.labels.empty()) {
      const json::json_pointer labels("/metadata/labels");
      if (!wish_.labels.matches(object->contains(labels) ? object->at(labels) : json())) continue;
    }
    TM_CHECK(each(entry, std::move(object)));
  }
  return {};
}

}  // namespace tidemark::history
