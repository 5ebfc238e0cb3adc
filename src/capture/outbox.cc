#include "capture/outbox.h"

#include "base/log.h"
#include "base/rfc3339.h"
#include "capture/full.h"
#include "capture/pause.h"

namespace tidemark::capture {

namespace {

constexpr auto kLook = std::chrono::milliseconds(50);

DeltaPublisher::Options publisher_options(const Outbox::Parts& parts) {
  DeltaPublisher::Options options;
  options.recorder = parts.recorder;
  options.grace = parts.options.claim_grace;
  options.gzip_threads = parts.options.gzip_threads;
  options.steps = parts.options.steps;
  options.witness = parts.options.witness;
  options.scratch = parts.place.spill->dir();
  return options;
}

}  // namespace

Outbox::Outbox(Parts parts)
    : parts_(std::move(parts)),
      publisher_(*parts_.place.store, parts_.clock, publisher_options(parts_)),
      leftover_(parts_.place.spill->last().value_or(Revision{})),
      published_(leftover_.raw() > 0 ? Revision{} : parts_.published) {
  parts_.counters.published_revision = parts_.published.raw();
  thread_ = std::jthread([this](const std::stop_token& stop) { work(stop); });
}

Outbox::~Outbox() = default;

void Outbox::work(const std::stop_token& stop) {
  Backoff backoff(parts_.options.retry_first, parts_.options.retry_most);
  while (!stop.stop_requested()) {
    const auto sealed = parts_.place.spill->sealed();
    parts_.counters.spill_segments = sealed.size();
    parts_.counters.spill_bytes = parts_.place.spill->bytes();
    if (sealed.empty()) {
      pause_for(stop, kLook);
      continue;
    }
    if (auto published = publish(sealed.front(), stop); published) {
      backoff.reset();
    } else {
      parts_.counters.delta_failures++;
      log_warning("delta not published yet", "start={} segments_waiting={} reason=\"{}\"",
                  sealed.front().facts.span.first, sealed.size(), published.error().what);
      backoff.wait(stop);
    }
  }
}

Status Outbox::publish(const Segment& segment, const std::stop_token& stop) {
  const Ticks begun = parts_.clock.ticks();
  parts_.options.steps->about_to("take a segment from the outbox");
  Revision published = published_;
  if (segment.facts.span.first <= leftover_) {
    TM_LET(const Revision known, published_from(*parts_.place.store, segment.facts.span.first));
    published = std::max(published, known);
  }
  TM_LET(const DeltaPublished done, publisher_.publish(segment, published));
  published_ = std::max(published_, done.reached);
  tell(segment, done);
  if (done.how == DeltaPublished::How::waiting) {
    pause_for(stop, kLook);
    return {};
  }
  // From here on: what counts in the store holds all of the segment.
  TM_CHECK(parts_.place.spill->remove(segment));
  if (done.events == 0) return {};
  parts_.counters.deltas++;
  for (const auto& [key, outcome] : done.index) outcome.tell(key, parts_.counters);
  parts_.counters.delta_bytes += done.stored_bytes;
  parts_.counters.delta_ms += static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(parts_.clock.ticks() - begun).count());
  if (parts_.member == nullptr || stop.stop_requested()) return {};
  const catalog::State state = sample_state(*parts_.member, done.key);
  if (state.version.empty()) return {};  // etcd does not answer now; the delta does not need it
  parts_.options.steps->about_to("put a delta's state");
  if (auto put = put_state(*parts_.place.store, state); !put) {
    log_warning("state not written", "object={} reason=\"{}\"", done.key, put.error().what);
  }
  return {};
}

void Outbox::tell(const Segment& segment, const DeltaPublished& done) {
  if (done.how == DeltaPublished::How::waiting) {
    if (std::exchange(waited_for_, done.key) != done.key) {
      log_info("another recorder publishes, standing by", "start={} recorder={} object={}", segment.facts.span.first,
               done.whom, done.key);
    }
    return;
  }
  parts_.counters.published_revision = std::max(parts_.counters.published_revision.load(), published_.raw());
  parts_.counters.published_unix_ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(segment.facts.last_time.time_since_epoch()).count();
  if (done.events > 0) {
    log_info("delta published", "key={} events={} json={} stored={}", done.key, done.events,
             human_size(done.json_bytes), human_size(done.stored_bytes));
  } else if (done.how == DeltaPublished::How::others) {
    log_info("another recorder has published this", "revisions={}-{} recorder={} object={}", segment.facts.span.first,
             segment.facts.span.last, done.whom, done.key);
  } else {
    log_info("delta was published before", "revisions={}-{}", segment.facts.span.first, segment.facts.span.last);
  }
  for (const std::string& stray : done.removed_strays) {
    log_warning("removed our late delta, another recorder had taken over", "key={}", stray);
  }
  for (const std::string& stray : done.left_strays) {
    parts_.counters.left_strays++;
    log_error("our late delta could not be removed: Tidemark ignores it, etcd-backup-restore does not", "key={}",
              stray);
  }
}

Status Outbox::finish(std::chrono::nanoseconds within) {
  const Ticks deadline = parts_.clock.ticks() + std::chrono::duration_cast<Ticks::duration>(within);
  while (!parts_.place.spill->sealed().empty() && parts_.clock.ticks() < deadline) {
    pause_for({}, std::chrono::milliseconds(5));
  }
  thread_.request_stop();
  thread_.join();
  const auto left = parts_.place.spill->sealed();
  if (left.empty()) return {};
  return hinted<void>(fail(Errc::timeout, "revisions from {} on are not published yet; they are safe in '{}'",
                           left.front().facts.span.first, parts_.place.spill->dir().native()),
                      "start the recorder again with the same --spool-dir");
}

}  // namespace tidemark::capture
