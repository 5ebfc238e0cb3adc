#include "history/wanted.h"

#include <algorithm>

#include "kube/storage_value.h"
#include "kube/structural.h"

namespace tidemark::history {
namespace {

using kube::Resource;

std::vector<std::string> split(std::string_view text, char at) {
  std::vector<std::string> parts;
  for (;;) {
    const std::size_t mark = text.find(at);
    parts.emplace_back(text.substr(0, mark));
    if (mark == std::string_view::npos) return parts;
    text.remove_prefix(mark + 1);
  }
}

}  // namespace

Result<Wanted> Wanted::read(const ObjectWish& wish, std::string_view verb, bool words_needed) {
  Wanted wanted(wish);
  if (wish.ns.empty()) return fail(Errc::invalid, "-n: the name of a namespace expected");
  if (!wish.words.empty()) {
    TM_CHECK(wanted.read_words(verb));
  } else if (words_needed) {
    return hinted(Result<Wanted>(fail(Errc::invalid, "{} what?", verb)),
                  fmt::format("a kind and perhaps names: {0} deploy, {0} deploy/web, {0} cm,secrets -A", verb));
  }
  return wanted;
}

// "deploy web db", "deploy/web svc/db", "deploy,svc".
Status Wanted::read_words(std::string_view verb) {
  if (wish_.words.front().find('/') == std::string::npos) {
    const std::vector<std::string> names(wish_.words.begin() + 1, wish_.words.end());
    for (const std::string& name : names) {
      if (name.find('/') != std::string::npos) {
        return fail(Errc::invalid, "'{}': with KIND/NAME no kind may stand alone before it", name);
      }
    }
    for (std::string& kind : split(wish_.words.front(), ',')) words_.push_back({std::move(kind), names});
  } else {
    for (const std::string& word : wish_.words) {
      const std::vector<std::string> parts = split(word, '/');
      if (parts.size() != 2 || parts[0].empty() || parts[1].empty()) {
        return hinted(Status(fail(Errc::invalid, "'{}': KIND/NAME expected", word)),
                      fmt::format("{} deploy/web, or {} deploy web", verb, verb));
      }
      const auto same = std::ranges::find(words_, parts[0], &Words::word);
      if (same == words_.end()) {
        words_.push_back({parts[0], {parts[1]}});
      } else {
        same->names.push_back(parts[1]);
      }
    }
  }
  const bool named = std::ranges::any_of(words_, [](const Words& a) { return !a.names.empty(); });
  if (named && wish_.all_namespaces) {
    return hinted(Status(fail(Errc::invalid, "a name does not go with -A")),
                  "--field-selector metadata.name=NAME finds it in all namespaces");
  }
  if (named && !wish_.labels.empty()) return fail(Errc::invalid, "a name does not go with -l");
  return {};
}

Result<Rows> Wanted::load(const std::function<Result<Rows>(const std::string& prefix)>& definitions) {
  const std::string prefix = wish_.etcd_prefix + "/" + std::string(kube::kDefinitionPrefix) + "/";
  TM_LET(Rows rows, definitions(prefix));
  Buffer plain;
  for (const auto& [key, row] : rows) {
    const auto value = opened_value(wish_.decryptor, key, row.value, plain);
    auto read = value ? kube::read_definition(*value) : std::unexpected(value.error());
    if (read) {
      resources_.add(*std::move(read));
    } else {
      notes_.push_back(fmt::format("{}: {}", key, read.error().what));
    }
  }
  return rows;
}

// The schemas of those kinds that are meant: all of them would be too much.
void Wanted::keep_schemas(const Rows& definitions) {
  const std::string prefix = wish_.etcd_prefix + "/" + std::string(kube::kDefinitionPrefix) + "/";
  Buffer plain;
  for (const Kind& kind : kinds_) {
    const auto row = definitions.find(prefix + kind.resource->full_name());
    if (!kind.resource->custom || kind.resource->schemas || row == definitions.end()) continue;
    const auto value = opened_value(wish_.decryptor, row->first, row->second.value, plain);
    if (!value) continue;  // told by load()
    resources_.set_schemas(kind.resource->full_name(),
                           std::make_shared<kube::StructuralSchemas>(std::string(as_text(*value))));
  }
}

Status Wanted::resolve(const std::function<Result<Rows>(const std::string& prefix)>& definitions,
                       std::string_view when) {
  const auto known = [&](const Words& a) { return resources_.find(a.word) != nullptr; };
  Rows defined;
  if (words_.empty() || !std::ranges::all_of(words_, known)) {
    TM_LET(defined, load(definitions));
  }
  if (words_.empty()) {
    for (const Resource* resource : resources_.all()) {
      if (resource->namespaced || wish_.all_namespaces) kinds_.push_back({resource, {}});
    }
  }
  for (const Words& a : words_) {
    if (const Resource* resource = resources_.find(a.word)) {
      kinds_.push_back({resource, a.names});
      continue;
    }
    const auto category = resources_.in_category(a.word);
    for (const Resource* resource : category) kinds_.push_back({resource, a.names});
    if (!category.empty()) continue;
    const std::string near = resources_.nearest(a.word);
    return hinted(Status(fail(Errc::not_found, "there was no kind '{}' {}", a.word, when)),
                  near.empty() ? "get crd shows the kinds that were defined" : "did you mean " + near + "?");
  }
  keep_schemas(defined);
  return {};
}

std::string Wanted::prefix_of(const Resource& resource) const {
  std::string prefix = wish_.etcd_prefix + "/" + resource.prefix + "/";
  if (resource.namespaced && !wish_.all_namespaces) prefix += wish_.ns + "/";
  return prefix;
}

Asked Wanted::asked() const {
  if (everything() && wish_.all_namespaces) return {.prefixes = {wish_.etcd_prefix + "/"}};
  Asked asked;
  for (const Kind& kind : kinds_) {
    const std::string prefix = prefix_of(*kind.resource);
    if (kind.names.empty()) asked.prefixes.push_back(prefix);
    for (const std::string& name : kind.names) asked.keys.push_back(prefix + name);
  }
  return asked;
}

std::optional<Wanted::Place> Wanted::place_of(const Resource& resource, std::string_view key) const {
  Place place{.resource = &resource, .ns = {}, .name = {}};
  const std::string_view rest = key.substr(wish_.etcd_prefix.size() + resource.prefix.size() + 2);
  const std::size_t slash = rest.find('/');
  if ((slash != std::string_view::npos) != resource.namespaced) return std::nullopt;
  if (resource.namespaced) place.ns = rest.substr(0, slash);
  place.name = resource.namespaced ? rest.substr(slash + 1) : rest;
  if (place.name.empty() || place.name.find('/') != std::string_view::npos) return std::nullopt;
  if (!wish_.fields.matches(place.ns, place.name)) return std::nullopt;
  return place;
}

std::optional<Wanted::Place> Wanted::place_of(std::string_view key) const {
  for (const Kind& kind : kinds_) {
    const std::string prefix = prefix_of(*kind.resource);
    if (!key.starts_with(prefix)) continue;
    if (!kind.names.empty() && std::ranges::find(kind.names, key.substr(prefix.size())) == kind.names.end()) continue;
    if (const auto place = place_of(*kind.resource, key)) return place;
  }
  return std::nullopt;
}

bool Wanted::any_namespaced() const {
  return std::ranges::any_of(kinds_, [](const Kind& kind) { return kind.resource->namespaced; });
}

Result<Bytes> opened_value(kube::Decryptor* decryptor, std::string_view key, std::string_view value, Buffer& plain) {
  const Bytes bytes = as_bytes(value);
  if (kube::encoding_of(bytes) != kube::Encoding::encrypted) return bytes;
  kube::Decryptor without_keys;
  TM_LET(plain, (decryptor == nullptr ? without_keys : *decryptor).open(bytes, key));
  return Bytes(plain);
}

}  // namespace tidemark::history
