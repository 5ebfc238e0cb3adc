// The structural check: every page of every tree, the freelist, and whether the two account for all pages.
#include <algorithm>
#include <utility>

#include "bolt/reader.h"

namespace tidemark::bolt {

namespace {

// What a tree must keep to: faults for check_structure(), habits for check_writer_rules().
enum class Rules { structure, writer };

class Check {
 public:
  Check(const Reader& reader, Rules rules, std::size_t most_findings)
      : reader_(reader),
        rules_(rules),
        most_(most_findings),
        freed_(reader.meta().high_water),
        reached_(reader.meta().high_water) {}

  std::vector<std::string> run() && {
    reached_.add(0, kFirstDataPage);
    if (reader_.meta().freelist != kNoFreelist) check_freelist();
    check_bucket(reader_.root());
    // A bucket inside a bucket is checked after its parent; each costs a page or bytes of one, so the list is finite.
    while (!below_.empty() && findings_.size() < most_) {
      const Bucket next = below_.back();
      below_.pop_back();
      check_bucket(next);
    }
    if (reader_.meta().freelist != kNoFreelist) check_all_accounted();
    return std::move(findings_);
  }

 private:
  struct Frame {
    Page page;
    std::size_t next = 0;
    Bytes low, high;  // the keys of the ancestors around this page: low <= every key < high; empty: no bound
    Bytes previous;   // the key before `next`
    const std::byte* edge = nullptr;  // where its data end
  };

  void fault(std::string text) {
    if (rules_ == Rules::structure && findings_.size() < most_) findings_.push_back(std::move(text));
  }
  void breach(std::string text) {
    if (rules_ == Rules::writer && findings_.size() < most_) findings_.push_back(std::move(text));
  }

  void check_freelist() {
    const PageId at = reader_.meta().freelist;
    const auto run = reader_.page_run(at);
    if (!run) return fault(run.error().what);
    reached_.add(at, run->size() / reader_.meta().page_size);
    const auto free = load_freelist(*run, at);
    if (!free) return fault(free.error().what);
    for (const PageId page : *free) {
      if (page < kFirstDataPage || page >= reader_.meta().high_water) {
        fault(fmt::format("page {}: freed but out of bounds: {} pages", page, reader_.meta().high_water));
      } else if (!freed_.add(page)) {
        fault(fmt::format("page {}: already freed", page));
      }
    }
  }

  void check_all_accounted() {
    for (PageId page = 0; page < reader_.meta().high_water && findings_.size() < most_; page++)
      if (!reached_.has(page) && !freed_.has(page)) fault(fmt::format("page {}: unreachable unfreed", page));
  }

  void check_bucket(const Bucket& bucket) {
    stack_.clear();
    last_key_ = {};
    auto top = reader_.top_page(bucket);
    if (top && bucket.root == 0) {
      stack_.push_back({.page = *top, .low = {}, .high = {}, .previous = {}, .edge = nullptr});
    } else {
      enter(bucket.root, std::move(top), {}, {});
    }
    while (!stack_.empty() && findings_.size() < most_) {
      if (stack_.back().next == stack_.back().page.count()) {
        stack_.pop_back();
      } else if (stack_.back().page.is_leaf()) {
        check_element(stack_.back());
      } else {
        check_child(stack_.back());
      }
    }
  }

  void enter(PageId id, Result<Page> page, Bytes low, Bytes high) {
    if (!page) return fault(page.error().what);
    if (!reached_.add(id, page->pages())) return fault(fmt::format("page {}: multiple references", id));
    for (PageId of_run = id; of_run < id + page->pages(); of_run++)
      if (freed_.has(of_run)) fault(fmt::format("page {}: reachable freed", of_run));
    if (stack_.size() == kMostDepth) return fault(fmt::format("page {}: deeper than {} pages", id, kMostDepth));
    if (page->count() == 0 && !page->is_leaf()) fault(fmt::format("page {}: branch without children", id));
    if (page->count() == 0 && !stack_.empty()) breach(fmt::format("page {}: empty below another page", id));
    if (page->count() == 1 && !page->is_leaf()) breach(fmt::format("page {}: branch with one child", id));
    walked_ += page->pages() * reader_.meta().page_size;
    if (walked_ >= Reader::kForgetEvery) {
      reader_.forget_pages();
      walked_ = 0;
    }
    stack_.push_back({.page = *page, .low = low, .high = high, .previous = {}, .edge = nullptr});
  }

  void check_element(Frame& leaf) {
    const auto element = leaf.page.element(leaf.next);
    if (!element) return skip_page(leaf);
    // Without this, buckets within buckets could share bytes, and checking them all might never end.
    if (leaf.edge != nullptr && element->key.data() < leaf.edge) {
      fault(fmt::format("{}: element {} overlaps another", leaf.page.title(), leaf.next));
      leaf.next = leaf.page.count();
      return;
    }
    leaf.edge = element->key.data() + element->key.size() + element->value.size();
    check_key(leaf, element->key);
    // Across leaves too: the branches above may bound them loosely.
    if (leaf.next == 0 && !last_key_.empty() && compare(element->key, last_key_) <= 0)
      fault(fmt::format("{}: its first key is not above the keys of the page before", leaf.page.title()));
    last_key_ = element->key;
    if (element->is_bucket) {
      const auto bucket = Reader::as_bucket(*element);
      if (!bucket) fault(fmt::format("{}: {}", leaf.page.title(), bucket.error().what));
      if (bucket) below_.push_back(*bucket);
    }
    leaf.previous = element->key;
    leaf.next++;
  }

  void check_child(Frame& branch) {
    const auto child = branch.page.child(branch.next);
    if (!child) return skip_page(branch);
    check_key(branch, child->key);
    branch.previous = child->key;
    branch.next++;
    Bytes high = branch.high;
    if (branch.next < branch.page.count()) {
      const auto sibling = branch.page.child(branch.next);
      if (sibling) high = sibling->key;
    }
    enter(child->page, reader_.page(child->page), child->key, high);
  }

  // Damage in one element makes those behind it guesswork.
  void skip_page(Frame& frame) {
    fault(frame.page.bad_element(frame.next).error().what);
    frame.next = frame.page.count();
  }

  void check_key(const Frame& frame, Bytes key) {
    const auto complain = [&](std::string_view what) {
      fault(fmt::format("{}: key {} {}", frame.page.title(), frame.next, what));
    };
    if (!frame.previous.empty() && compare(key, frame.previous) <= 0) complain("is not above the key before it");
    if (!frame.high.empty() && compare(key, frame.high) >= 0) complain("is not below the next key of the page above");
    if (frame.next != 0 || frame.low.empty()) return;
    const int order = compare(key, frame.low);
    if (order < 0) complain("is below its key in the page above");
    if (order > 0) breach(fmt::format("{}: its first key is not its key in the page above", frame.page.title()));
  }

  const Reader& reader_;
  const Rules rules_;
  const std::size_t most_;
  PageSet freed_, reached_;
  std::uint64_t walked_ = 0;  // bytes of pages since memory was given back
  std::vector<Frame> stack_;
  std::vector<Bucket> below_;
  Bytes last_key_;  // of the leaf level, in the bucket at hand
  std::vector<std::string> findings_;
};

}  // namespace

std::vector<std::string> check_structure(const Reader& reader, std::size_t most_findings) {
  return Check(reader, Rules::structure, most_findings).run();
}

std::vector<std::string> check_writer_rules(const Reader& reader, std::size_t most_findings) {
  return Check(reader, Rules::writer, most_findings).run();
}

}  // namespace tidemark::bolt
