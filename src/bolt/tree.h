// The branch pages above a list of leaves.
//
// Every branch page has two children at least, and each element's key is exactly the first key of its child.
#pragma once

#include <memory>

#include "bolt/page_writer.h"

namespace tidemark::bolt {

struct Tree {
  PageId top = 0;
  std::size_t levels = 0;  // of branch pages; 0: the top is the only leaf
};

// Writes all levels above `pages`. Requires: at least one page, first keys ascending.
Result<Tree> write_branches(const std::shared_ptr<PageFile>& file, PageList pages);

}  // namespace tidemark::bolt
