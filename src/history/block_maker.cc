#include "history/block_maker.h"

#include "crypto/crc32c.h"

namespace tidemark::history {
namespace {

// Wanted with every object of a custom kind, and no secret.
constexpr std::string_view kDefinitions = "/apiextensions.k8s.io/customresourcedefinitions/";

StoredVersion version_of(const etcd::RowId& id, const etcd::KeyValue& kv) {
  return {.id = id, .create = kv.create, .version = kv.version, .lease = kv.lease, .place = {}};
}

}  // namespace

BlockMaker::BlockMaker(bucket::Kind kind, const Options& options)
    : most_kept_(options.most_kept), sorter_(options.scratch, options.most_memory) {
  about_.kind = kind;
}

bool BlockMaker::is_kept(std::string_view key, std::size_t bytes) const {
  return kept_.size() + bytes <= most_kept_ && key.find(kDefinitions) != std::string_view::npos;
}

Place BlockMaker::keep(Bytes row) {
  const Place place{.offset = kept_.size(), .bytes = row.size(), .crc = crypto::crc32c(0, row), .kept = true};
  kept_.insert(kept_.end(), row.begin(), row.end());
  return place;
}

Status BlockMaker::add_row(const etcd::RowId& id, const etcd::KeyValue& kv, Bytes row, std::uint64_t at) {
  const std::string_view key = as_text(kv.key);
  StoredVersion v = version_of(id, kv);
  if (!id.tombstone && is_kept(key, row.size())) {
    v.place = keep(row);
  } else if (!id.tombstone) {
    v.place = {.offset = at, .bytes = row.size(), .crc = crypto::crc32c(0, row), .kept = false};
  }
  return sorter_.add(key, v);
}

Status BlockMaker::add_event(const etcd::RowId& id, const etcd::KeyValue& kv, const Place& place, Time received) {
  if (about_.receipts.empty() || about_.receipts.back().time != received) {
    about_.receipts.push_back({.first = id.main, .time = received, .sub = id.sub});
  }
  const std::string_view key = as_text(kv.key);
  StoredVersion v = version_of(id, kv);
  if (!id.tombstone && is_kept(key, etcd::encoded_size(kv))) {
    row_.clear();
    etcd::append_key_value(kv, row_);
    v.place = keep(row_);
  } else if (!id.tombstone) {
    v.place = place;
  }
  return sorter_.add(key, v);
}

Status BlockMaker::write(io::Sink& to) {
  BlockWriter writer(to);
  TM_CHECK(sorter_.drain(writer));
  return writer.finish(about_, kept_);
}

}  // namespace tidemark::history
