#include "store/listing.h"

#include <algorithm>

namespace tidemark::store {

std::string key_in_bucket(std::string_view store_prefix, std::string_view key) {
  return store_prefix.empty() ? std::string(key) : fmt::format("{}/{}", store_prefix, key);
}

Result<std::vector<ObjectInfo>> list_pages(std::string_view store_prefix, std::string_view prefix,
                                           const std::function<Result<ListPage>(const std::string& token)>& page) {
  const std::string above = key_in_bucket(store_prefix, "");
  std::vector<ObjectInfo> all;
  std::string token;
  do {
    TM_LET(ListPage got, page(token));
    for (ObjectInfo& object : got.objects) {
      if (!object.key.starts_with(above)) continue;
      object.key.erase(0, above.size());
      if (object.key.starts_with(prefix) && check_key(object.key)) all.push_back(std::move(object));
    }
    if (!got.next.empty() && got.next == token) {
      return fail(Errc::corrupt, "list '{}{}': the same page again and again", above, prefix);
    }
    token = std::move(got.next);
  } while (!token.empty());
  std::ranges::sort(all, {}, &ObjectInfo::key);
  return all;
}

}  // namespace tidemark::store
