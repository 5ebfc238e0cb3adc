// Reads the snapshot objects under testdata/, and makes small bodies by hand.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "bucket/delta.h"
#include "bucket/name.h"
#include "io/file.h"
#include "io/stream.h"

namespace tidemark::bucket::testing {

// An event that owns its bytes.
struct Event {
  bool deletion = false;
  std::string key, value;
  std::int64_t create = 0, mod = 0, version = 0, lease = 0;
  Time time;

  friend bool operator==(const Event&, const Event&) = default;
};
Event copy_of(const DeltaEvent& event);
DeltaEvent view_of(const Event& event);

// The decompressed body of a snapshot object, by the suffix in its name.
Result<std::unique_ptr<io::Source>> open_body(const io::Path& object);
Result<Buffer> read_body(const io::Path& object);

// The snapshot objects in a folder, in the order of their revisions.
struct Object {
  io::Path path;
  SnapshotName name;
};
std::vector<Object> objects_in(const io::Path& folder, Kind kind);

Result<std::vector<Event>> read_events(io::Source& body);
Result<std::vector<Event>> read_events(Bytes body);

// `text` with its digest behind it.
Buffer with_digest(std::string_view text);

}  // namespace tidemark::bucket::testing
