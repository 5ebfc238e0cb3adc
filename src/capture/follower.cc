#include "capture/follower.h"

#include <algorithm>

#include "etcd/crc32c.h"

namespace tidemark::capture {

namespace {

std::uint32_t checksum(const etcd::Event& event) {
  Buffer bytes{std::byte{event.deletion ? std::uint8_t{1} : std::uint8_t{0}}};
  etcd::append_key_value(event.kv, bytes);
  return etcd::crc32c(0, bytes);
}

// Is `part` what is left of `whole` when some elements are taken out?
bool left_of(const std::vector<std::uint32_t>& part, const std::vector<std::uint32_t>& whole) {
  auto at = whole.begin();
  for (const std::uint32_t sum : part) {
    at = std::find(at, whole.end(), sum);
    if (at == whole.end()) return false;
    ++at;
  }
  return true;
}

}  // namespace

void Follower::skip_to(Revision last) {
  last_ = last;
  ours_.clear();
  feed_.reset();
}

void Follower::remember(const std::vector<etcd::Event>& of_last) {
  ours_.clear();
  for (const etcd::Event& event : of_last) ours_.push_back(checksum(event));
}

Status Follower::open() {
  TM_LET(const etcd::MemberStatus status, member_.status());
  if (status.cluster != cluster_) {
    return fail(Errc::conflict, "'{}' is of cluster {:x}, not {:x}", status.endpoint, status.cluster.raw(),
                cluster_.raw());
  }
  TM_LET(const Revision head, member_.head());
  if (head < last_) return fail(Errc::conflict, "etcd went back from revision {} to {}", last_, head);
  head_ = std::max(head_, head);
  TM_LET(feed_, member_.watch(last_));
  compared_ = ours_.empty();
  return {};
}

// Another history may have grown past our newest revision before we came back; then what it has there differs. Fewer
// events are no difference: a compaction at that very revision removed its tombstones.
Status Follower::compare_with_ours(const std::vector<etcd::Event>& theirs) const {
  std::vector<std::uint32_t> sums;
  for (const etcd::Event& event : theirs) {
    if (event.kv.mod == last_) sums.push_back(checksum(event));
  }
  if (left_of(sums, ours_)) return {};
  return fail(Errc::conflict, "revision {} of etcd is not the one that was recorded: its history was replaced", last_);
}

Result<etcd::WatchBatch> Follower::next(std::chrono::milliseconds wait) {
  if (!feed_) {
    TM_CHECK(open());
  }
  auto got = feed_->next(wait);
  if (!got) {
    compacted_ = feed_->compact_revision();
    feed_.reset();
    return std::unexpected(std::move(got).error());
  }
  etcd::WatchBatch batch = *got ? std::move(**got) : etcd::WatchBatch{};
  head_ = std::max(head_, batch.header);
  if (batch.events.empty()) return batch;
  if (!compared_) {
    if (auto same = compare_with_ours(batch.events); !same) {
      feed_.reset();
      return std::unexpected(std::move(same).error());
    }
    compared_ = true;
  }
  std::erase_if(batch.events, [&](const etcd::Event& event) { return event.kv.mod <= last_; });
  Revision at = last_;
  for (const etcd::Event& event : batch.events) {
    if (event.kv.mod != at && event.kv.mod != at.next()) {
      feed_.reset();
      return fail(Errc::unavailable, "the watch jumped from revision {} to {}", at, event.kv.mod);
    }
    at = event.kv.mod;
  }
  if (batch.events.empty()) return batch;
  last_ = at;
  ours_.clear();
  for (const etcd::Event& event : batch.events) {
    if (event.kv.mod == last_) ours_.push_back(checksum(event));
  }
  return batch;
}

}  // namespace tidemark::capture
