// A recorder's numbers for Prometheus. Threads: any; the counters are atomic.
#pragma once

#include "capture/counters.h"
#include "cli/metrics.h"

namespace tidemark::cli {

// All with tidemark_record_ in front. `wire`: as MetricMaker::add_store()'s.
MetricFamilies record_metrics(const capture::Counters& counters, const store::StoreTally& store,
                              const net::Traffic* wire);

}  // namespace tidemark::cli
