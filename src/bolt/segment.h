// One segment of a BulkWriter: leaves in ascending or descending order.
//
// A segment whose rows all fit into an inline bucket is held back in memory until it is known what it becomes.
// Threads: one at a time.
#pragma once

#include "bolt/bulk_writer.h"
#include "bolt/leaf.h"

namespace tidemark::bolt {

inline constexpr std::size_t kMostInline = kPageSize / 4;  // bbolt's limit for a bucket inside its parent's page

class SegmentWriter final : public BulkWriter::Segment {
 public:
  SegmentWriter(std::shared_ptr<PageFile> file, LeafWitness* witness)
      : file_(file), pages_(std::move(file), kLeafPage, witness) {}

  Status append(Bytes key, Bytes value) override;
  Status prepend(Bytes key, Bytes value) override;
  Status close() override;
  std::uint64_t rows() const override { return rows_; }

  bool closed() const { return state_ == State::closed; }
  bool belongs_to(const std::shared_ptr<PageFile>& file) const { return file_ == file; }
  // Requires, all of these: closed, and not empty.
  Bytes smallest() const { return descending_ ? last_ : first_; }
  Bytes largest() const { return descending_ ? first_ : last_; }
  bool held() const { return !leaf_.empty(); }  // nothing is in the file yet
  std::size_t held_bytes() const { return leaf_.bytes(); }
  std::span<const Row> held_rows() { return leaf_.rows(descending_); }
  // The leaves in key order. Writes them first if they are held.
  Result<PageList> take_leaves();

 private:
  enum class State { open, closed, failed };
  Status check(Bytes key, Bytes value, bool descending) const;
  Status put(Bytes key, Bytes value, bool descending);
  Status store(Bytes key, Bytes value);
  Status write_leaf();

  const std::shared_ptr<PageFile> file_;
  PageWriter pages_;
  Leaf leaf_;
  State state_ = State::open;
  bool descending_ = false;
  bool any_page_ = false;
  std::uint64_t rows_ = 0;
  Buffer first_, last_;  // keys, in the order they came
};

}  // namespace tidemark::bolt
