#include "capture/witness.h"

#include "base/log.h"

namespace tidemark::capture {

Watched::Watched(const NewWitness& make, bucket::Kind kind, const io::Path& scratch) {
  if (make) witness_ = make(kind, scratch);
}

void Watched::saw(const etcd::RowId& id, const etcd::KeyValue& kv, Bytes text, std::uint64_t at, Time received) {
  if (!witness_) return;
  if (const Status seen = witness_->saw(id, kv, text, at, received); !seen) {
    fault_ = seen.error().what;
    witness_.reset();
  }
}

Watched::Outcome Watched::published(store::ObjectStore& store, const Witness::Published& object) {
  if (!witness_) return {.bytes = 0, .fault = fault_};
  const auto put = witness_->published(store, object);
  return put ? Outcome{.bytes = *put, .fault = {}} : Outcome{.bytes = 0, .fault = put.error().what};
}

void Watched::Outcome::tell(std::string_view key, Counters& counters) const {
  if (!fault.empty()) {
    counters.index_failures++;
    log_warning("index block not written", "object={} reason=\"{}\"", key, fault);
  } else if (bytes > 0) {
    counters.index_blocks++;
    counters.index_bytes += bytes;
  }
}

}  // namespace tidemark::capture
