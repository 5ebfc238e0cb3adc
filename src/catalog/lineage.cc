#include "catalog/lineage.h"

#include <algorithm>

#include "bucket/name.h"

namespace tidemark::catalog {
namespace {

struct Place {
  std::string_view parent;  // with its slash
  std::string_view name;
  std::string_view query;  // "?endpoint=…", of a bucket's URL: it counts for the neighbours too
};

// Errc::invalid: nothing is beside it.
Result<Place> place_of(std::string_view url) {
  const std::string_view whole = url;
  std::string_view query;
  if (url.find("://") != std::string_view::npos && url.find('?') != std::string_view::npos) {
    query = url.substr(url.find('?'));
    url.remove_suffix(query.size());
  }
  while (url.ends_with('/')) url.remove_suffix(1);
  const std::size_t slash = url.rfind('/');
  // The bucket's own name, in "az://account/container" two of them, is no folder that could have a neighbour.
  std::size_t top = 0;
  if (const std::size_t scheme = url.find("://"); scheme != std::string_view::npos) {
    top = url.find('/', scheme + 3);
    if (url.starts_with("az://") && top != std::string_view::npos) top = url.find('/', top + 1);
  }
  const bool root = slash == std::string_view::npos || slash + 1 == url.size() || top == std::string_view::npos;
  if (root) {
    return std::unexpected(Error{
        Errc::invalid, fmt::format("store '{}' is a root: there is no place beside it for another lineage", whole),
        "use a store one folder deeper, for example " + std::string(url) + "/etcd-main"});
  }
  return Place{url.substr(0, slash + 1), url.substr(slash + 1), query};
}

}  // namespace

Result<std::optional<Lineage>> read_lineage(store::ObjectStore& store) {
  const auto body = store.get(kLineageKey, kMaxSidecarBytes);
  if (!body && body.error().code == Errc::not_found) return std::nullopt;
  if (!body) return std::unexpected(body.error());
  TM_LET(const Lineage lineage, named(kLineageKey, parse_lineage(as_text(*body))));
  return lineage;
}

Status write_lineage(store::ObjectStore& store, const Lineage& lineage) {
  return store.put(kLineageKey, as_bytes(print_sidecar(lineage)));
}

Result<std::vector<LineageSuccessor>> read_successors(store::ObjectStore& store) {
  std::vector<LineageSuccessor> all;
  TM_LET(const auto objects, store.list(kSuccessorPrefix));
  for (const store::ObjectInfo& object : objects) {
    TM_LET(const Buffer body, store.get(object.key, kMaxSidecarBytes));
    TM_LET(LineageSuccessor successor, named(object.key, parse_successor(as_text(body))));
    all.push_back(std::move(successor));
  }
  std::ranges::sort(all, {}, &LineageSuccessor::number);
  return all;
}

Status write_successor(store::ObjectStore& store, const LineageSuccessor& successor) {
  return store.put(successor_key(successor.number), as_bytes(print_sidecar(successor)));
}

Result<std::string> successor_name(std::string_view url, std::uint32_t number) {
  if (number < 2) return fail(Errc::invalid, "lineage {} is no successor", number);
  TM_LET(const Place place, place_of(url));
  std::string name = fmt::format("lineage-{}.{}", number, place.name);
  TM_CHECK(bucket::check_prefix(name));
  return name;
}

Result<std::string> neighbour_url(std::string_view url, std::string_view name) {
  if (name.empty() || name.starts_with('.') || name.find('/') != std::string_view::npos) {
    return fail(Errc::invalid, "'{}' is not the name of a folder beside '{}'", name, url);
  }
  TM_LET(const Place place, place_of(url));
  return std::string(place.parent) + std::string(name) + std::string(place.query);
}

Status check_neighbours(const io::Path& root) {
  std::error_code ec;
  const io::Path absolute = std::filesystem::absolute(root, ec).lexically_normal();
  const io::Path own = absolute.has_filename() ? absolute : absolute.parent_path();
  const std::string name = own.filename().native();
  std::filesystem::directory_iterator beside(own.parent_path(), ec);
  for (; !ec && beside != std::filesystem::directory_iterator(); beside.increment(ec)) {
    const std::string other = beside->path().filename().native();
    if (other == name || (!other.starts_with(name) && !name.starts_with(other))) continue;
    std::error_code unreadable;
    const auto holds = [&](const char* folder) {
      return std::filesystem::is_directory(beside->path() / folder, unreadable);
    };
    if (!holds("v2") && !holds("v1")) continue;
    return std::unexpected(
        Error{Errc::invalid,
              fmt::format("store '{}': the backups in '{}' beside it begin with the same name, and etcd-backup-restore "
                          "would take them for one",
                          own.native(), beside->path().native()),
              "choose a name that neither begins nor continues another one's"});
  }
  return {};  // a parent that is missing or not readable has no neighbours to mix up with
}

}  // namespace tidemark::catalog
