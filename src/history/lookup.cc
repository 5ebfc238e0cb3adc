#include "history/lookup.h"

#include <algorithm>
#include <ranges>

namespace tidemark::history {
namespace {

// The newest of these at or below `reach`; nullptr: there is none. They ascend.
const StoredVersion* newest(std::span<const StoredVersion> versions, Revision reach) {
  const auto above =
      std::ranges::upper_bound(versions, reach, {}, [](const StoredVersion& version) { return version.id.main; });
  return above == versions.begin() ? nullptr : &*(above - 1);
}

Row bare_row(const StoredVersion& version) {
  return {.value = {},
          .create = version.create,
          .mod = version.id.main,
          .version = version.version,
          .lease = version.lease};
}

}  // namespace

Status Lookup::look(const catalog::Point&, const Block& block, const Settle& settle) const {
  for (const std::string& prefix : asked_.prefixes) {
    TM_CHECK(block.for_each_below(prefix, [&](std::string_view key, std::span<const StoredVersion> versions) -> Status {
      settle(key, versions);
      return {};
    }));
  }
  for (const std::string& key : asked_.keys) {
    TM_LET(const std::vector<StoredVersion> versions, block.find(key));
    if (!versions.empty()) settle(key, versions);
  }
  return {};
}

Status Lookup::add_delta(const restore::Step& step) {
  return index_.with(step.point, [&](const Block& block) -> Status {
    held_ = block.about().span;
    last_change_ = block.received(step.take.last);
    return look(step.point, block, [&](std::string_view key, std::span<const StoredVersion> versions) {
      const StoredVersion* const last = newest(versions, step.take.last);
      if (last == nullptr || last->id.main < step.take.first) return;
      settled_.insert_or_assign(std::string(key), Settled{&step.point, *last});
    });
  });
}

Status Lookup::add_base(const catalog::Point& base, Revision reach) {
  return index_.with(base, [&](const Block& block) -> Status {
    return look(base, block, [&](std::string_view key, std::span<const StoredVersion> versions) {
      const StoredVersion* const last = newest(versions, reach);
      if (last != nullptr) settled_.try_emplace(std::string(key), Settled{&base, *last});
    });
  });
}

Status Lookup::read(const std::function<bool(std::string_view key, Revision mod)>& keep, Rows& into, std::string& bad) {
  std::vector<Index::Wish> wishes;
  for (const auto& [key, settled] : settled_) {
    const StoredVersion& version = settled.version;
    if (version.id.tombstone) continue;
    if (!keep || keep(key, version.id.main)) {
      wishes.push_back({settled.point, key, version});
    } else {
      into.insert_or_assign(key, bare_row(version));
    }
  }
  return index_.read(
      wishes,
      [&](const Index::Wish& wish, Row row) -> Status {
        into.insert_or_assign(std::string(wish.key), std::move(row));
        return {};
      },
      bad);
}

}  // namespace tidemark::history
