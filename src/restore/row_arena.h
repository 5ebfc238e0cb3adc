// Encoded rows of one delta: in memory up to a cap, beyond it in an unnamed temporary file.
//
// A row keeps its place; a newer version of the same key takes the old place when it fits, so a key that is written
// every second costs one place and not thousands. Threads: one at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "io/file.h"

namespace tidemark::restore {

class RowArena {
 public:
  struct Place {
    std::uint32_t chunk = 0;
    std::uint32_t offset = 0;
    std::uint32_t size = 0;      // used
    std::uint32_t capacity = 0;  // at least size
  };

  // `spill_dir`: where the file goes when more than `most_memory` bytes are held.
  RowArena(io::Path spill_dir, std::size_t most_memory) : dir_(std::move(spill_dir)), most_(most_memory) {}

  // Room for `size` bytes: in `old` if that is in memory and large enough, else new. The pointer is good until the next
  // call. Errc::no_space, Errc::io: the file could not take what memory could not.
  struct Room {
    Place place;
    std::byte* bytes;
  };
  Result<Room> room(std::size_t size, const Place* old = nullptr);

  // The bytes of a place; good until the next call of any kind.
  Result<Bytes> read(const Place& place);

  std::uint64_t in_memory() const { return held_; }
  std::uint64_t spilled() const { return file_end_; }

 private:
  static constexpr std::size_t kChunk = 1UL << 20U;
  struct Chunk {
    std::unique_ptr<std::byte[]> bytes;  // null: spilled
    std::uint32_t used = 0, capacity = 0;
    std::uint64_t file_offset = 0;
  };
  Status make_room(std::size_t size);
  Status spill(Chunk& chunk);

  io::Path dir_;
  std::size_t most_;
  std::vector<Chunk> chunks_;
  std::size_t first_in_memory_ = 0;
  std::uint64_t held_ = 0, file_end_ = 0;
  io::Fd file_;
  Buffer window_;  // the spilled row read last
};

}  // namespace tidemark::restore
