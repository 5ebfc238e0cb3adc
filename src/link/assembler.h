// Makes batches of whole revisions out of the answers of a watch stream.
//
// A large answer comes in fragments, and a fragment may end inside a revision. What is complete is handed out at once
// and only the last revision of a fragment waits for the next one: memory is bounded by a fragment and a revision, not
// by what the server chose to put into one answer. Threads: one.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "base/result.h"
#include "etcd/member.h"

namespace google::protobuf {
class Arena;
}
namespace etcdserverpb {
class WatchResponse;
}

namespace tidemark::link {

// An answer together with the memory it is in.
class Answer {
 public:
  Answer();
  ~Answer();
  Answer(const Answer&) = delete;
  Answer& operator=(const Answer&) = delete;
  etcdserverpb::WatchResponse& message() { return *message_; }
  const etcdserverpb::WatchResponse& message() const { return *message_; }

 private:
  std::unique_ptr<google::protobuf::Arena> arena_;
  etcdserverpb::WatchResponse* message_;
};

class Assembler {
 public:
  // `from`: the first revision that was asked for.
  explicit Assembler(Revision from) : last_(from.prev()) {}

  // nullopt: nothing is complete yet. Errc::corrupt: a revision comes twice, backwards or before `from`.
  // Requires: the answer is neither `created` nor `canceled`.
  Result<std::optional<etcd::WatchBatch>> add(std::shared_ptr<const Answer> answer);

 private:
  Status append(const etcdserverpb::WatchResponse& answer);
  etcd::WatchBatch take(std::size_t events, Revision header);

  Revision last_;                                       // of what was handed out
  std::vector<etcd::Event> pending_;                    // ascending, all after last_
  std::vector<std::shared_ptr<const Answer>> answers_;  // that pending_ points into
};

}  // namespace tidemark::link
