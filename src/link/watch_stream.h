// A watch on the whole key space over one gRPC stream. Only link/'s own files include this.
//
// One thread of its own reads the stream into a queue that is bounded in bytes; when the queue is full it stops
// reading, and HTTP/2 flow control makes the server wait.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/queue.h"
#include "etcd/member.h"
#include "link/assembler.h"
#include "link/session.h"

namespace tidemark::link {

class WatchStream final : public etcd::WatchFeed {
 public:
  // Starts reading. Requires: `session` is kept by the stream as long as it lives.
  WatchStream(std::shared_ptr<Session> session, const Attempt& attempt, Revision from);
  ~WatchStream() override;

  // Waits until the server has confirmed the watch; the fault that came instead, if any.
  std::optional<Fault> wait_created(Deadline at_most);

  Result<std::optional<etcd::WatchBatch>> next(std::chrono::milliseconds wait) override;
  Revision compact_revision() const override;
  void cancel() override;

 private:
  void read_stream(Revision from);
  std::optional<Fault> read_answers(Revision from);  // nullopt: the server closed the stream, its status says why
  void rest();
  std::optional<Fault> refusal(const pb::WatchResponse& answer);
  void end(const Fault& fault);

  const std::shared_ptr<Session> session_;
  const std::shared_ptr<Connection> connection_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderWriter<pb::WatchRequest, pb::WatchResponse>> stream_;
  BoundedQueue<etcd::WatchBatch> queue_;

  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  bool created_ = false;
  bool cancelled_ = false;
  std::optional<Fault> fault_;  // why it ended
  Revision compact_revision_;

  std::jthread reader_;  // last: starts when everything else is there
};

}  // namespace tidemark::link
