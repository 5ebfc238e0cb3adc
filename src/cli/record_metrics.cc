#include "cli/record_metrics.h"

#include <prometheus/client_metric.h>
#include <prometheus/collectable.h>
#include <prometheus/exposer.h>
#include <prometheus/metric_family.h>

namespace tidemark::cli {

namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

MetricFamily family(const char* name, const char* help, MetricType type, double value) {
  MetricFamily family;
  family.name = std::string("tidemark_record_") + name;
  family.help = help;
  family.type = type;
  ClientMetric metric;
  if (type == MetricType::Counter) {
    metric.counter.value = value;
  } else {
    metric.gauge.value = value;
  }
  family.metric.push_back(metric);
  return family;
}

class RecorderNumbers final : public prometheus::Collectable {
 public:
  RecorderNumbers(const capture::Counters& counters, const net::Traffic* store) : c_(counters), store_(store) {}

  std::vector<MetricFamily> Collect() const override {
    const auto gauge = [](const char* name, const char* help, auto value) {
      return family(name, help, MetricType::Gauge, static_cast<double>(value));
    };
    const auto count = [](const char* name, const char* help, auto value) {
      return family(name, help, MetricType::Counter, static_cast<double>(value));
    };
    const auto seconds = [](std::int64_t ms) { return static_cast<double>(ms) / 1000; };
    std::vector<MetricFamily> all{
        gauge("head_revision", "Newest revision etcd spoke of", c_.head_revision.load()),
        gauge("acknowledged_revision", "Newest revision that is safe in the spill", c_.acknowledged_revision.load()),
        gauge("published_revision", "Newest revision that is in the store", c_.published_revision.load()),
        gauge("unpublished_revisions", "Revisions that are spilled and not in the store yet",
              std::max<std::int64_t>(0, c_.acknowledged_revision.load() - c_.published_revision.load())),
        gauge("acknowledged_timestamp_seconds", "When the newest acknowledged revision was received",
              seconds(c_.acknowledged_unix_ms)),
        gauge("published_timestamp_seconds", "When the newest published revision was received",
              seconds(c_.published_unix_ms)),
        gauge("full_revision", "Revision of the newest full", c_.full_revision.load()),
        gauge("spill_bytes", "Bytes in the spool directory's segments", c_.spill_bytes.load()),
        gauge("spill_segments", "Segments that wait to be published", c_.spill_segments.load()),
        gauge("behind", "1: the store does not take deltas as fast as they come", c_.behind.load() ? 1 : 0),
        gauge("blocked", "1: the spill takes nothing, disk full or limit reached", c_.blocked.load() ? 1 : 0),
        gauge("secrets_in_clear",
              "Values of Secrets in the newest full that are not encrypted at rest; -1: no full yet",
              c_.secrets_in_clear.load()),
        gauge("secrets_encrypted", "Values of Secrets in the newest full that are encrypted at rest; -1: no full yet",
              c_.secrets_encrypted.load()),
        count("events_total", "Events acknowledged", c_.events.load()),
        count("deltas_total", "Deltas published", c_.deltas.load()),
        count("delta_bytes_total", "Bytes of published deltas, compressed", c_.delta_bytes.load()),
        count("delta_seconds_total", "Time spent publishing deltas",
              seconds(static_cast<std::int64_t>(c_.delta_ms.load()))),
        count("fulls_total", "Fulls published", c_.fulls.load()),
        count("full_bytes_total", "Bytes of published fulls, compressed", c_.full_bytes.load()),
        count("full_seconds_total", "Time spent taking fulls", seconds(static_cast<std::int64_t>(c_.full_ms.load()))),
        count("watch_failures_total", "Watches that broke", c_.watch_failures.load()),
        count("spill_failures_total", "Attempts to spill that found no room", c_.spill_failures.load()),
        count("delta_failures_total", "Attempts to publish a delta that failed", c_.delta_failures.load()),
        count("full_failures_total", "Fulls that failed", c_.full_failures.load()),
        count("gaps_total", "Gaps recorded", c_.gaps.load()),
        count("missing_revisions_total", "Revisions inside recorded gaps", c_.missing_revisions.load()),
        count("lineages_begun_total", "New lineages because etcd's history was replaced", c_.turns.load()),
        count("clock_jumps_total", "Times the wall clock was set", c_.clock_jumps.load()),
        count("left_strays_total", "Late deltas of ours that could not be removed", c_.left_strays.load()),
    };
    if (store_ == nullptr) return all;
    all.push_back(count("store_requests_total", "Requests sent to the store", store_->requests.load()));
    all.push_back(count("store_failures_total", "Requests that got no answer", store_->failures.load()));
    all.push_back(count("store_retries_total", "Requests sent again", store_->retries.load()));
    all.push_back(count("store_throttled_total", "Times the store said it is too much", store_->throttled.load()));
    all.push_back(count("store_sent_bytes_total", "Bytes of bodies sent to the store", store_->sent_bytes.load()));
    all.push_back(count("store_received_bytes_total", "Bytes of bodies from the store", store_->received_bytes.load()));
    return all;
  }

 private:
  const capture::Counters& c_;
  const net::Traffic* store_;
};

class Listener final : public RecordMetrics {
 public:
  Listener(const std::string& address, const capture::Counters& counters, const net::Traffic* store)
      : exposer_(address, 1), numbers_(std::make_shared<RecorderNumbers>(counters, store)) {
    exposer_.RegisterCollectable(numbers_);
  }

 private:
  prometheus::Exposer exposer_;
  std::shared_ptr<RecorderNumbers> numbers_;  // the exposer keeps only a weak reference
};

}  // namespace

Result<std::unique_ptr<RecordMetrics>> RecordMetrics::listen(const std::string& address,
                                                             const capture::Counters& counters,
                                                             const net::Traffic* store) {
  // The HTTP server reads a leading ':' as a port of every address only without it.
  const std::string where = address.starts_with(':') ? address.substr(1) : address;
  try {
    return std::make_unique<Listener>(where, counters, store);
  } catch (const std::exception& e) {
    return fail(Errc::invalid, "cannot listen on '{}' for metrics: {}", address, e.what());
  }
}

}  // namespace tidemark::cli
