// Publishes the sealed segments of a spill, oldest first, in a thread of its own, for as long as it takes.
//
// A store that fails makes segments queue up in the spill; the recorder goes on meanwhile. Threads: any.
#pragma once

#include <thread>

#include "capture/counters.h"
#include "capture/delta.h"
#include "capture/place.h"
#include "capture/recorder.h"

namespace tidemark::capture {

class Outbox {
 public:
  struct Parts {
    etcd::Member* member;  // asked for leases and members beside each delta; null: not
    Place& place;
    const Clock& clock;
    const RecorderOptions& options;
    Counters& counters;
    std::string recorder;
    Revision published;  // the end of the chain in the store
  };
  // Publishes from now on. What is already in the spill may have been published before a crash: that is found out.
  explicit Outbox(Parts parts);
  ~Outbox();  // stops at once

  // Waits until the spill has no sealed segment any more. Errc::timeout: some are left, and the thread has ended.
  Status finish(std::chrono::nanoseconds within);

 private:
  void work(const std::stop_token& stop);
  Status publish(const Segment& segment, const std::stop_token& stop);
  void tell(const Segment& segment, const DeltaPublished& done);

  Parts parts_;
  DeltaPublisher publisher_;
  Revision leftover_;  // segments up to here are from before this start
  Revision published_;
  std::string waited_for_;  // told once
  std::jthread thread_;
};

}  // namespace tidemark::capture
