#include "history/object_versions.h"

#include <algorithm>

namespace tidemark::history {

Status ObjectVersions::look(const Asked& asked, RevisionSpan take) {
  return index_.with(point_, [&](const Block& block) -> Status {
    found_.clear();
    keys_.clear();
    held_ = block.about().span;
    taken_until_ = block.received(take.last);
    const auto add = [&](std::string_view key, std::span<const StoredVersion> versions) -> Status {
      keys_.emplace_back(key);
      for (const StoredVersion& version : versions) {
        if (!take.contains(version.id.main)) continue;
        found_.push_back({keys_.back(), version, block.received(version.id.main, version.id.sub)});
      }
      return {};
    };
    for (const std::string& prefix : asked.prefixes) TM_CHECK(block.for_each_below(prefix, add));
    for (const std::string& key : asked.keys) {
      TM_LET(const std::vector<StoredVersion> versions, block.find(key));
      TM_CHECK(add(key, versions));
    }
    // One may have been asked for twice.
    const auto id = [](const Found& one) -> const etcd::RowId& { return one.version.id; };
    std::ranges::stable_sort(found_, {}, id);
    const auto again = std::ranges::unique(found_, {}, id);
    found_.erase(again.begin(), again.end());
    return {};
  });
}

Result<ObjectVersions::ById> ObjectVersions::read(std::span<const Found> some, std::string& bad) {
  std::vector<Index::Wish> wishes;
  for (const Found& one : some) {
    if (!one.version.id.tombstone) wishes.push_back({&point_, one.key, one.version});
  }
  ById rows;
  TM_CHECK(index_.read(
      wishes,
      [&](const Index::Wish& wish, Row row) -> Status {
        rows.insert_or_assign(wish.version.id, std::move(row));
        return {};
      },
      bad));
  return rows;
}

}  // namespace tidemark::history
