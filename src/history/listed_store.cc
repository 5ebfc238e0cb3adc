#include "history/listed_store.h"

namespace tidemark::history {

Result<std::vector<store::ObjectInfo>> ListedStore::list(std::string_view prefix) {
  TM_LET(auto objects, inner_.list(prefix));
  const std::scoped_lock lock(mutex_);
  for (const store::ObjectInfo& object : objects) listed_.insert_or_assign(object.key, object);
  return objects;
}

Result<store::ObjectInfo> ListedStore::listed(const std::string& key) {
  {
    const std::scoped_lock lock(mutex_);
    if (const auto known = listed_.find(key); known != listed_.end()) return known->second;
  }
  TM_LET(auto info, inner_.stat(key));
  const std::scoped_lock lock(mutex_);
  return listed_.insert_or_assign(key, std::move(info)).first->second;
}

void ListedStore::forget(const std::string& key) {
  const std::scoped_lock lock(mutex_);
  listed_.erase(key);
}

}  // namespace tidemark::history
