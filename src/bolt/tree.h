// The branch pages above a list of leaves.
//
// Every branch page has two children at least, and each element's key is exactly the first key of its child.
#pragma once

#include <memory>

#include "bolt/page_writer.h"

namespace tidemark::bolt {

// Writes all levels above `pages` and returns the top page. Requires: at least one page, first keys ascending.
Result<PageId> write_branches(const std::shared_ptr<PageFile>& file, PageList pages);

}  // namespace tidemark::bolt
