#include "etcd/testing/fake_member.h"

#include <algorithm>
#include <cstdlib>

#include "bolt/bulk_writer.h"
#include "crypto/sha256.h"
#include "etcd/hashkv.h"
#include "io/file.h"

namespace tidemark::etcd::testing {

Event FakeMember::Stored::view() const {
  Event event;
  event.deletion = deletion;
  event.kv.key = as_bytes(key);
  event.kv.mod = mod;
  if (deletion) return event;
  event.kv.value = as_bytes(value);
  event.kv.create = create;
  event.kv.version = version;
  event.kv.lease = LeaseId(lease);
  return event;
}

class FakeMember::Feed final : public WatchFeed {
 public:
  Feed(FakeMember& of, Revision from, std::uint64_t generation) : of_(of), next_(from), generation_(generation) {}

  Result<std::optional<WatchBatch>> next(std::chrono::milliseconds wait) override {
    std::unique_lock lock(of_.mutex_);
    const auto ready = [&] {
      return cancelled_ || of_.down_ || generation_ != of_.generation_ || next_ <= of_.revision_;
    };
    of_.changed_.wait_for(lock, wait, ready);
    if (cancelled_) return fail(Errc::cancelled, "watch cancelled");
    if (of_.down_ || generation_ != of_.generation_) return fail(Errc::unavailable, "watch stream broke");
    if (next_ < of_.compacted_ && first_) {
      compact_ = of_.compacted_;
      return fail(Errc::compacted, "revision {} is compacted, up to {}", next_, compact_);
    }
    first_ = false;
    if (next_ > of_.revision_) return std::nullopt;
    return batch();
  }
  Revision compact_revision() const override { return compact_; }
  void cancel() override {
    const std::lock_guard lock(of_.mutex_);
    cancelled_ = true;
    of_.changed_.notify_all();
  }

 private:
  WatchBatch batch() {
    auto kept = std::make_shared<std::vector<Stored>>();
    for (std::size_t revisions = 0; next_ <= of_.revision_ && revisions < of_.batch_limit_; revisions++) {
      if (of_.skip_.erase(next_) == 0) {
        for (const Stored& event : of_.history_[next_]) {
          // What etcd really does: the compaction removed tombstones at its own revision, so that one is not whole.
          if (event.deletion && next_ == of_.compacted_) continue;
          kept->push_back(event);
        }
      }
      next_ = next_.next();
    }
    WatchBatch batch;
    for (const Stored& event : *kept) {
      batch.events.push_back(event.view());
      batch.bytes += event.key.size() + event.value.size();
    }
    batch.header = of_.revision_;
    batch.owner = kept;
    return batch;
  }

