#include "capture/session.h"

#include "base/log.h"
#include "base/rfc3339.h"
#include "capture/full.h"
#include "capture/pause.h"

namespace tidemark::capture {

namespace {

// etcd-backup-restore replays one revision as one transaction with these limits; a larger one stops its restore.
constexpr std::size_t kMostOps = 10'240;
constexpr std::size_t kMostBytes = 2UL << 20U;
constexpr std::size_t kBehind = 4, kCaughtUp = 1;  // segments that wait to be published
constexpr auto kLagLook = std::chrono::milliseconds(500);
constexpr auto kJump = std::chrono::seconds(2);
constexpr std::size_t kRoundBytes = 1UL << 20U;  // that is enough to be worth an fsync of its own

// The end of the run of equal revisions that begins at `at`.
std::size_t end_of_revision(std::span<const etcd::Event> events, std::size_t at) {
  std::size_t end = at + 1;
  while (end < events.size() && events[end].kv.mod == events[at].kv.mod) end++;
  return end;
}

std::uint64_t json_of(std::span<const etcd::Event> events) {
  std::uint64_t sum = 0;
  for (const etcd::Event& event : events) sum += json_size(event);
  return sum;
}

}  // namespace

Result<std::unique_ptr<Session>> Session::open(Parts parts, const std::stop_token& stop) {
  std::unique_ptr<Session> session(new Session(std::move(parts)));
  Session& s = *session;
  for (const std::string& told : s.spill().told()) log_warning("spill after a restart", "{}", told);
  TM_LET(s.end_, read_chain_end(*s.parts_.place.store, s.parts_.place.lineage.first));
  s.names_.take({}, Time(std::chrono::seconds(s.end_.newest_unix_s)));
  for (const Segment& segment : s.spill().sealed()) {
    s.names_.take({}, Time(std::chrono::seconds(*segment.facts.sealed_unix_s)));
    s.last_event_ = std::max(s.last_event_, segment.facts.last_time);
  }
  remove_unfinished_full(s.spill().dir());
  // Killed between a gap and its full.
  if (s.end_.newest_gap > s.end_.newest_full) s.ask_for_full(s.end_.newest_gap, "to close a gap");
  TM_CHECK(s.settle_holes(stop));
  if (const auto growing = s.spill().growing()) {
    s.last_event_ = std::max(s.last_event_, growing->last_time);
    const auto age = std::max<std::chrono::nanoseconds>(s.parts_.clock.now() - growing->first_time, {});
    s.growing_since_ = s.parts_.clock.ticks() - std::chrono::duration_cast<Ticks::duration>(age);
  }
  const Revision last = std::max(s.end_.reached, s.spill().last().value_or(Revision{}));
  // Another recorder is ahead of our spill: what comes next does not follow what is growing.
  if (s.spill().growing() && s.spill().growing()->span.last < last) TM_CHECK(s.cut());
  s.parts_.counters.acknowledged_revision = last.raw();
  log_info("recording", "store={} lineage={} cluster={:x} from_revision={} spool={}", s.parts_.place.store->url(),
           s.parts_.place.lineage.number, s.parts_.place.lineage.cluster.raw(), last.next(), s.spill().dir().native());
  return session;
}

void Session::begin_publishing() {
  outbox_ = std::make_unique<Outbox>(Outbox::Parts{&parts_.member, parts_.place, parts_.clock, parts_.options,
                                                   parts_.counters, parts_.recorder, end_.reached});
}

void Session::begin_fulls() {
  std::optional<Time> newest;
  if (has_full()) newest = Time(std::chrono::seconds(end_.newest_full_unix_s));
  fulls_ = std::make_unique<FullDuty>(
      FullDuty::Parts{parts_.member, parts_.place, parts_.clock, parts_.options, parts_.counters, names_}, newest);
  if (full_wanted_) fulls_->request(*full_wanted_, "to close a gap");
}

Result<Revision> Session::full_now(const std::stop_token& stop) {
  TM_LET(const Revision revision,
         take_full_told({parts_.member, parts_.place, parts_.clock, parts_.options, parts_.counters, names_}, stop));
  end_.newest_full = std::max(end_.newest_full, revision);
  return revision;
}

void Session::ask_for_full(Revision least, const std::string& reason) {
  if (fulls_) {
    fulls_->request(least, reason);
  } else {
    full_wanted_ = std::max(full_wanted_.value_or(Revision{}), least);
  }
}

// ---- what a crash, a damaged spill or a gap left behind

Status Session::settle_holes(const std::stop_token& stop) {
  TM_LET(const auto gaps, read_gaps(*parts_.place.store));
  std::vector<RevisionSpan> holes = spill().holes();
  const Revision first = spill().first().value_or(end_.reached.next());
  if (first > end_.reached.next()) holes.insert(holes.begin(), {end_.reached.next(), first.prev()});
  for (const RevisionSpan hole : holes) {
    const auto recorded = [&](const catalog::GapRecord& gap) {
      return gap.span.first <= hole.first && hole.last <= gap.span.last;
    };
    if (std::ranges::any_of(gaps, recorded)) continue;
    TM_LET(const Revision published, published_from(*parts_.place.store, hole.first));
    if (published >= hole.last) continue;
    log_warning("revisions are missing between what is spilled, fetching them again", "revisions={}-{}", hole.first,
                hole.last);
    TM_CHECK(fetch_hole(hole, stop));
  }
  return {};
}

Status Session::fetch_hole(RevisionSpan hole, const std::stop_token& stop) {
  TM_CHECK(cut());
  Follower follower(parts_.member, parts_.place.lineage.cluster, hole.first.prev());
  Backoff backoff(parts_.options.retry_first, parts_.options.retry_most);
  while (follower.last() < hole.last && !stop.stop_requested()) {
    auto batch = follower.next(parts_.options.watch_wait);
    if (batch) {
      std::erase_if(batch->events, [&](const etcd::Event& event) { return event.kv.mod > hole.last; });
      TM_CHECK(spill_durably(batch->events, stop));
      continue;
    }
    if (batch.error().code == Errc::conflict) return std::unexpected(batch.error());
    if (batch.error().code == Errc::compacted) {
      const Revision lost = std::min(follower.compact_revision(), hole.last);
      TM_CHECK(cut());
      TM_CHECK(record_gap({follower.last().next(), lost}, "the spill was damaged, and etcd had compacted", stop));
      ask_for_full(lost, "to close a gap");
      follower.skip_to(lost);
      continue;
    }
    log_warning("cannot fetch", "revision={} reason=\"{}\"", follower.last().next(), batch.error().what);
    backoff.wait(stop);
  }
  return cut();
}

// A gap is in the store before anything behind it is spilled: a chain that has a hole says so.
Status Session::record_gap(RevisionSpan span, const std::string& reason, const std::stop_token& stop) {
  catalog::GapRecord gap;
  gap.span = span;
  gap.reason = reason;
  gap.created = parts_.clock.now();
  Backoff backoff(parts_.options.retry_first, parts_.options.retry_most);
  for (;;) {
    parts_.options.steps->about_to("record a gap");
    auto put = parts_.place.store->put(catalog::gap_key(span), as_bytes(catalog::print_sidecar(gap)));
    if (put || put.error().code == Errc::already_exists) break;
    log_error("gap not recorded yet", "revisions={}-{} reason=\"{}\"", span.first, span.last, put.error().what);
    if (!backoff.wait(stop)) return put;
  }
  parts_.counters.gaps++;
  parts_.counters.missing_revisions += static_cast<std::uint64_t>(span.last.raw() - span.first.raw() + 1);
  log_error("gap: these revisions cannot be had any more", "revisions={}-{} reason=\"{}\"", span.first, span.last,
            reason);
  return {};
}

Status Session::over_compaction(Follower& follower, const std::stop_token& stop) {
  const RevisionSpan lost{follower.last().next(), follower.compact_revision()};
  // What was compacted is the revision we have already, or etcd was compacted again meanwhile: ask again.
  if (lost.empty()) return {};
  TM_CHECK(cut());
  // Another recorder may have it all: then we are late, and nothing is missing.
  const auto published = published_from(*parts_.place.store, lost.first);
  if (!published) {
    log_warning("cannot look what is published", "reason=\"{}\"", published.error().what);
    pause_for(stop, parts_.options.retry_first);
    return {};
  }
  if (*published >= lost.first) {
    log_info("compacted underneath, but another recorder has published it", "revisions={}-{}", lost.first, *published);
    follower.skip_to(*published);
    return {};
  }
  TM_CHECK(record_gap(lost, "etcd compacted it before it was recorded", stop));
  follower.skip_to(lost.last);
  ask_for_full(lost.last, "to close a gap");
  return {};
}

void Session::remember_last(Follower& follower) {
  std::optional<Segment> newest;
  if (const auto sealed = spill().sealed(); !sealed.empty()) newest = sealed.back();
  if (const auto growing = spill().growing()) newest = Segment{spill().path_of(growing->span.first), *growing};
  if (!newest || newest->facts.span.last != follower.last()) return;
  std::vector<std::pair<Buffer, Buffer>> kept;
  std::vector<etcd::Event> events;
  auto read = read_segment(
      newest->path, newest->facts, {follower.last(), follower.last()}, [&](const bucket::DeltaEvent& event) -> Status {
        kept.emplace_back(Buffer(event.key.begin(), event.key.end()), Buffer(event.value.begin(), event.value.end()));
        etcd::Event copy;
        copy.deletion = event.deletion;
        copy.kv.create = Revision(event.create);
        copy.kv.mod = Revision(event.mod);
        copy.kv.version = event.version;
        copy.kv.lease = LeaseId(event.lease);
        events.push_back(copy);
        return {};
      });
  if (!read) return;  // the publisher may have removed it meanwhile; the comparison is an extra
  for (std::size_t i = 0; i < events.size(); i++) {
    events[i].kv.key = kept[i].first;
    events[i].kv.value = kept[i].second;
  }
  follower.remember(events);
}

// ---- the loop

Status Session::record(const std::stop_token& stop, std::optional<Revision> until) {
  Follower follower(parts_.member, parts_.place.lineage.cluster,
                    std::max(end_.reached, spill().last().value_or(Revision{})));
  remember_last(follower);
  Backoff backoff(parts_.options.retry_first, parts_.options.retry_most);
  while (!stop.stop_requested() && (!until || follower.last() < *until)) {
    notice_clock_jump();
    notice_lag();
    const Round round = listen(follower, stop);
    if (round.answered) {
      if (!backoff.fresh()) log_info("etcd answers again", "revision={}", follower.last());
      backoff.reset();
      parts_.counters.head_revision = std::max(follower.head(), follower.last()).raw();
    }
    TM_CHECK(take(round.events, stop));
    if (round.failure) TM_CHECK(after_failure(follower, *round.failure, backoff, stop));
    TM_CHECK(cut_if_due());
  }
  return {};
}

// A busy etcd sends an answer for each write, and to make each durable by itself would cost a disk write of its own: so
// whatever comes within a moment is one round.
Session::Round Session::listen(Follower& follower, const std::stop_token& stop) {
  Round round;
  std::size_t bytes = 0;
  const auto hear = [&](std::chrono::milliseconds wait) {  // false: nothing came
    auto batch = follower.next(wait);
    if (!batch) {
      round.failure = std::move(batch).error();
      return false;
    }
    round.answered = true;
    const bool some = !batch->events.empty();
    bytes += batch->bytes;
    round.events.insert(round.events.end(), batch->events.begin(), batch->events.end());
    round.owners.push_back(std::move(batch->owner));
    return some;
  };
  const auto hear_all = [&] {
    while (bytes < kRoundBytes && hear(std::chrono::milliseconds(0))) {
    }
  };
  if (!hear(parts_.options.watch_wait)) return round;
  hear_all();
  if (bytes >= kRoundBytes || round.failure || !pause_for(stop, parts_.options.gather)) return round;
  hear_all();
  return round;
}

Status Session::after_failure(Follower& follower, const Error& failure, Backoff& backoff, const std::stop_token& stop) {
  if (failure.code == Errc::conflict) return std::unexpected(failure);
  if (failure.code == Errc::compacted) return over_compaction(follower, stop);
  parts_.counters.watch_failures++;
  log_warning("the watch broke, trying again", "resume_at={} reason=\"{}\"", follower.last().next(), failure.what);
  backoff.wait(stop);
  return {};
}

// Spills a round, cut into deltas where the limit is reached, never inside a revision.
Status Session::take(const std::vector<etcd::Event>& events, const std::stop_token& stop) {
  const std::span<const etcd::Event> all(events);
  std::size_t from = 0;
  std::uint64_t json = 0;
  if (const auto growing = spill().growing()) json = growing->json_bytes;
  for (std::size_t at = 0; at < all.size();) {
    const std::size_t end = end_of_revision(all, at);
    const std::span<const etcd::Event> revision = all.subspan(at, end - at);
    look_at_size(revision);
    const std::uint64_t more = json_of(revision);
    if (json > 0 && json + more > parts_.options.delta_limit) {
      TM_CHECK(spill_durably(all.subspan(from, at - from), stop));
      TM_CHECK(cut());
      from = at;
      json = 0;
    }
    json += more;
    at = end;
  }
  return spill_durably(all.subspan(from), stop);
}

// From the return on these events are acknowledged. While the disk is full nothing more is read from the watch, and
// etcd keeps what we have not taken.
Status Session::spill_durably(std::span<const etcd::Event> events, const std::stop_token& stop) {
  if (events.empty()) return {};
  Backoff backoff(parts_.options.retry_first, parts_.options.retry_most);
  for (;;) {
    const Time received = event_time();
    auto spilled = spill().append(events, received);
    if (spilled) {
      if (!growing_since_) growing_since_ = parts_.clock.ticks();
      if (parts_.counters.blocked.exchange(false)) log_info("the spill takes events again", "");
      parts_.counters.acknowledged_revision = events.back().kv.mod.raw();
      parts_.counters.acknowledged_unix_ms =
          std::chrono::duration_cast<std::chrono::milliseconds>(received.time_since_epoch()).count();
      parts_.counters.events += events.size();
      parts_.counters.spill_bytes = spill().bytes();
      return {};
    }
    if (spilled.error().code != Errc::no_space) return named("spill", std::move(spilled));
    parts_.counters.spill_failures++;
    if (!parts_.counters.blocked.exchange(true)) {
      log_error("behind: the spill is full, the watch waits", "from_revision={} reason=\"{}\"", events.front().kv.mod,
                spilled.error().what);
    }
    // Publishing what is there gives room back.
    if (auto sealed = cut(); !sealed && sealed.error().code != Errc::no_space) return sealed;
    if (!backoff.wait(stop)) return {};  // never acknowledged, so not lost: etcd still has them
  }
}

void Session::look_at_size(std::span<const etcd::Event> revision) {
  std::size_t bytes = 0;
  for (const etcd::Event& event : revision) bytes += event.kv.key.size() + event.kv.value.size() + 16;
  if (revision.size() <= kMostOps && bytes < kMostBytes) return;
  log_warning("a revision is too large for etcd-backup-restore to replay; a full follows it",
              "revision={} changes={} bytes={}", revision.front().kv.mod, revision.size(), bytes);
  ask_for_full(revision.front().kv.mod, "a revision too large to be replayed");
}

Status Session::cut() {
  const auto growing = spill().growing();
  if (!growing) return {};
  TM_CHECK(spill().seal(names_.take(parts_.clock.now(), growing->last_time)));
  growing_since_.reset();
  return {};
}

Status Session::cut_if_due() {
  if (!growing_since_) return {};
  if (parts_.clock.ticks() - *growing_since_ < parts_.options.delta_period) return {};
  auto sealed = cut();
  if (!sealed && sealed.error().code == Errc::no_space) return {};  // tried again on the next round
  return sealed;
}

Status Session::close() {
  auto sealed = cut();  // first, so that it is published while a full that is being taken comes to its end
  fulls_.reset();
  if (!outbox_) return sealed;
  auto drained = outbox_->finish(parts_.options.drain_within);
  outbox_.reset();
  TM_CHECK(std::move(sealed));
  return drained;
}

// ---- time

// Events never go back in time against each other: a restore to a moment takes all events up to the first later one.
Time Session::event_time() {
  last_event_ = std::max(last_event_, parts_.clock.now());
  return last_event_;
}

std::chrono::nanoseconds Session::offset_now() const {
  return parts_.clock.now().time_since_epoch() - parts_.clock.ticks().time_since_epoch();
}

// Events wait on disk, so a slow store costs room in the spool and no memory; but somebody should know.
void Session::notice_lag() {
  const Ticks now = parts_.clock.ticks();
  if (now < next_lag_look_) return;
  next_lag_look_ = now + kLagLook;
  const auto waiting = spill().sealed();
  parts_.counters.spill_bytes = spill().bytes();
  if (waiting.size() >= kBehind && !parts_.counters.behind.exchange(true)) {
    log_warning("behind: the store does not keep up", "segments_waiting={} spilled={} limit={} oldest_of={}",
                waiting.size(), human_size(spill().bytes()), human_size(parts_.options.spool_limit),
                print_rfc3339(waiting.front().facts.first_time));
  } else if (waiting.size() <= kCaughtUp && parts_.counters.behind.exchange(false)) {
    log_info("the store has caught up", "revision={}", parts_.counters.acknowledged_revision.load());
  }
}

void Session::notice_clock_jump() {
  const auto offset = offset_now();
  const auto jump = offset - wall_offset_;
  if (jump < kJump && jump > -kJump) return;
  wall_offset_ = offset;
  parts_.counters.clock_jumps++;
  log_warning("the clock was set", "by={} now={}", print_duration(jump), print_rfc3339(parts_.clock.now()));
  if (jump.count() < 0) {
    log_warning("times in deltas stand still until the clock has caught up", "at={}", print_rfc3339(last_event_));
  }
}

}  // namespace tidemark::capture
