// The numbers of a server of the past for Prometheus. Threads: any; the counters are atomic.
#pragma once

#include "cli/metrics.h"
#include "serve/counters.h"

namespace tidemark::cli {

// All with tidemark_serve_ in front. `wire`: as MetricMaker::add_store()'s.
MetricFamilies serve_metrics(const serve::Counters& counters, const store::StoreTally& store, const net::Traffic* wire);

}  // namespace tidemark::cli
