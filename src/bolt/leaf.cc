#include "bolt/leaf.h"

#include <algorithm>

namespace tidemark::bolt {

namespace {

constexpr std::size_t kLargePair = 64 * 1024;    // two rows above this get a page each: little of it is wasted
constexpr std::size_t kKeptMemory = 256 * 1024;  // what one huge row may leave behind in a segment

}  // namespace

bool Leaf::takes(std::size_t key_and_value) const {
  if (rows_.empty()) return true;
  const std::size_t with = bytes_ + kElementSize + key_and_value;
  if (with <= kFill) return true;
  const std::size_t taken = pages_for(bytes_) * kPageSize;
  if (with <= taken && bytes_ < taken / 4 * 3) return true;
  return rows_.size() < 2 && with <= kLargePair;
}

void Leaf::add(Bytes key, Bytes value) {
  rows_.push_back({data_.size(), static_cast<std::uint32_t>(key.size()), static_cast<std::uint32_t>(value.size())});
  data_.insert(data_.end(), key.begin(), key.end());
  data_.insert(data_.end(), value.begin(), value.end());
  bytes_ += kElementSize + key.size() + value.size();
}

std::span<const Row> Leaf::rows(bool reversed) {
  views_.clear();
  for (const Place& row : rows_) {
    const Bytes both = Bytes(data_).subspan(row.at, std::size_t{row.key_size} + row.value_size);
    views_.push_back({.key = both.first(row.key_size), .value = both.subspan(row.key_size)});
  }
  if (reversed) std::reverse(views_.begin(), views_.end());
  return views_;
}

void Leaf::clear() {
  rows_.clear();
  data_.clear();
  if (data_.capacity() > kKeptMemory) Buffer().swap(data_);
  bytes_ = kPageHeaderSize;
}

}  // namespace tidemark::bolt
