// Puts the versions of an object in the order of their keys, in bounded memory.
//
// They come in the order of their revisions. What is gathered is sorted and set aside in an unnamed file when it is too
// much; at the end the runs are merged. Threads: one.
#pragma once

#include <string_view>
#include <vector>

#include "history/index_block.h"
#include "io/file.h"

namespace tidemark::history {

class VersionSorter {
 public:
  // Memory: about `most_bytes`; files go to `spill_dir`.
  explicit VersionSorter(io::Path spill_dir, std::size_t most_bytes = 64UL << 20U)
      : dir_(std::move(spill_dir)), most_bytes_(most_bytes) {}

  // Requires: of one key, ids ascend.
  Status add(std::string_view key, const StoredVersion& version);
  // All of them, once.
  Status drain(BlockWriter& to);

 private:
  struct Entry {
    std::uint64_t key_at = 0;
    std::uint32_t key_bytes = 0;
    StoredVersion version;
  };
  struct Run {
    std::uint64_t begin = 0, end = 0;  // in the file
  };
  class RunReader;
  std::string_view key_of(const Entry& entry) const {
    return as_text(Bytes(keys_).subspan(entry.key_at, entry.key_bytes));
  }
  void sort();
  Status set_aside();
  Status drain_memory(BlockWriter& to);

  io::Path dir_;
  std::size_t most_bytes_;
  Buffer keys_;
  std::vector<Entry> entries_;
  io::Fd file_;
  std::uint64_t file_end_ = 0;
  std::vector<Run> runs_;
};

}  // namespace tidemark::history
