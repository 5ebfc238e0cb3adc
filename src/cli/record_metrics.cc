#include "cli/record_metrics.h"

#include <algorithm>

namespace tidemark::cli {

MetricFamilies record_metrics(const capture::Counters& c, const store::StoreTally& store, const net::Traffic* wire) {
  const MetricMaker make("tidemark_record_");
  const auto gauge = [&](const char* name, const char* help, auto value) {
    return make.gauge(name, help, static_cast<double>(value));
  };
  const auto count = [&](const char* name, const char* help, auto value) {
    return make.count(name, help, static_cast<double>(value));
  };
  const auto seconds = [](std::int64_t ms) { return static_cast<double>(ms) / 1000; };
  MetricFamilies all{
      gauge("head_revision", "Newest revision etcd spoke of", c.head_revision.load()),
      gauge("acknowledged_revision", "Newest revision that is safe in the spill", c.acknowledged_revision.load()),
      gauge("published_revision", "Newest revision that is in the store", c.published_revision.load()),
      gauge("unpublished_revisions", "Revisions that are spilled and not in the store yet",
            std::max<std::int64_t>(0, c.acknowledged_revision.load() - c.published_revision.load())),
      gauge("acknowledged_timestamp_seconds", "When the newest acknowledged revision was received",
            seconds(c.acknowledged_unix_ms)),
      gauge("published_timestamp_seconds", "When the newest published revision was received",
            seconds(c.published_unix_ms)),
      gauge("full_revision", "Revision of the newest full", c.full_revision.load()),
      gauge("spill_bytes", "Bytes in the spool directory's segments", c.spill_bytes.load()),
      gauge("spill_segments", "Segments that wait to be published", c.spill_segments.load()),
      gauge("behind", "1: the store does not take deltas as fast as they come", c.behind.load() ? 1 : 0),
      gauge("blocked", "1: the spill takes nothing, disk full or limit reached", c.blocked.load() ? 1 : 0),
      gauge("secrets_in_clear", "Values of Secrets in the newest full that are not encrypted at rest; -1: no full yet",
            c.secrets_in_clear.load()),
      gauge("secrets_encrypted", "Values of Secrets in the newest full that are encrypted at rest; -1: no full yet",
            c.secrets_encrypted.load()),
      count("events_total", "Events acknowledged", c.events.load()),
      count("deltas_total", "Deltas published", c.deltas.load()),
      count("delta_bytes_total", "Bytes of published deltas, compressed", c.delta_bytes.load()),
      count("delta_seconds_total", "Time spent publishing deltas",
            seconds(static_cast<std::int64_t>(c.delta_ms.load()))),
      count("fulls_total", "Fulls published", c.fulls.load()),
      count("full_bytes_total", "Bytes of published fulls, compressed", c.full_bytes.load()),
      count("full_seconds_total", "Time spent taking fulls", seconds(static_cast<std::int64_t>(c.full_ms.load()))),
      count("index_blocks_total", "Blocks of the history index published", c.index_blocks.load()),
      count("index_bytes_total", "Bytes of published index blocks", c.index_bytes.load()),
      count("index_failures_total", "Objects that were published without their index block", c.index_failures.load()),
      count("watch_failures_total", "Watches that broke", c.watch_failures.load()),
      count("spill_failures_total", "Attempts to spill that found no room", c.spill_failures.load()),
      count("delta_failures_total", "Attempts to publish a delta that failed", c.delta_failures.load()),
      count("full_failures_total", "Fulls that failed", c.full_failures.load()),
      count("gaps_total", "Gaps recorded", c.gaps.load()),
      count("missing_revisions_total", "Revisions inside recorded gaps", c.missing_revisions.load()),
      count("lineages_begun_total", "New lineages because etcd's history was replaced", c.turns.load()),
      count("clock_jumps_total", "Times the wall clock was set", c.clock_jumps.load()),
      count("left_strays_total", "Late deltas of ours that could not be removed", c.left_strays.load()),
  };
  make.add_store(all, store, wire);
  return all;
}

}  // namespace tidemark::cli
