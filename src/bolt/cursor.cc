#include "bolt/cursor.h"

#include <utility>

namespace tidemark::bolt {

Cursor::Cursor(const Reader& reader, const Bucket& in, Direction direction)
    : reader_(reader), in_(in), direction_(direction), seen_(in.root == 0 ? 0 : reader.meta().high_water) {}

Result<const Element*> Cursor::next() {
  if (!std::exchange(started_, true)) TM_CHECK(start());
  while (!stack_.empty()) {
    Frame& top = stack_.back();
    if (top.done == top.page.count()) {
      stack_.pop_back();
      continue;
    }
    if (!top.page.is_leaf()) {
      TM_CHECK(descend(top));
      continue;
    }
    const auto element = top.page.element(index(top));
    if (!element) return top.page.bad_element(index(top));
    current_ = *element;
    TM_CHECK(check_place(top));
    top.done++;
    return &current_;
  }
  return nullptr;
}

Status Cursor::start() {
  stack_.reserve(8);
  return enter(reader_.top_page(in_));
}

Status Cursor::descend(Frame& from) {
  const auto child = from.page.child(index(from));
  if (!child) return from.page.bad_element(index(from));
  from.done++;
  return enter(reader_.page(child->page));
}

Status Cursor::enter(Result<Page> page) {
  if (!page) return std::unexpected(std::move(page).error());
  if (in_.root != 0 && !seen_.add(page->id(), page->pages()))
    return fail(Errc::corrupt, "{}: multiple references", page->title());
  if (stack_.size() == kMostDepth) return fail(Errc::corrupt, "{}: deeper than {} pages", page->title(), kMostDepth);
  if (!page->is_leaf() && page->count() == 0) return fail(Errc::corrupt, "{}: branch without children", page->title());
  walked_ += page->pages() * reader_.meta().page_size;
  if (walked_ >= Reader::kForgetEvery) {
    reader_.forget_pages();
    walked_ = 0;
  }
  stack_.push_back({*page, 0});
  edge_ = nullptr;
  return {};
}

// Is the current element where it belongs: behind the previous key, and in bytes of its own?
Status Cursor::check_place(const Frame& leaf) {
  const bool forwards = direction_ == Direction::forwards;
  const std::byte* const begin = current_.key.data();
  const std::byte* const end = begin + current_.key.size() + current_.value.size();
  if (edge_ != nullptr && (forwards ? begin < edge_ : end > edge_))
    return fail(Errc::corrupt, "{}: element {} overlaps another", leaf.page.title(), index(leaf));
  edge_ = forwards ? end : begin;
  const int order = previous_key_.empty() ? 0 : compare(previous_key_, current_.key);
  if (!previous_key_.empty() && (forwards ? order >= 0 : order <= 0))
    return fail(Errc::corrupt, "{}: key {} is out of order", leaf.page.title(), index(leaf));
  previous_key_ = current_.key;
  return {};
}

}  // namespace tidemark::bolt
