// An ObjectStore keeps named, immutable byte strings: a directory, a bucket, a map.
//
// Keys are relative to the store's prefix, '/'-separated, without leading slash and without empty, "." or ".." parts.
// Guarantees: after commit() or put() returned ok the object survives a crash and every later get() returns exactly
// these bytes; no reader ever sees part of an object; an object is written once and never changed. Threads: all calls
// may run concurrently; one ObjectWriter belongs to one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "io/stream.h"

namespace tidemark::store {

struct ObjectInfo {
  std::string key;
  std::uint64_t size = 0;
  Time modified;
};

// An object in the making. Destroyed without commit(): nothing appears and nothing is left behind.
class ObjectWriter : public io::Sink {
 public:
  Status finish() override { return {}; }
  // Makes the object visible and durable. Errc::already_exists when the key is taken, even by equal bytes.
  virtual Status commit() = 0;
};

class ObjectStore {
 public:
  virtual ~ObjectStore() = default;

  virtual Result<std::unique_ptr<ObjectWriter>> create(std::string_view key) = 0;
  // create + write + commit. This is the conditional create that claims rest on: of any number of concurrent puts of
  // one key exactly one succeeds, the others get already_exists.
  virtual Status put(std::string_view key, Bytes body);
  // Errc::not_found; `length` may run past the end.
  virtual Result<std::unique_ptr<io::Source>> open(std::string_view key, std::uint64_t offset = 0,
                                                   std::uint64_t length = UINT64_MAX) = 0;
  virtual Result<ObjectInfo> stat(std::string_view key) = 0;
  // Every object whose key begins with `prefix` (a plain string prefix), in byte order of the keys. Unfinished writes
  // are never listed.
  virtual Result<std::vector<ObjectInfo>> list(std::string_view prefix) = 0;
  virtual Status remove(std::string_view key) = 0;  // Errc::not_found when it is not there
  // Errc::denied on every write when true.
  virtual bool read_only() const = 0;
  // "dir:/backups/prod": for messages; never a credential.
  virtual std::string url() const = 0;

  // The whole object; Errc::corrupt above `limit`.
  Result<Buffer> get(std::string_view key, std::uint64_t limit = 64UL << 20U);
};

// Errc::invalid unless the key has the form above.
Status check_key(std::string_view key);

}  // namespace tidemark::store
