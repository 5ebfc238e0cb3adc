#include "history/lookup.h"

#include <algorithm>
#include <ranges>

namespace tidemark::history {
namespace {

constexpr std::size_t kMostWishes = 1UL << 15U;

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

Status Lookup::read(const std::function<bool(std::string_view key, Revision mod)>& keep, RowSpool& into,
                    std::string& bad) {
  std::vector<AllSettled::iterator> wanted;  // with their values
  for (auto at = settled_.begin(); at != settled_.end();) {
    const StoredVersion& version = at->second.version;
    if (!version.id.tombstone && (!keep || keep(at->first, version.id.main))) {
      wanted.push_back(at++);
      continue;
    }
    if (!version.id.tombstone) TM_CHECK(into.put(at->first, bare_row(version)));
    at = settled_.erase(at);
  }
  // As they stand in the objects; so many at a time that what is to be said of each takes little memory.
  std::ranges::sort(wanted, {}, [](const auto& at) {
    return std::pair(std::string_view(at->second.point->key), at->second.version.place.offset);
  });
  for (std::span<const AllSettled::iterator> left = wanted; !left.empty();) {
    const auto some = left.first(std::min(left.size(), kMostWishes));
    TM_CHECK(read_some(some, into, bad));
    for (const auto& at : some) settled_.erase(at);
    left = left.subspan(some.size());
  }
  return {};
}

Status Lookup::read_some(std::span<const AllSettled::iterator> some, RowSpool& into, std::string& bad) {
  std::vector<Index::Wish> wishes;
  wishes.reserve(some.size());
  for (const auto& at : some) wishes.push_back({at->second.point, at->first, at->second.version});
  return index_.read(
      wishes, [&](const Index::Wish& wish, Row row) -> Status { return into.put(wish.key, std::move(row)); }, bad);
}

}  // namespace tidemark::history
