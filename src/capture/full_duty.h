// Takes fulls when they are due or asked for, beside the watch, and looks after the cluster meanwhile: a new leader, a
// new member that answers, another version are told in the log. One thread of its own. Threads: any.
#pragma once

#include <mutex>
#include <string>
#include <thread>

#include "capture/counters.h"
#include "capture/name_time.h"
#include "capture/place.h"
#include "capture/recorder.h"

namespace tidemark::capture {

class FullDuty {
 public:
  struct Parts {
    etcd::Member& member;
    Place& place;
    const Clock& clock;
    const RecorderOptions& options;
    Counters& counters;
    NameTime& names;
  };
  // `newest`: when the newest full of this lineage was taken; none: one is due at once. The same when a moment of the
  // schedule has passed since.
  FullDuty(Parts parts, std::optional<Time> newest);

  // One more, whose revision is at least `least`, as soon as possible.
  void request(Revision least, const std::string& reason);
  // Is one due or being taken?
  bool busy() const;

 private:
  void work(const std::stop_token& stop);
  bool due(Time now);
  void taken(Revision revision, Time now);
  void look_around();

  Parts parts_;
  mutable std::mutex mutex_;
  std::optional<Time> next_;         // by the schedule
  std::optional<Revision> request_;  // the least revision that is asked for
  Time last_look_{};                 // at the wall clock
  std::optional<etcd::MemberStatus> known_;
  Ticks next_look_{};
  std::jthread thread_;
};

// take_full(), with its time, counters and log line.
Result<Revision> take_full_told(const FullDuty::Parts& parts, const std::stop_token& stop);

}  // namespace tidemark::capture
