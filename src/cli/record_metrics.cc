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

MetricFamily empty_family(const char* name, const char* help, MetricType type) {
  MetricFamily family;
  family.name = std::string("tidemark_record_") + name;
  family.help = help;
  family.type = type;
  return family;
}

MetricFamily family_of(const char* name, const char* help, MetricType type, double value) {
  MetricFamily family = empty_family(name, help, type);
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
  RecorderNumbers(const capture::Counters& counters, const store::StoreTally& store, const net::Traffic* wire)
      : c_(counters), store_(store), wire_(wire) {}

  std::vector<MetricFamily> Collect() const override {
    const auto gauge = [](const char* name, const char* help, auto value) {
      return family_of(name, help, MetricType::Gauge, static_cast<double>(value));
    };
    const auto count = [](const char* name, const char* help, auto value) {
      return family_of(name, help, MetricType::Counter, static_cast<double>(value));
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
        count("index_blocks_total", "Blocks of the history index published", c_.index_blocks.load()),
        count("index_bytes_total", "Bytes of published index blocks", c_.index_bytes.load()),
        count("index_failures_total", "Objects that were published without their index block",
              c_.index_failures.load()),
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
    add_store(all);
    if (wire_ == nullptr) return all;
    all.push_back(count("store_requests_total", "Requests sent to the store", wire_->requests.load()));
    all.push_back(count("store_failures_total", "Requests that got no answer", wire_->failures.load()));
    all.push_back(count("store_retries_total", "Requests sent again", wire_->retries.load()));
    all.push_back(count("store_throttled_total", "Times the store said it is too much", wire_->throttled.load()));
    all.push_back(count("store_sent_bytes_total", "Bytes of bodies sent to the store", wire_->sent_bytes.load()));
    all.push_back(count("store_received_bytes_total", "Bytes of bodies from the store", wire_->received_bytes.load()));
    return all;
  }

 private:
  void add_store(std::vector<MetricFamily>& all) const {
    MetricFamily calls =
        empty_family("store_calls_total", "What the store was asked, by how that ended", MetricType::Counter);
    MetricFamily time = empty_family("store_call_seconds_total",
                                     "Time that the store took for it, tries and pauses included", MetricType::Counter);
    MetricFamily bytes = empty_family("store_call_bytes_total", "Bytes of objects put and got", MetricType::Counter);
    const auto add = [](MetricFamily& to, std::vector<ClientMetric::Label> labels, double value) {
      ClientMetric metric;
      metric.label = std::move(labels);
      metric.counter.value = value;
      to.metric.push_back(std::move(metric));
    };
    for (std::size_t call = 0; call < store::kStoreCalls.size(); ++call) {
      const store::StoreTally::Row& row = store_.rows[call];
      const ClientMetric::Label operation{"operation", store::kStoreCalls[call]};
      for (std::size_t outcome = 0; outcome < store::kStoreOutcomes.size(); ++outcome) {
        add(calls, {operation, {"outcome", store::kStoreOutcomes[outcome]}},
            static_cast<double>(row.calls[outcome].load()));
      }
      add(time, {operation}, static_cast<double>(row.ns.load()) / 1e9);
      const auto kind = static_cast<store::StoreCall>(call);
      if (kind != store::StoreCall::put && kind != store::StoreCall::get) continue;
      add(bytes, {operation}, static_cast<double>(row.bytes.load()));
    }
    for (MetricFamily* ready : {&calls, &time, &bytes}) all.push_back(std::move(*ready));
  }

  const capture::Counters& c_;
  const store::StoreTally& store_;
  const net::Traffic* wire_;
};

class Listener final : public RecordMetrics {
 public:
  Listener(const std::string& address, const capture::Counters& counters, const store::StoreTally& store,
           const net::Traffic* wire)
      : exposer_(address, 1), numbers_(std::make_shared<RecorderNumbers>(counters, store, wire)) {
    exposer_.RegisterCollectable(numbers_);
  }

 private:
  prometheus::Exposer exposer_;
  std::shared_ptr<RecorderNumbers> numbers_;  // the exposer keeps only a weak reference
};

}  // namespace

Result<std::unique_ptr<RecordMetrics>> RecordMetrics::listen(const std::string& address,
                                                             const capture::Counters& counters,
                                                             const store::StoreTally& store, const net::Traffic* wire) {
  // The HTTP server reads a leading ':' as a port of every address only without it.
  const std::string where = address.starts_with(':') ? address.substr(1) : address;
  try {
    return std::make_unique<Listener>(where, counters, store, wire);
  } catch (const std::exception& e) {
    return fail(Errc::invalid, "cannot listen on '{}' for metrics: {}", address, e.what());
  }
}

}  // namespace tidemark::cli
