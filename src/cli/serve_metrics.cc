#include "cli/serve_metrics.h"

#include <limits>

namespace tidemark::cli {
namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;

void add_durations(MetricFamily& to, const char* verb, const serve::RequestTally::Row& row) {
  prometheus::ClientMetric& metric = to.metric.emplace_back();
  metric.label = {{"verb", verb}};
  metric.histogram.sample_count = row.count;
  metric.histogram.sample_sum = row.seconds;
  std::uint64_t cumulative = 0;
  for (std::size_t i = 0; i < row.within.size(); ++i) {
    cumulative += row.within[i];
    metric.histogram.bucket.push_back({cumulative, serve::RequestTally::kBounds[i]});
  }
  metric.histogram.bucket.push_back({row.count, std::numeric_limits<double>::infinity()});
}

}  // namespace

MetricFamilies serve_metrics(const serve::Counters& c, const store::StoreTally& store, const net::Traffic* wire) {
  const MetricMaker make("tidemark_serve_");
  const auto gauge = [&](const char* name, const char* help, std::uint64_t value) {
    return make.gauge(name, help, static_cast<double>(value));
  };
  const auto count = [&](const char* name, const char* help, std::uint64_t value) {
    return make.count(name, help, static_cast<double>(value));
  };
  MetricFamily requests =
      make.empty("requests_total", "Requests answered; code 0: the client went away before", MetricType::Counter);
  MetricFamily bytes = make.empty("sent_bytes_total", "Bytes of bodies sent, as compressed", MetricType::Counter);
  MetricFamily durations = make.empty("request_duration_seconds",
                                      "From a request that was read to the end of its answer", MetricType::Histogram);
  const serve::RequestTally::Rows rows = c.requests.rows();
  for (std::size_t verb = 0; verb < rows.size(); ++verb) {
    const char* const name = serve::kVerbNames[verb];
    for (const auto& [code, times] : rows[verb].codes) {
      add_count(requests, {{"verb", name}, {"code", std::to_string(code)}}, static_cast<double>(times));
    }
    add_count(bytes, {{"verb", name}}, static_cast<double>(rows[verb].bytes));
    add_durations(durations, name, rows[verb]);
  }
  MetricFamilies all{
      std::move(requests),
      std::move(bytes),
      std::move(durations),
      gauge("requests_in_flight", "Requests that are being answered, watches among them", c.in_flight),
      gauge("moments", "Moments that are open", c.moments),
      gauge("cache_bytes", "Memory of objects that were asked for last, in all moments", c.cache_bytes),
      count("reads_total", "Reads of an object, a namespace or a kind that the cache did not have", c.reads),
      count("unreadable_total", "Values met in those reads that cannot be shown: sealed without a key, or damaged",
            c.unreadable),
  };
  make.add_store(all, store, wire);
  return all;
}

}  // namespace tidemark::cli
