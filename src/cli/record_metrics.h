// A recorder's numbers for Prometheus, on a listener of their own. Threads: the listener's; the counters are atomic.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "capture/counters.h"

namespace tidemark::cli {

class RecordMetrics {
 public:
  // Serves http://ADDRESS/metrics ("127.0.0.1:9402", ":9402") until destroyed. Requires: the counters outlive it.
  // Errc::invalid: the address cannot be listened on.
  static Result<std::unique_ptr<RecordMetrics>> listen(const std::string& address, const capture::Counters& counters);
  virtual ~RecordMetrics() = default;
};

}  // namespace tidemark::cli
