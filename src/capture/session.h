// One stretch of recording into one lineage: from where its spill and its store end until it is stopped, or until etcd
// turns out to have another history (Errc::conflict). Threads: one; it owns the outbox's and the full's.
#pragma once

#include <memory>

#include "capture/follower.h"
#include "capture/full_duty.h"
#include "capture/outbox.h"
#include "capture/pause.h"

namespace tidemark::capture {

class Session {
 public:
  struct Parts {
    etcd::Member& member;
    Place& place;
    const Clock& clock;
    const RecorderOptions& options;
    Counters& counters;
    std::string recorder;
  };
  // Reads where the chain ends and settles what a crash left: holes are fetched again, or recorded as gaps.
  static Result<std::unique_ptr<Session>> open(Parts parts, const std::stop_token& stop);

  // Until `stop`, or until everything up to `until` is spilled.
  Status record(const std::stop_token& stop, std::optional<Revision> until = {});
  // Cuts what is spilled, publishes it and ends the threads. Errc::timeout: some is left for the next start.
  Status close();

  Result<Revision> full_now(const std::stop_token& stop);
  std::optional<Revision> full_wanted() const { return full_wanted_; }  // asked for and not begun
  bool has_full() const { return end_.newest_full.raw() > 0; }
  // Takes fulls from now on as the schedule and the gaps ask for them.
  void begin_fulls();
  void begin_publishing();

 private:
  explicit Session(Parts parts) : parts_(std::move(parts)), wall_offset_(offset_now()) {}
  Spill& spill() { return *parts_.place.spill; }
  std::chrono::nanoseconds offset_now() const;

  Status settle_holes(const std::stop_token& stop);
  Status fetch_hole(RevisionSpan hole, const std::stop_token& stop);
  Status record_gap(RevisionSpan span, const std::string& reason, const std::stop_token& stop);
  Status over_compaction(Follower& follower, const std::stop_token& stop);
  void remember_last(Follower& follower);

  // What the watch said, and how it ended if it did.
  struct Round {
    std::vector<etcd::Event> events;
    std::vector<std::shared_ptr<const void>> owners;  // of what the events look at
    bool answered = false;
    std::optional<Error> failure;
  };
  Round listen(Follower& follower, const std::stop_token& stop);
  Status after_failure(Follower& follower, const Error& failure, Backoff& backoff, const std::stop_token& stop);

  Status take(const std::vector<etcd::Event>& events, const std::stop_token& stop);
  Status spill_durably(std::span<const etcd::Event> events, const std::stop_token& stop);
  void look_at_size(std::span<const etcd::Event> revision);
  Status cut();
  Status cut_if_due();
  Time event_time();
  void notice_lag();
  void notice_clock_jump();
  void ask_for_full(Revision least, const std::string& reason);

  Parts parts_;
  ChainEnd end_;
  NameTime names_;
  std::optional<Ticks> growing_since_;
  Time last_event_{};
  Ticks next_lag_look_{};
  std::chrono::nanoseconds wall_offset_;
  std::optional<Revision> full_wanted_;  // before begin_fulls()
  std::unique_ptr<Outbox> outbox_;
  std::unique_ptr<FullDuty> fulls_;
};

}  // namespace tidemark::capture
