// A recorder's numbers for Prometheus, on a listener of their own. Threads: the listener's; the counters are atomic.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "capture/counters.h"
#include "net/http.h"
#include "store/metered_store.h"

namespace tidemark::cli {

class RecordMetrics {
 public:
  // Serves http://ADDRESS/metrics ("127.0.0.1:9402", ":9402") until destroyed. Requires: the counters, `store` and
  // `wire` outlive it. Errc::invalid: the address cannot be listened on. `store`: what the store was asked, `wire`:
  // what goes over the wire to it (nullptr: nothing); both with tidemark_record_store_ in front.
  static Result<std::unique_ptr<RecordMetrics>> listen(const std::string& address, const capture::Counters& counters,
                                                       const store::StoreTally& store, const net::Traffic* wire);
  virtual ~RecordMetrics() = default;
};

}  // namespace tidemark::cli
