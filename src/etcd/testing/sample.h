// Small etcd stores for tests: a history of changes, and the database or data directory that holds it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "bolt/reader.h"
#include "etcd/cluster.h"
#include "etcd/database.h"
#include "etcd/row.h"
#include "io/file.h"

namespace tidemark::etcd::testing {

struct Row {
  std::string key, value;  // of the bucket
};

// Makes the rows that etcd would, one transaction at a time.
class History {
 public:
  explicit History(Revision first = Revision(2)) : next_(first) {}
  History& put(const std::string& key, const std::string& value, LeaseId lease = {});  // in the open transaction
  History& remove(const std::string& key);                                             // Requires: it lives
  History& commit();                                                                   // Requires: at least one change
  Revision revision() const { return next_.prev(); }
  bool lives(const std::string& key) const { return live_.contains(key); }
  std::vector<std::string> live_keys() const;
  const std::vector<Row>& rows() const { return rows_; }

 private:
  struct Living {
    Revision create;
    std::int64_t version;
  };
  void add(const KeyValue& kv, bool tombstone);
  Revision next_;
  std::int64_t sub_ = 0;
  std::map<std::string, Living> live_;
  std::vector<Row> rows_;
};

Row put_row(RowId id, std::string_view key, std::string_view value, std::int64_t create, std::int64_t version,
            std::int64_t lease = 0);
Row tombstone_row(RowId id, std::string_view key);

// What etcd's compaction at `at` leaves of the rows.
std::vector<Row> compacted_rows(const std::vector<Row>& rows, Revision at);

struct Store {
  std::vector<Row> rows;
  std::optional<Revision> finished, scheduled;
  std::map<std::string, std::map<std::string, std::string>> others;  // further buckets and their rows
};
Buffer database_of(const Store& store);  // bytes of the file

// A whole data directory as a restore makes it: all rows of `base`, new small buckets, a new log.
Status build_data_dir(const io::Path& root, const bolt::Reader& base, const SmallBuckets& buckets, MemberId self);

// testdata/etcd-snapshots/<version>/<name> without its digest.
Result<bolt::Reader> open_snapshot(const io::Path& path);

}  // namespace tidemark::etcd::testing
