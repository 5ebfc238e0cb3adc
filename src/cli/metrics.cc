#include "cli/metrics.h"

#include <prometheus/collectable.h>
#include <prometheus/exposer.h>

namespace tidemark::cli {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

class Collected final : public prometheus::Collectable {
 public:
  explicit Collected(std::function<MetricFamilies()> collect) : collect_(std::move(collect)) {}
  MetricFamilies Collect() const override { return collect_(); }

 private:
  std::function<MetricFamilies()> collect_;
};

class Exposing final : public MetricsListener {
 public:
  Exposing(const std::string& address, std::function<MetricFamilies()> collect)
      : exposer_(address, 1), collected_(std::make_shared<Collected>(std::move(collect))) {
    exposer_.RegisterCollectable(collected_);
  }

 private:
  prometheus::Exposer exposer_;
  std::shared_ptr<Collected> collected_;  // the exposer keeps only a weak reference
};

}  // namespace

MetricFamily MetricMaker::empty(const char* name, const char* help, MetricType type) const {
  MetricFamily family;
  family.name = prefix_ + name;
  family.help = help;
  family.type = type;
  return family;
}

MetricFamily MetricMaker::gauge(const char* name, const char* help, double value) const {
  MetricFamily family = empty(name, help, MetricType::Gauge);
  family.metric.emplace_back().gauge.value = value;
  return family;
}

MetricFamily MetricMaker::count(const char* name, const char* help, double value) const {
  MetricFamily family = empty(name, help, MetricType::Counter);
  add_count(family, {}, value);
  return family;
}

void add_count(MetricFamily& to, std::vector<ClientMetric::Label> labels, double value) {
  ClientMetric& metric = to.metric.emplace_back();
  metric.label = std::move(labels);
  metric.counter.value = value;
}

void MetricMaker::add_store(MetricFamilies& all, const store::StoreTally& store, const net::Traffic* wire) const {
  MetricFamily calls = empty("store_calls_total", "What the store was asked, by how that ended", MetricType::Counter);
  MetricFamily time = empty("store_call_seconds_total", "Time that the store took for it, tries and pauses included",
                            MetricType::Counter);
  MetricFamily bytes = empty("store_call_bytes_total", "Bytes of objects put and got", MetricType::Counter);
  for (std::size_t call = 0; call < store::kStoreCalls.size(); ++call) {
    const store::StoreTally::Row& row = store.rows[call];
    const ClientMetric::Label operation{"operation", store::kStoreCalls[call]};
    for (std::size_t outcome = 0; outcome < store::kStoreOutcomes.size(); ++outcome) {
      add_count(calls, {operation, {"outcome", store::kStoreOutcomes[outcome]}},
                static_cast<double>(row.calls[outcome].load()));
    }
    add_count(time, {operation}, static_cast<double>(row.ns.load()) / 1e9);
    const auto kind = static_cast<store::StoreCall>(call);
    if (kind != store::StoreCall::put && kind != store::StoreCall::get) continue;
    add_count(bytes, {operation}, static_cast<double>(row.bytes.load()));
  }
  for (MetricFamily* ready : {&calls, &time, &bytes}) all.push_back(std::move(*ready));
  if (wire == nullptr) return;
  const auto add = [&](const char* name, const char* help, std::uint64_t value) {
    all.push_back(count(name, help, static_cast<double>(value)));
  };
  add("store_requests_total", "Requests sent to the store", wire->requests);
  add("store_failures_total", "Requests that got no answer", wire->failures);
  add("store_retries_total", "Requests sent again", wire->retries);
  add("store_throttled_total", "Times the store said it is too much", wire->throttled);
  add("store_sent_bytes_total", "Bytes of bodies sent to the store", wire->sent_bytes);
  add("store_received_bytes_total", "Bytes of bodies from the store", wire->received_bytes);
}

Result<std::unique_ptr<MetricsListener>> MetricsListener::listen(const std::string& address,
                                                                 std::function<MetricFamilies()> collect) {
  // The HTTP server reads a leading ':' as a port of every address only without it.
  const std::string where = address.starts_with(':') ? address.substr(1) : address;
  try {
    return std::make_unique<Exposing>(where, std::move(collect));
  } catch (const std::exception& e) {
    return fail(Errc::invalid, "cannot listen on '{}' for metrics: {}", address, e.what());
  }
}

}  // namespace tidemark::cli
