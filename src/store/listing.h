// Lists a bucket page by page: what all cloud stores have in common.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "store/object_store.h"

namespace tidemark::store {

struct ListPage {
  std::vector<ObjectInfo> objects{};  // with whole keys of the bucket
  std::string next{};                 // what to ask the next page with; empty: this was the last one
};

// "backups/prod" + "v2/" is "backups/prod/v2/"; without a store's prefix the key itself.
std::string key_in_bucket(std::string_view store_prefix, std::string_view key);

// All pages, from `page("")` on. Keys are cut down to what is below the store's prefix; what does not begin with
// `prefix` there, and what check_key() refuses ("folders" that consoles make), is left out. In byte order of the keys.
// Errc::corrupt: a page leads to itself.
Result<std::vector<ObjectInfo>> list_pages(std::string_view store_prefix, std::string_view prefix,
                                           const std::function<Result<ListPage>(const std::string& token)>& page);

}  // namespace tidemark::store
