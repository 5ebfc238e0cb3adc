#include "restore/delta_scan.h"
#include "restore/kubernetes_report.h"

namespace tidemark::restore {
namespace {

struct KnownKind {
  std::string_view path;  // below the API server's prefix
  std::string_view kind;
  int parts;  // name alone, or namespace and name
};

constexpr KnownKind kKinds[] = {
    {"persistentvolumes", "persistentvolumes", 1},
    {"persistentvolumeclaims", "persistentvolumeclaims", 2},
    {"snapshot.storage.k8s.io/volumesnapshotcontents", "volumesnapshotcontents", 1},
    {"services/specs", "services", 2},
    {"minions", "nodes", 1},
    {"pods", "pods", 2},
};

}  // namespace

std::optional<std::pair<std::string, std::string>> kind_of_key(std::string_view key) {
  // "/registry/pods/default/web-0"; the first part is --etcd-prefix and may be another word.
  if (!key.starts_with('/')) return std::nullopt;
  const std::size_t prefix_end = key.find('/', 1);
  if (prefix_end == std::string_view::npos) return std::nullopt;
  const std::string_view below = key.substr(prefix_end + 1);
  for (const KnownKind& known : kKinds) {
    if (!below.starts_with(known.path) || below.size() <= known.path.size() + 1 || below[known.path.size()] != '/') {
      continue;
    }
    const std::string_view name = below.substr(known.path.size() + 1);
    const std::size_t slash = name.find('/');
    const int parts = slash == std::string_view::npos ? 1 : name.find('/', slash + 1) == std::string_view::npos ? 2 : 3;
    if (parts == known.parts && !name.starts_with('/') && !name.ends_with('/')) {
      return std::pair(std::string(known.kind), std::string(name));
    }
  }
  return std::nullopt;
}

void ChangeTally::add(const etcd::KeyValue& kv, bool deletion, Revision restored) {
  const auto what = kind_of_key(as_text(kv.key));
  if (!what) return;
  Entries& entries = kinds_[what->first];
  auto at = entries.by_name.find(what->second);
  if (at == entries.by_name.end()) {
    if (entries.by_name.size() >= kMostListed) {
      ++entries.not_listed;
      return;
    }
    Fate fate;
    fate.was_there = deletion || kv.create <= restored;
    at = entries.by_name.emplace(what->second, fate).first;
  }
  Fate& fate = at->second;
  fate.is_there = !deletion;
  fate.replaced = !deletion && fate.was_there && kv.create > restored;
}

void ChangeTally::into(OutsideWorld& world) const {
  for (const auto& [kind, entries] : kinds_) {
    OutsideWorld::Kind told;
    told.not_listed = entries.not_listed;
    for (const auto& [name, fate] : entries.by_name) {
      if (!fate.was_there && fate.is_there) told.created.push_back(name);
      if (fate.was_there && !fate.is_there) told.deleted.push_back(name);
      if (fate.replaced) told.replaced.push_back(name);
    }
    if (told.created.size() + told.deleted.size() + told.replaced.size() + told.not_listed > 0) {
      world.kinds.emplace(kind, std::move(told));
    }
  }
}

Result<OutsideWorld> look_outside(const catalog::Timeline& timeline, const Facts& facts, Revision restored,
                                  Origin& from, const std::stop_token& stop) {
  OutsideWorld world;
  world.from = restored;
  world.to = newest_claimed(timeline, facts);
  ChangeTally tally;
  Revision at = restored;
  for (const Step& step : steps_after(timeline, facts, restored)) {
    bool each_failed = false;
    const auto scanned = [&]() -> Result<DeltaScan> {
      TM_LET(const auto body, from.body(step.point));
      return scan_delta(
          *body, step.take,
          [&](const etcd::RowId& id, const etcd::KeyValue& kv) -> Status {
            tally.add(kv, id.tombstone, restored);
            return {};
          },
          each_failed, stop);
    }();
    if (!scanned) {
      if (!is_objects_fault(scanned.error().code)) return std::unexpected(scanned.error());
      world.unread.push_back(fmt::format("{}: {}", step.point.key, scanned.error().what));
      continue;
    }
    if (step.take.first > at.next()) {
      world.unread.push_back(fmt::format("revisions {}..{}: in no delta", at.next(), step.take.first.prev()));
    }
    at = step.take.last;
  }
  if (at < world.to) world.unread.push_back(fmt::format("revisions {}..{}: in no readable delta", at.next(), world.to));
  tally.into(world);
  return world;
}

}  // namespace tidemark::restore
