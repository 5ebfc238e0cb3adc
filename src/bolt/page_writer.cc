#include "bolt/page_writer.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace tidemark::bolt {

void PageList::add(Bytes first_key, std::uint32_t page) {
  entries_.push_back({keys_.size(), page, static_cast<std::uint32_t>(first_key.size())});
  keys_.insert(keys_.end(), first_key.begin(), first_key.end());
}

void PageList::shift(std::size_t from, std::uint32_t by) {
  for (std::size_t i = from; i < entries_.size(); i++) entries_[i].page += by;
}

void PageList::reverse() { std::reverse(entries_.begin(), entries_.end()); }

void PageList::append(PageList&& behind) {
  if (entries_.empty()) {
    *this = std::move(behind);
    return;
  }
  entries_.reserve(entries_.size() + behind.entries_.size());
  for (Entry entry : behind.entries_) {
    entry.key_at += keys_.size();
    entries_.push_back(entry);
  }
  keys_.insert(keys_.end(), behind.keys_.begin(), behind.keys_.end());
  behind = {};
}

std::size_t page_bytes(std::span<const Row> rows) {
  std::size_t bytes = kPageHeaderSize;
  for (const Row& row : rows) bytes += kElementSize + row.key.size() + row.value.size();
  return bytes;
}

void store_page(std::byte* to, std::uint16_t kind, std::span<const Row> rows, std::uint32_t overflow) {
  store_header(to, {.flags = kind, .count = static_cast<std::uint16_t>(rows.size()), .overflow = overflow});
  std::byte* element = to + kPageHeaderSize;
  std::byte* data = element + kElementSize * rows.size();
  for (const Row& row : rows) {
    const auto pos = static_cast<std::uint32_t>(data - element);
    const auto key_size = static_cast<std::uint32_t>(row.key.size());
    if (kind == kLeafPage) {
      store_le(element, row.flags);
      store_le(element + 4, pos);
      store_le(element + 8, key_size);
      store_le(element + 12, static_cast<std::uint32_t>(row.value.size()));
    } else {
      store_le(element, pos);
      store_le(element + 4, key_size);
      store_le(element + 8, row.child);
    }
    data = std::copy(row.key.begin(), row.key.end(), data);
    data = std::copy(row.value.begin(), row.value.end(), data);
    element += kElementSize;
  }
}

PageWriter::~PageWriter() {
  for (const PageRun& run : written_) file_->give_back(run);
  file_->return_chunk(std::move(chunk_));
}

Status PageWriter::close() { return flush(); }

Status PageWriter::add(std::span<const Row> rows, bool descending) {
  descending_ = descending;
  const std::size_t bytes = page_bytes(rows), pages = pages_for(bytes);
  TM_CHECK(make_room(pages));
  std::byte* const to = chunk_.data() + used_ * kPageSize;
  store_page(to, kind_, rows, static_cast<std::uint32_t>(pages - 1));
  std::memset(to + bytes, 0, pages * kPageSize - bytes);
  list_.add(rows.empty() ? Bytes() : rows.front().key, static_cast<std::uint32_t>(used_));
  used_ += pages;
  return {};
}

Status PageWriter::make_room(std::size_t pages) {
  if ((used_ + pages) * kPageSize <= chunk_.capacity()) return {};
  TM_CHECK(flush());
  chunk_ = pages > kChunkPages ? io::AlignedBuffer(pages * kPageSize) : file_->take_chunk();
  return {};
}

Status PageWriter::flush() {
  if (used_ == 0) return {};
  TM_LET(const PageId first, file_->allocate(used_));
  const std::size_t count = list_.size() - numbered_;
  for (std::size_t i = numbered_; i < list_.size(); i++)
    store_le(chunk_.data() + list_.page(i) * kPageSize, first + list_.page(i));
  list_.shift(numbered_, static_cast<std::uint32_t>(first));
  numbered_ = list_.size();
  if (written_.empty() || written_.back().first + written_.back().pages != first) {
    written_.push_back({first, used_});
  } else {
    written_.back().pages += used_;
  }
  TM_CHECK(named(file_->path().native(),
                 proof_.check(Bytes(chunk_.data(), used_ * kPageSize), first, count, kind_, descending_)));
  return file_->write(first, std::exchange(chunk_, {}), std::exchange(used_, 0));
}

PageList PageWriter::take() {
  for (const PageRun& run : written_) file_->keep(run);
  written_.clear();
  return std::move(list_);
}

}  // namespace tidemark::bolt
