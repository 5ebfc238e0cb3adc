#include "etcd/testing/sample.h"

#include <set>

#include "bolt/testing/sample.h"
#include "etcd/data_dir.h"
#include "etcd/log_dir.h"

namespace tidemark::etcd::testing {

namespace {

constexpr std::uint64_t kDigestSize = 32;

std::string text(Bytes bytes) { return std::string(as_text(bytes)); }

}  // namespace

Row put_row(RowId id, std::string_view key, std::string_view value, std::int64_t create, std::int64_t version,
            std::int64_t lease) {
  Buffer bytes;
  append_key_value({as_bytes(key), as_bytes(value), Revision(create), id.main, version, LeaseId(lease)}, bytes);
  return {text(encode_row_key(id).view()), text(bytes)};
}

Row tombstone_row(RowId id, std::string_view key) {
  Buffer bytes;
  append_key_value({as_bytes(key), {}, {}, {}, 0, {}}, bytes);
  id.tombstone = true;
  return {text(encode_row_key(id).view()), text(bytes)};
}

History& History::put(const std::string& key, const std::string& value, LeaseId lease) {
  Living& living = live_.try_emplace(key, Living{next_, 0}).first->second;
  living.version++;
  rows_.push_back(put_row({next_, sub_++, false}, key, value, living.create.raw(), living.version, lease.raw()));
  return *this;
}

History& History::remove(const std::string& key) {
  live_.erase(key);
  rows_.push_back(tombstone_row({next_, sub_++, true}, key));
  return *this;
}

History& History::commit() {
  next_ = next_.next();
  sub_ = 0;
  return *this;
}

std::vector<std::string> History::live_keys() const {
  std::vector<std::string> keys;
  for (const auto& [key, living] : live_) keys.push_back(key);
  return keys;
}

std::vector<Row> compacted_rows(const std::vector<Row>& rows, Revision at) {
  std::set<std::string> seen;
  std::vector<Row> out;
  for (auto row = rows.rbegin(); row != rows.rend(); ++row) {
    const RowId id = decode_row_key(as_bytes(row->key)).value();
    const bool newest = id.main > at || seen.insert(text(decode_key_value(as_bytes(row->value)).value().key)).second;
    if (id.main > at || (newest && (!id.tombstone || id.main == at))) out.insert(out.begin(), *row);
  }
  return out;
}

Buffer database_of(const Store& store) {
  bolt::testing::Database content;
  for (const Row& row : store.rows) content["key"][row.key] = row.value;
  content["key"];
  auto& meta = content["meta"];
  meta["consistent_index"] = std::string("\0\0\0\0\0\0\0\1", 8);
  if (store.finished) meta["finishedCompactRev"] = text(encode_row_key({*store.finished, 0, false}).view());
  if (store.scheduled) meta["scheduledCompactRev"] = text(encode_row_key({*store.scheduled, 0, false}).view());
  for (const auto& [bucket, rows] : store.others)
    for (const auto& [key, value] : rows) content[bucket][key] = value;
  return bolt::testing::write_database(content);
}

Status build_data_dir(const io::Path& root, const bolt::Reader& base, const SmallBuckets& buckets, MemberId self) {
  const DataDir dir{root};
  TM_CHECK(make_data_dir(dir));
  TM_LET(const auto writer, bolt::BulkWriter::create(dir.database()));
  TM_LET(const bolt::Bucket rows, base.bucket("key"));
  std::vector<std::unique_ptr<bolt::BulkWriter::Segment>> segments;
  segments.push_back(writer->segment());
  TM_CHECK(base.for_each(rows, [&](const bolt::Element& e) { return segments[0]->append(e.key, e.value); }));
  TM_CHECK(segments[0]->close());
  TM_CHECK(writer->add_tree("key", std::move(segments)));
  TM_CHECK(write_small_buckets(*writer, base, buckets));
  TM_CHECK(writer->finish());
  return write_log(dir.member(), buckets.cluster, self);
}

Result<bolt::Reader> open_snapshot(const io::Path& path) {
  TM_LET(const std::uint64_t size, io::size_of_file(path));
  return bolt::Reader::open(path, size - kDigestSize);
}

}  // namespace tidemark::etcd::testing
