// Etcd's Maintenance.Snapshot: the database and its SHA-256. Only link/'s own files include this.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "io/stream.h"
#include "link/session.h"

namespace tidemark::link {

struct SnapshotResult {
  std::uint64_t bytes = 0;          // written to the sink, digest included
  std::optional<Error> sink_error;  // it was not the server's fault
};

// Streams into `into`. A fault before the first byte may be tried elsewhere; after it, it may not. The sink's own
// failure ends the stream and is in `result`.
std::optional<Fault> receive_snapshot(const Attempt& attempt, std::chrono::milliseconds chunk_timeout, io::Sink& into,
                                      const std::function<void(std::uint64_t, std::uint64_t)>& progress,
                                      SnapshotResult& result);

}  // namespace tidemark::link
