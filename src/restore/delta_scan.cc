#include "restore/delta_scan.h"

namespace tidemark::restore {
namespace {

Status check_put(const bucket::DeltaEvent& event) {
  const bool first = event.create == event.mod;
  if (event.create < 1 || event.create > event.mod || event.version < 1 || first != (event.version == 1)) {
    return fail(Errc::corrupt, "revision {}: a put with create revision {} and version {} cannot be", event.mod,
                event.create, event.version);
  }
  return {};
}

}  // namespace

Result<DeltaScan> scan_delta(io::Source& body, RevisionSpan take,
                             const std::function<Status(const etcd::RowId&, const etcd::KeyValue&)>& each,
                             bool& each_failed, const std::stop_token& stop) {
  const auto without_time = [&](const etcd::RowId& id, const etcd::KeyValue& kv, Time) { return each(id, kv); };
  return scan_delta(body, take, without_time, each_failed, stop);
}

Result<DeltaScan> scan_delta(io::Source& body, RevisionSpan take,
                             const std::function<Status(const etcd::RowId&, const etcd::KeyValue&, Time)>& each,
                             bool& each_failed, const std::stop_token& stop) {
  DeltaScan scan;
  Revision at(0);
  std::int64_t sub = 0;
  each_failed = false;
  const auto on_event = [&](const bucket::DeltaEvent& event) -> Status {
    const Revision mod(event.mod);
    ++scan.events;
    if (at == Revision(0)) {
      if (event.mod < 1) return fail(Errc::corrupt, "revision {} is not one", event.mod);
      scan.held.first = mod;
    } else if (mod == at) {
      ++sub;
    } else if (mod < at) {
      return fail(Errc::corrupt, "revision {} follows {}: not in order", mod, at);
    }
    if (mod != at) {
      const bool dense = at == Revision(0) || mod == at.next();
      if (!dense && scan.resumes_after_hole == Revision(0)) scan.resumes_after_hole = mod;
      sub = 0;
      at = mod;
      if (stop.stop_requested()) {
        each_failed = true;
        return fail(Errc::cancelled, "stopped");
      }
    }
    if (!event.deletion) TM_CHECK(check_put(event));
    if (scan.resumes_after_hole != Revision(0)) return {};
    scan.held.last = mod;
    if (!take.contains(mod)) return {};
    scan.taken_until = event.time;
    etcd::KeyValue kv{.key = event.key, .value = {}, .create = {}, .mod = {}, .version = 0, .lease = {}};
    if (!event.deletion) {
      kv.value = event.value;
      kv.create = Revision(event.create);
      kv.mod = mod;
      kv.version = event.version;
      kv.lease = LeaseId(event.lease);
    }
    auto taken = each({.main = mod, .sub = sub, .tombstone = event.deletion}, kv, event.time);
    if (!taken) each_failed = true;
    return taken;
  };
  TM_CHECK(bucket::read_delta(body, on_event));
  return scan;
}

}  // namespace tidemark::restore
