// Rows by their keys, as many as a cluster has: once their values are too much for memory they lie in an unnamed file.
//
// Memory: `most_bytes` of values, and about 250 bytes a key. Threads: one.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "history/row.h"
#include "io/file.h"

namespace tidemark::history {

class RowSpool {
 public:
  class Entry {
   public:
    Revision mod() const { return row_.mod; }

   private:
    friend class RowSpool;
    Row row_;
    std::uint64_t at_ = 0, bytes_ = 0;  // of the value, when it is in the file
    bool in_file_ = false, gone_ = false;
  };
  using Entries = std::map<std::string, Entry, std::less<>>;

  static constexpr std::size_t kNoLimit = SIZE_MAX;
  // `dir` exists; it is not touched below the limit.
  explicit RowSpool(io::Path dir, std::size_t most_bytes = 32UL << 20U)
      : dir_(std::move(dir)), most_bytes_(most_bytes) {}

  // Takes the place of what was there. Errc::no_space, Errc::io: of the file.
  Status put(std::string_view key, Row row);
  // The key is settled: it was deleted.
  void put_gone(std::string_view key);
  bool knows(std::string_view key) const { return entries_.contains(key); }
  void forget_gone();
  void clear();

  const Entries& entries() const { return entries_; }
  // With its value.
  Result<Row> row(const Entry& entry) const;
  // All of them; none is left. Requires: kNoLimit.
  Rows take_rows();

 private:
  Status set_aside();
  io::Path dir_;
  std::size_t most_bytes_;
  std::size_t held_ = 0;  // bytes of values in memory
  Entries entries_;
  io::Fd file_;
  std::uint64_t file_end_ = 0;
};

}  // namespace tidemark::history
