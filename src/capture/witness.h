// Sees what goes into a full or a delta on its way to the store, and is told when it stands there: so that an index of
// it is made without reading it again, which a recorder of an encrypted store could not.
//
// What a witness fails at is told and counted and costs nothing else: the object is published all the same.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "bucket/name.h"
#include "capture/counters.h"
#include "etcd/row.h"
#include "io/compress.h"
#include "io/file.h"
#include "store/object_store.h"

namespace tidemark::capture {

// Of one object; its calls come from one thread at a time. Destroyed without published(): there is no such object, or
// it is not certain that it holds what was seen.
class Witness {
 public:
  virtual ~Witness() = default;
  // In the order of the revisions. `text` begins at `at` in the object's text: of a full it is the value of a row's
  // element in the database (a mvccpb.KeyValue), of a delta an event, from '{' to '}'. `received`: a delta's.
  virtual Status saw(const etcd::RowId& id, const etcd::KeyValue& kv, Bytes text, std::uint64_t at, Time received) = 0;

  struct Published {
    std::string_view key;
    RevisionSpan span;                           // as history::BlockAbout has it
    std::uint64_t text_bytes = 0;                // the digest included
    std::uint64_t stored_bytes = 0;              // compressed
    const std::vector<io::GzipMember>& members;  // of what is stored
  };
  // It stands in `store`, and this process put it there. How many bytes were put beside it.
  virtual Result<std::uint64_t> published(store::ObjectStore& store, const Published& object) = 0;
};

// `scratch` exists. Never null. Threads: any.
using NewWitness = std::function<std::unique_ptr<Witness>(bucket::Kind kind, const io::Path& scratch)>;

// A witness that may be missing, and is sent away when it fails.
class Watched {
 public:
  Watched(const NewWitness& make, bucket::Kind kind, const io::Path& scratch);
  bool watching() const { return witness_ != nullptr; }
  void saw(const etcd::RowId& id, const etcd::KeyValue& kv, Bytes text, std::uint64_t at, Time received);

  struct Outcome {
    std::uint64_t bytes = 0;  // that were put beside the object; 0: none
    std::string fault;        // why none were, where they should have been
    void tell(std::string_view key, Counters& counters) const;
  };
  Outcome published(store::ObjectStore& store, const Witness::Published& object);

 private:
  std::unique_ptr<Witness> witness_;
  std::string fault_;
};

}  // namespace tidemark::capture
