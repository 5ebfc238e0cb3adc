// One key as etcd had it at a moment.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "base/ids.h"
#include "etcd/row.h"

namespace tidemark::history {

struct Row {
  std::string value;
  Revision create, mod;
  std::int64_t version = 0;
  LeaseId lease;
};
using Rows = std::map<std::string, Row, std::less<>>;  // by key

inline Row row_without_value(const etcd::KeyValue& kv) {
  return {.value = {}, .create = kv.create, .mod = kv.mod, .version = kv.version, .lease = kv.lease};
}

inline Row row_of(const etcd::KeyValue& kv) {
  Row row = row_without_value(kv);
  row.value = as_text(kv.value);
  return row;
}

}  // namespace tidemark::history
