// What an index block is made of, gathered row by row; in bounded memory, whatever the object's size.
//
// Used by whoever reads an object to index it (index_build.h) and by whoever writes one. Nothing is proven here: that
// is the caller's part. Threads: one.
#pragma once

#include <string_view>

#include "history/index_block.h"
#include "history/version_sorter.h"

namespace tidemark::history {

class BlockMaker {
 public:
  struct Options {
    io::Path scratch;                       // a directory, for what does not fit
    std::size_t most_memory = 64UL << 20U;  // of versions that wait to be sorted
    // Copies of rows that are wanted with every object of a custom kind, the definitions; 0: they are read from the
    // object like any other.
    std::size_t most_kept = 64UL << 20U;
  };
  BlockMaker(bucket::Kind kind, const Options& options);

  // A row of a full: `row` (a mvccpb.KeyValue) begins at `at` in the database. Requires: rows in their order.
  Status add_row(const etcd::RowId& id, const etcd::KeyValue& kv, Bytes row, std::uint64_t at);
  // An event of a delta, that was received then. Requires: events in their order.
  Status add_event(const etcd::RowId& id, const etcd::KeyValue& kv, const Place& place, Time received);

  // The rest of what there is to say; kind and receipts are known.
  BlockAbout& about() { return about_; }
  // Once. Does not call to.finish().
  Status write(io::Sink& to);

 private:
  bool is_kept(std::string_view key, std::size_t bytes) const;
  Place keep(Bytes row);
  std::size_t most_kept_;
  BlockAbout about_;
  Buffer kept_, row_;
  VersionSorter sorter_;
};

}  // namespace tidemark::history
