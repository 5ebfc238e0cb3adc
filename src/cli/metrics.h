// Numbers for Prometheus: how families are made of a verb's counters, and the listener that shows them.
#pragma once

#include <prometheus/client_metric.h>
#include <prometheus/metric_family.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "net/http.h"
#include "store/metered_store.h"

namespace tidemark::cli {

using MetricFamilies = std::vector<prometheus::MetricFamily>;

// Families of one verb: all of their names begin with `prefix`.
class MetricMaker {
 public:
  explicit MetricMaker(std::string prefix) : prefix_(std::move(prefix)) {}

  prometheus::MetricFamily empty(const char* name, const char* help, prometheus::MetricType type) const;
  prometheus::MetricFamily gauge(const char* name, const char* help, double value) const;
  prometheus::MetricFamily count(const char* name, const char* help, double value) const;
  // What the store was asked; `wire`: what goes over the wire to it, nullptr: nothing does.
  void add_store(MetricFamilies& all, const store::StoreTally& store, const net::Traffic* wire) const;

 private:
  std::string prefix_;
};
// One more line of a counter's family.
void add_count(prometheus::MetricFamily& to, std::vector<prometheus::ClientMetric::Label> labels, double value);

class MetricsListener {
 public:
  // Serves http://ADDRESS/metrics ("127.0.0.1:9402", ":9402") until destroyed. Requires: what `collect` reads outlives
  // it, and may be read in the listener's threads. Errc::invalid: the address cannot be listened on.
  static Result<std::unique_ptr<MetricsListener>> listen(const std::string& address,
                                                         std::function<MetricFamilies()> collect);
  virtual ~MetricsListener() = default;
};

}  // namespace tidemark::cli