  FakeMember& of_;
  Revision next_, compact_{};
  const std::uint64_t generation_;
  bool cancelled_ = false, first_ = true;
};

Revision FakeMember::apply(const std::vector<Change>& changes) {
  const Revision at = revision_.next();
  std::vector<Stored> events;
  for (const Change& change : changes) {
    const auto old = live_.find(change.key);
    Stored event;
    event.key = change.key;
    event.mod = at;
    event.deletion = change.deletion;
    if (change.deletion) {
      if (old == live_.end()) continue;
      live_.erase(old);
    } else {
      event.value = change.value;
      event.lease = change.lease;
      event.create = old == live_.end() ? at : old->second.create;
      event.version = old == live_.end() ? 1 : old->second.version + 1;
      live_[change.key] = event;
    }
    events.push_back(std::move(event));
  }
  if (events.empty()) return revision_;
  revision_ = at;
  history_[at] = std::move(events);
  changed_.notify_all();
  return at;
}

Revision FakeMember::put(const std::string& key, const std::string& value, std::int64_t lease) {
  return txn({{key, value, false, lease}});
}

Revision FakeMember::del(const std::string& key) { return txn({{key, "", true, 0}}); }

Revision FakeMember::txn(const std::vector<Change>& changes) {
  const std::lock_guard lock(mutex_);
  return apply(changes);
}

void FakeMember::compact(Revision at) {
  const std::lock_guard lock(mutex_);
  compacted_ = std::max(compacted_, at);
}

void FakeMember::grant(std::int64_t lease, std::int64_t ttl_s) {
  const std::lock_guard lock(mutex_);
  leases_[lease] = ttl_s;
}

void FakeMember::break_watches() {
  const std::lock_guard lock(mutex_);
  generation_++;
  changed_.notify_all();
}

void FakeMember::set_unavailable(bool down) {
  const std::lock_guard lock(mutex_);
  down_ = down;
  if (down) generation_++;
  changed_.notify_all();
}

void FakeMember::skip_revision(Revision at) {
  const std::lock_guard lock(mutex_);
  skip_.insert(at);
}

void FakeMember::turn_back(Revision to) {
  const std::lock_guard lock(mutex_);
  history_.erase(history_.upper_bound(to), history_.end());
  revision_ = to;
  live_.clear();
  for (const auto& [revision, events] : history_) {
    for (const Stored& event : events) {
      if (event.deletion) {
        live_.erase(event.key);
      } else {
        live_[event.key] = event;
      }
    }
  }
  generation_++;
  changed_.notify_all();
}

void FakeMember::become(ClusterId cluster) {
  const std::lock_guard lock(mutex_);
  cluster_ = cluster;
  generation_++;
  changed_.notify_all();
}

void FakeMember::fail_snapshots(int how_many, Errc with) {
  const std::lock_guard lock(mutex_);
  snapshot_failures_ = how_many;
  snapshot_error_ = with;
}

void FakeMember::damage_next_snapshot() {
  const std::lock_guard lock(mutex_);
  damage_snapshot_ = true;
}

Revision FakeMember::revision() {
  const std::lock_guard lock(mutex_);
  return revision_;
}

Revision FakeMember::compacted() {
  const std::lock_guard lock(mutex_);
  return compacted_;
}

int FakeMember::watches_opened() {
  const std::lock_guard lock(mutex_);
  return watches_;
}

Status FakeMember::reachable() const {
  if (down_) return fail(Errc::unavailable, "no endpoint answers");
  return {};
}

Result<MemberStatus> FakeMember::status() {
  const std::lock_guard lock(mutex_);
  TM_CHECK(reachable());
  MemberStatus status;
  status.version = "3.5.99";
  status.cluster = cluster_;
  status.member = status.leader = member_;
  status.revision = revision_;
  status.endpoint = "fake:2379";
  return status;
}

Result<Revision> FakeMember::head() {
  const std::lock_guard lock(mutex_);
  TM_CHECK(reachable());
  return revision_;
}

Result<std::unique_ptr<WatchFeed>> FakeMember::watch(Revision from) {
  const std::lock_guard lock(mutex_);
  TM_CHECK(reachable());
  watches_++;
  return std::make_unique<Feed>(*this, from, generation_);
}

// The rows that a store compacted at compacted_ still has: per key the newest at or below it if that is a put, and
// everything above.
static bool kept_by_compaction(Revision row, Revision newest_at_compaction, bool deletion, Revision compacted) {
  return row > compacted || (row == newest_at_compaction && !deletion);
}

Result<Buffer> FakeMember::database() {
  TM_LET(const io::TempDir dir, io::TempDir::create());
  const io::Path path = dir.path() / "db";
  TM_LET(const auto writer, bolt::BulkWriter::create(path));
  std::map<std::string, Revision> newest;
  for (const auto& [revision, events] : history_) {
    if (revision > compacted_) break;
    for (const Stored& event : events) newest[event.key] = revision;
  }
  std::vector<std::unique_ptr<bolt::BulkWriter::Segment>> rows;
  rows.push_back(writer->segment());
  for (const auto& [revision, events] : history_) {
    for (std::size_t sub = 0; sub < events.size(); sub++) {
      const Stored& event = events[sub];
      if (!kept_by_compaction(revision, newest[event.key], event.deletion, compacted_)) continue;
      KeyValue kv = event.view().kv;
      if (event.deletion) kv.mod = Revision{};
      Buffer value;
      append_key_value(kv, value);
      const RowKey key = encode_row_key({revision, static_cast<std::int64_t>(sub), event.deletion});
      TM_CHECK(rows.back()->append(key.view(), value));
    }
  }
  TM_CHECK(rows.back()->close());
  TM_CHECK(writer->add_tree("key", std::move(rows)));
  std::vector<std::unique_ptr<bolt::BulkWriter::Segment>> meta;
  meta.push_back(writer->segment());
  std::array<std::byte, 8> index{};
  store_be<std::uint64_t>(index.data(), 7);
  TM_CHECK(meta.back()->append(as_bytes("consistent_index"), index));
  if (compacted_.raw() > 0) {
    const RowKey at = encode_row_key({compacted_, 0, false});
    TM_CHECK(meta.back()->append(as_bytes("finishedCompactRev"), at.view()));
    TM_CHECK(meta.back()->append(as_bytes("scheduledCompactRev"), at.view()));
  }
  TM_CHECK(meta.back()->append(as_bytes("term"), index));
  TM_CHECK(meta.back()->close());
  TM_CHECK(writer->add_tree("meta", std::move(meta)));
  TM_CHECK(writer->finish());
  return io::read_file(path, 1UL << 30U);
}

Result<std::uint64_t> FakeMember::snapshot(io::Sink& into,
                                           const std::function<void(std::uint64_t, std::uint64_t)>& progress) {
  if (before_snapshot_) before_snapshot_();
  const auto made = [&]() -> Result<Buffer> {
    const std::lock_guard lock(mutex_);
    TM_CHECK(reachable());
    if (snapshot_failures_ > 0) {
      snapshot_failures_--;
      return fail(snapshot_error_, "snapshot stream broke after 0 bytes");
    }
    TM_LET(Buffer image, database());
    if (std::exchange(damage_snapshot_, false)) std::fill(image.begin() + 8192, image.end(), std::byte{0xEE});
    return image;
  }();
  if (!made) return std::unexpected(made.error());
  const auto digest = crypto::sha256(*made);
  const std::uint64_t all = made->size() + digest.size();
  TM_CHECK(into.write(*made));
  progress(made->size(), all);
  TM_CHECK(into.write(digest));
  progress(all, all);
  return all;
}

void FakeMember::hold_hashes() {
  const std::lock_guard lock(mutex_);
  hashes_held_ = true;
}

int FakeMember::hashes_cancelled() {
  const std::lock_guard lock(mutex_);
  return hashes_cancelled_;
}

Result<HashKv> FakeMember::hash_kv(Revision at, const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  TM_CHECK(reachable());
  if (hashes_held_) changed_.wait_for(lock, stop, std::chrono::minutes(1), [] { return false; });
  if (stop.stop_requested()) {
    hashes_cancelled_++;
    return fail(Errc::cancelled, "HashKV was cancelled");
  }
  if (at <= compacted_) return fail(Errc::compacted, "revision {} is compacted", at);
  HashKv answer;
  answer.hash = 1;
  answer.at = at;
  answer.compact = compacted_;
  answer.header = revision_;
  return answer;
}

Result<std::vector<ClusterMember>> FakeMember::members() {
  const std::lock_guard lock(mutex_);
  TM_CHECK(reachable());
  ClusterMember member;
  member.id = member_;
  member.name = "fake";
  return std::vector<ClusterMember>{member};
}

Result<std::vector<LeaseState>> FakeMember::leases() {
  const std::lock_guard lock(mutex_);
  TM_CHECK(reachable());
  std::vector<LeaseState> all;
  for (const auto& [id, ttl] : leases_) all.push_back({LeaseId(id), ttl, ttl});
  return all;
}

}  // namespace tidemark::etcd::testing
