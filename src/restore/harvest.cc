#include "restore/harvest.h"

#include <fcntl.h>

#include <span>
#include <type_traits>

namespace tidemark::restore {

static_assert(std::is_trivially_copyable_v<Harvest::Last>);  // sheaves are their bytes

Status Harvest::add(const etcd::RowId& id, const etcd::KeyValue& kv, const etcd::KeyHasher& hasher,
                    const SeenSet& seen) {
  const etcd::KeyHash hash = hasher(kv.key);
  auto at = last_.find(hash);
  const bool is_new = at == last_.end();
  if (is_new) {
    if (seen.contains(hash)) return {};  // a newer delta has it
    if (last_.size() >= most_keys_) TM_CHECK(set_aside());
    at = last_.try_emplace(hash).first;
    at->second.hash = hash;
  }
  Last& last = at->second;
  last.id = id;
  last.lease = kv.lease.raw();
  if (id.tombstone) return {};  // keeps the place: the key may come back
  TM_LET(const RowArena::Room room, arena_.room(etcd::encoded_size(kv), is_new ? nullptr : &last.place));
  etcd::write_key_value(kv, room.bytes);
  last.place = room.place;
  return {};
}

std::vector<Harvest::Last> Harvest::gathered() {
  std::vector<Last> all;
  all.reserve(last_.size());
  for (const auto& [hash, last] : last_) all.push_back(last);
  decltype(last_)().swap(last_);
  return all;
}

Status Harvest::set_aside() {
  if (!file_.open()) {
    TM_LET(file_, io::open_file(dir_, O_TMPFILE | O_RDWR));
  }
  const std::vector<Last> all = gathered();
  TM_CHECK(io::pwrite_all(file_.get(), std::as_bytes(std::span(all)), file_end_, dir_ / "(keys set aside)"));
  set_aside_.push_back({file_end_, all.size()});
  file_end_ += all.size() * sizeof(Last);
  return {};
}

Result<std::vector<Harvest::Last>> Harvest::take() {
  if (!last_.empty()) return gathered();
  const Sheaf newest = set_aside_.back();
  set_aside_.pop_back();
  std::vector<Last> all(newest.keys);
  TM_CHECK(
      io::pread_all(file_.get(), std::as_writable_bytes(std::span(all)), newest.offset, dir_ / "(keys set aside)"));
  return all;
}

}  // namespace tidemark::restore
