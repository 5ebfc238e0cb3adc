#include "capture/full_duty.h"

#include "base/log.h"
#include "base/rfc3339.h"
#include "capture/full.h"
#include "capture/pause.h"

namespace tidemark::capture {

namespace {
constexpr auto kLook = std::chrono::milliseconds(50);
}

FullDuty::FullDuty(Parts parts, std::optional<Time> newest) : parts_(parts) {
  const Time now = parts_.clock.now();
  last_look_ = now;
  next_ = newest ? parts_.options.full_schedule.next_after(*newest) : now;
  thread_ = std::jthread([this](const std::stop_token& stop) { work(stop); });
}

void FullDuty::request(Revision least, const std::string& reason) {
  log_info("a full is asked for", "revision_at_least={} reason=\"{}\"", least, reason);
  const std::lock_guard lock(mutex_);
  request_ = std::max(request_.value_or(Revision{}), least);
}

bool FullDuty::busy() const {
  const std::lock_guard lock(mutex_);
  return request_ || (next_ && *next_ <= parts_.clock.now());
}

bool FullDuty::due(Time now) {
  const std::lock_guard lock(mutex_);
  if (now < last_look_) next_ = next_ ? std::min(next_, parts_.options.full_schedule.next_after(now)) : next_;
  last_look_ = now;
  return request_ || (next_ && *next_ <= now);
}

void FullDuty::taken(Revision revision, Time now) {
  const std::lock_guard lock(mutex_);
  if (request_ && *request_ <= revision) request_.reset();
  next_ = parts_.options.full_schedule.next_after(now);
}

void FullDuty::work(const std::stop_token& stop) {
  Backoff backoff(parts_.options.retry_first, parts_.options.retry_most);
  while (!stop.stop_requested()) {
    if (!due(parts_.clock.now())) {
      look_around();
      pause_for(stop, kLook);
      continue;
    }
    const auto revision = take_full_told(parts_, stop);
    if (revision) {
      backoff.reset();
      taken(*revision, parts_.clock.now());
    } else if (!stop.stop_requested()) {
      backoff.wait(stop);
    }
  }
}

Result<Revision> take_full_told(const FullDuty::Parts& parts, const std::stop_token& stop) {
  const Ticks begun = parts.clock.ticks();
  FullOptions options;
  options.spool_dir = parts.place.spill->dir();
  options.not_before_unix_s = parts.names.newest();
  options.gzip_threads = parts.options.gzip_threads;
  options.steps = parts.options.steps;
  options.stop = stop;
  options.witness = parts.options.witness;
  const auto full = take_full(parts.member, *parts.place.store, parts.clock, options);
  if (!full) {
    if (!stop.stop_requested()) {
      parts.counters.full_failures++;
      log_error("full failed", "reason=\"{}\"", full.error().what);
    }
    return std::unexpected(full.error());
  }
  const auto took = parts.clock.ticks() - begun;
  parts.names.take(Time(std::chrono::seconds(full->unix_s)));
  parts.counters.fulls++;
  parts.counters.full_bytes += full->stored_bytes;
  parts.counters.full_revision = full->revision.raw();
  parts.counters.full_ms +=
      static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(took).count());
  log_info("full published", "key={} revision={} database={} stored={} took={}", full->key, full->revision,
           human_size(full->raw_bytes), human_size(full->stored_bytes), print_duration(took));
  full->index.tell(full->key, parts.counters);
  // Told when it is news: with the first full of a process, and when Secrets begin or cease to be readable.
  const bool was_clear =
      parts.counters.secrets_in_clear.exchange(static_cast<std::int64_t>(full->secrecy.secrets_in_clear)) > 0;
  const bool first =
      parts.counters.secrets_encrypted.exchange(static_cast<std::int64_t>(full->secrecy.secrets_encrypted)) < 0;
  if (first || was_clear != (full->secrecy.secrets_in_clear > 0)) full->secrecy.tell(parts.options.store_encrypted);
  return full->revision;
}

void FullDuty::look_around() {
  if (parts_.clock.ticks() < next_look_) return;
  next_look_ = parts_.clock.ticks() + std::chrono::duration_cast<Ticks::duration>(parts_.options.look_around);
  const auto now = parts_.member.status();
  if (!now) return;  // the watch tells
  if (known_) {
    if (now->leader != known_->leader && now->leader.raw() == 0) {
      log_warning("etcd has no leader", "member={:x} endpoint={}", now->member.raw(), now->endpoint);
    } else if (now->leader != known_->leader) {
      log_info("etcd has a new leader", "leader={:x} before={:x}", now->leader.raw(), known_->leader.raw());
    }
    if (now->member != known_->member) {
      log_info("another member answers", "member={:x} endpoint={}", now->member.raw(), now->endpoint);
    }
    if (now->version != known_->version) {
      log_info("etcd has another version", "version={} before={}", now->version, known_->version);
    }
  }
  known_ = *now;
}

}  // namespace tidemark::capture
