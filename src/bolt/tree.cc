#include "bolt/tree.h"

#include <utility>
#include <vector>

#include "bolt/leaf.h"

namespace tidemark::bolt {

namespace {

// Where each branch page of the level begins in `below`, and the end. Requires: at least two pages below.
std::vector<std::size_t> split_level(const PageList& below) {
  std::vector<std::size_t> starts = {0};
  std::size_t bytes = kPageHeaderSize;
  for (std::size_t i = 0; i < below.size(); i++) {
    const std::size_t more = kElementSize + below.key(i).size();
    if (bytes + more > kFill && i - starts.back() >= 2) {
      starts.push_back(i);
      bytes = kPageHeaderSize;
    }
    bytes += more;
  }
  const std::size_t end = below.size();
  if (end - starts.back() == 1) {
    // An only child: take its brother's last, or, if that would leave the brother with one, move in there.
    const std::size_t left = starts.back() - starts[starts.size() - 2];
    if (left > 2) {
      starts.back()--;
    } else {
      starts.pop_back();
    }
  }
  starts.push_back(end);
  return starts;
}

Result<PageList> write_level(const std::shared_ptr<PageFile>& file, const PageList& below) {
  const std::vector<std::size_t> starts = split_level(below);
  PageWriter writer(file, kBranchPage);
  std::vector<Row> children;
  for (std::size_t page = 0; page + 1 < starts.size(); page++) {
    children.clear();
    for (std::size_t i = starts[page]; i < starts[page + 1]; i++)
      children.push_back({.key = below.key(i), .value = {}, .child = below.page(i)});
    TM_CHECK(writer.add(children));
  }
  TM_CHECK(writer.close());
  return writer.take();
}

}  // namespace

Result<Tree> write_branches(const std::shared_ptr<PageFile>& file, PageList pages) {
  Tree tree;
  for (; pages.size() > 1; tree.levels++) {
    TM_LET(PageList above, write_level(file, pages));
    pages = std::move(above);
  }
  tree.top = pages.page(0);
  return tree;
}

}  // namespace tidemark::bolt
