#include "restore/row_arena.h"

#include <fcntl.h>

#include <algorithm>

namespace tidemark::restore {

Result<RowArena::Room> RowArena::room(std::size_t size, const Place* old) {
  if (size > UINT32_MAX) return fail(Errc::corrupt, "a row of {} bytes is larger than etcd can hold", size);
  const auto wanted = static_cast<std::uint32_t>(size);
  if (old != nullptr && old->capacity >= wanted && chunks_[old->chunk].bytes) {
    Place place = *old;
    place.size = wanted;
    return Room{place, chunks_[place.chunk].bytes.get() + place.offset};
  }
  if (chunks_.empty() || !chunks_.back().bytes || chunks_.back().capacity - chunks_.back().used < wanted) {
    TM_CHECK(make_room(size));
  }
  Chunk& chunk = chunks_.back();
  const Place place{static_cast<std::uint32_t>(chunks_.size() - 1), chunk.used, wanted, wanted};
  chunk.used += wanted;
  return Room{place, chunk.bytes.get() + place.offset};
}

Status RowArena::make_room(std::size_t size) {
  const std::size_t capacity = std::max(size, kChunk);
  while (held_ + capacity > most_ && first_in_memory_ < chunks_.size()) {
    TM_CHECK(spill(chunks_[first_in_memory_]));
    ++first_in_memory_;
  }
  Chunk chunk;
  chunk.bytes = std::make_unique_for_overwrite<std::byte[]>(capacity);
  chunk.capacity = static_cast<std::uint32_t>(capacity);
  held_ += capacity;
  chunks_.push_back(std::move(chunk));
  return {};
}

Status RowArena::spill(Chunk& chunk) {
  if (!file_.open()) {
    TM_LET(file_, io::open_file(dir_, O_TMPFILE | O_RDWR));
  }
  TM_CHECK(io::pwrite_all(file_.get(), Bytes(chunk.bytes.get(), chunk.used), file_end_, dir_ / "(spilled rows)"));
  chunk.file_offset = file_end_;
  file_end_ += chunk.used;
  held_ -= chunk.capacity;
  chunk.bytes.reset();
  return {};
}

Result<Bytes> RowArena::read(const Place& place) {
  const Chunk& chunk = chunks_[place.chunk];
  if (chunk.bytes) return Bytes(chunk.bytes.get() + place.offset, place.size);
  window_.resize(place.size);
  TM_CHECK(io::pread_all(file_.get(), window_, chunk.file_offset + place.offset, dir_ / "(spilled rows)"));
  return Bytes(window_);
}

}  // namespace tidemark::restore
