#include "capture/recorder.h"

#include "base/log.h"
#include "capture/outbox.h"
#include "capture/pause.h"
#include "capture/session.h"

namespace tidemark::capture {

namespace {

bool worth_waiting_for(Errc code) { return code == Errc::unavailable || code == Errc::timeout; }

}  // namespace

Result<Places> Recorder::begin(const std::stop_token& stop) {
  PlaceOptions options;
  options.spool_dir = options_.spool_dir;
  options.spool_limit = options_.spool_limit;
  options.open_store = options_.open_store;
  options.steps = options_.steps;
  options.replaced = replaced_;
  Backoff backoff(options_.retry_first, options_.retry_most);
  for (;;) {
    auto places = find_places(member_, store_, clock_, options);
    if (places) {
      replaced_.clear();
      if (places->turned) {
        counters_.turns++;
        log_warning("a new lineage begins: etcd is not what it was", "lineage={} store={} reason=\"{}\"",
                    places->now.lineage.number, places->now.store->url(), places->reason);
      }
      return places;
    }
    if (!worth_waiting_for(places.error().code) || stop.stop_requested()) return places;
    log_warning("cannot begin yet", "reason=\"{}\"", places.error().what);
    if (!backoff.wait(stop)) return places;
  }
}

// What a former lineage still has in its spool belongs into its own prefix, and nowhere else.
Status Recorder::drain_former(std::vector<Place>& former, const std::stop_token& stop) {
  for (Place& place : former) {
    TM_LET(const std::string recorder, recorder_id(options_.spool_dir, *options_.steps));
    if (const auto growing = place.spill->growing()) {
      const auto unix_s = std::chrono::ceil<std::chrono::seconds>(growing->last_time).time_since_epoch().count();
      TM_CHECK(place.spill->seal(unix_s));
    }
    TM_LET(const ChainEnd end, read_chain_end(*place.store, place.lineage.first));
    Outbox outbox({nullptr, place, clock_, options_, counters_, recorder, end.reached});
    if (auto drained = outbox.finish(options_.drain_within); !drained) {
      log_error("a former lineage is not published in full", "lineage={} reason=\"{}\"", place.lineage.number,
                drained.error().what);
    }
    if (stop.stop_requested()) break;
  }
  former.clear();
  return {};
}

Status Recorder::run(const std::stop_token& stop) {
  for (;;) {
    TM_CHECK(io::make_dirs(options_.spool_dir));
    TM_LET(const std::string recorder, recorder_id(options_.spool_dir, *options_.steps));
    TM_LET(Places places, begin(stop));
    TM_CHECK(drain_former(places.former, stop));
    // From here on: we know where this history belongs, and nobody else on this machine writes there.
    auto session = Session::open({member_, places.now, clock_, options_, counters_, recorder}, stop);
    Status recorded;
    Status closed;
    if (session) {
      (*session)->begin_publishing();
      (*session)->begin_fulls();
      recorded = (*session)->record(stop);
      closed = (*session)->close();
    } else {
      recorded = std::unexpected(session.error());
    }
    if (recorded) return closed;
    if (recorded.error().code == Errc::conflict && !stop.stop_requested()) {
      replaced_ = recorded.error().what;
      log_warning("etcd has another history now", "reason=\"{}\"", replaced_);
      continue;
    }
    if (!worth_waiting_for(recorded.error().code)) return recorded;
    log_warning("beginning again", "reason=\"{}\"", recorded.error().what);
    if (!pause_for(stop, options_.retry_most)) return recorded;
  }
}

Status Recorder::once_full(const std::stop_token& stop) {
  TM_CHECK(io::make_dirs(options_.spool_dir));
  TM_LET(const std::string recorder, recorder_id(options_.spool_dir, *options_.steps));
  TM_LET(Places places, begin(stop));
  TM_CHECK(drain_former(places.former, stop));
  TM_LET(const auto session, Session::open({member_, places.now, clock_, options_, counters_, recorder}, stop));
  TM_LET([[maybe_unused]] const Revision revision, session->full_now(stop));
  return {};
}

Status Recorder::once_delta(const std::stop_token& stop) {
  TM_CHECK(io::make_dirs(options_.spool_dir));
  TM_LET(const std::string recorder, recorder_id(options_.spool_dir, *options_.steps));
  TM_LET(Places places, begin(stop));
  TM_CHECK(drain_former(places.former, stop));
  TM_LET(const auto session, Session::open({member_, places.now, clock_, options_, counters_, recorder}, stop));
  if (!session->has_full()) {
    TM_LET([[maybe_unused]] const Revision revision, session->full_now(stop));
  }
  TM_LET(const Revision head, member_.head());
  session->begin_publishing();
  auto recorded = session->record(stop, head);
  const std::optional<Revision> wanted = session->full_wanted();
  if (recorded && wanted) {
    auto full = session->full_now(stop);
    if (!full) recorded = std::unexpected(full.error());
  }
  auto closed = session->close();
  TM_CHECK(std::move(recorded));
  return closed;
}

}  // namespace tidemark::capture
