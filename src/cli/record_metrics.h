// A recorder's numbers for Prometheus, on a listener of their own. Threads: the listener's; the counters are atomic.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "capture/counters.h"
#include "net/http.h"

namespace tidemark::cli {

class RecordMetrics {
 public:
  // Serves http://ADDRESS/metrics ("127.0.0.1:9402", ":9402") until destroyed. Requires: the counters and `store`
  // outlive it. Errc::invalid: the address cannot be listened on. `store`: what goes over the wire to the store, with
  // tidemark_record_store_ in front; may be nullptr.
  static Result<std::unique_ptr<RecordMetrics>> listen(const std::string& address, const capture::Counters& counters,
                                                       const net::Traffic* store = nullptr);
  virtual ~RecordMetrics() = default;
};

}  // namespace tidemark::cli
