#include "bolt/segment.h"

#include <utility>

namespace tidemark::bolt {

Status SegmentWriter::append(Bytes key, Bytes value) { return put(key, value, false); }

Status SegmentWriter::prepend(Bytes key, Bytes value) { return put(key, value, true); }

Status SegmentWriter::check(Bytes key, Bytes value, bool descending) const {
  const auto refuse = [&](std::string_view why) {
    return fail(Errc::invalid, "'{}': row {} (key {}): {}", file_->path().native(), rows_,
                to_hex(key.first(std::min<std::size_t>(key.size(), 32))), why);
  };
  if (state_ != State::open) return refuse(state_ == State::closed ? "the segment is closed" : "the segment failed");
  if (key.empty()) return refuse("the key is empty");
  if (key.size() > kMostKey) return refuse("the key is longer than 32768 bytes");
  // The run of the page must stay below 2 GiB as well.
  if (value.size() > kMostValue - kMostKey - 2 * kPageSize) return refuse("the value is too large");
  if (rows_ == 0) return {};
  if (descending != descending_) return refuse("append and prepend in one segment");
  const int order = compare(last_, key);
  if (order == 0) return refuse("the key came before");
  if (descending ? order < 0 : order > 0)
    return refuse(descending ? "the key is above the one before it" : "the key is below the one before it");
  return {};
}

Status SegmentWriter::put(Bytes key, Bytes value, bool descending) {
  TM_CHECK(check(key, value, descending));
  descending_ = descending;
  auto stored = store(key, value);
  if (!stored) state_ = State::failed;
  return stored;
}

Status SegmentWriter::store(Bytes key, Bytes value) {
  if (!leaf_.takes(key.size() + value.size())) TM_CHECK(write_leaf());
  leaf_.add(key, value);
  if (rows_++ == 0) first_.assign(key.begin(), key.end());
  last_.assign(key.begin(), key.end());
  return {};
}

Status SegmentWriter::write_leaf() {
  TM_CHECK(pages_.add(leaf_.rows(descending_), descending_));
  leaf_.clear();
  any_page_ = true;
  return {};
}

Status SegmentWriter::close() {
  if (state_ == State::closed) return {};
  if (state_ == State::failed) return fail(Errc::io, "'{}': the segment failed", file_->path().native());
  state_ = State::failed;
  const bool hold = !any_page_ && leaf_.bytes() <= kMostInline;
  if (!hold) {
    if (!leaf_.empty()) TM_CHECK(write_leaf());
    TM_CHECK(pages_.close());
  }
  state_ = State::closed;
  return {};
}

Result<PageList> SegmentWriter::take_leaves() {
  if (held()) {
    TM_CHECK(write_leaf());
    TM_CHECK(pages_.close());
  }
  PageList leaves = pages_.take();
  if (descending_) leaves.reverse();
  return leaves;
}

}  // namespace tidemark::bolt
