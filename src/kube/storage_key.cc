#include "kube/storage_key.h"

#include <algorithm>
#include <array>

namespace tidemark::kube {

namespace {

// Where the key does not say what clients say.
struct Alias {
  std::string_view in_key, resource;
};
constexpr Alias kAliases[] = {
    {"controllers", "replicationcontrollers"},
    {"ingress", "ingresses"},
    {"minions", "nodes"},
};
constexpr std::string_view kNoObjects[] = {"health", "masterleases", "peerserverleases", "ranges"};

// Up to five parts between slashes; nullopt: more, or an empty one.
struct Parts {
  std::array<std::string_view, 5> at;
  std::size_t count = 0;
};
std::optional<Parts> split(std::string_view text) {
  Parts parts;
  for (;;) {
    const std::size_t slash = text.find('/');
    const std::string_view part = text.substr(0, slash);
    if (part.empty() || parts.count == parts.at.size()) return std::nullopt;
    parts.at[parts.count++] = part;
    if (slash == std::string_view::npos) return parts;
    text.remove_prefix(slash + 1);
  }
}

}  // namespace

std::optional<StorageKey> parse_storage_key(Bytes key, std::string_view prefix) {
  std::string_view text = as_text(key);
  if (!text.starts_with(prefix) || text.size() <= prefix.size() || text[prefix.size()] != '/') return std::nullopt;
  text.remove_prefix(prefix.size() + 1);
  const auto parts = split(text);
  if (!parts) return std::nullopt;
  StorageKey found;
  std::size_t used = 0;
  const auto take = [&] { return parts->at[used++]; };
  found.resource = take();
  if (std::ranges::find(kNoObjects, found.resource) != std::ranges::end(kNoObjects)) return std::nullopt;
  if (found.resource == "services" && parts->count >= 2) {
    const std::string_view which = take();
    if (which != "specs" && which != "endpoints") return std::nullopt;
    if (which == "endpoints") found.resource = which;
  } else if (found.resource.find('.') != std::string_view::npos) {
    if (parts->count < 3) return std::nullopt;
    found.group = found.resource;
    found.resource = take();
  }
  for (const Alias& alias : kAliases) {
    if (found.group.empty() && found.resource == alias.in_key) found.resource = alias.resource;
  }
  const std::size_t left = parts->count - used;
  if (left == 0 || left > 2) return std::nullopt;
  if (left == 2) found.ns = take();
  found.name = take();
  return found;
}

}  // namespace tidemark::kube
