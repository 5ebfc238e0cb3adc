#include "link/snapshot_stream.h"

#include <algorithm>
#include <array>

#include "crypto/sha256.h"

namespace tidemark::link {

namespace {

constexpr std::size_t kDigestSize = std::tuple_size_v<crypto::Sha256Digest>;

// A server stream that is read with a deadline for every message. The destructor cancels and drains it.
class SnapshotCall {
 public:
  explicit SnapshotCall(const Attempt& attempt) : attempt_(attempt) {
    attempt.dress(context_, /*with_deadline=*/false, /*require_leader=*/false);
    stream_ = attempt.connection->maintenance->PrepareAsyncSnapshot(&context_, pb::SnapshotRequest(), &queue_);
    stream_->StartCall(this);
  }
  ~SnapshotCall() {
    context_.TryCancel();
    queue_.Shutdown();
    void* tag = nullptr;
    bool ok = false;
    while (queue_.Next(&tag, &ok)) {
    }
  }
  SnapshotCall(const SnapshotCall&) = delete;
  SnapshotCall& operator=(const SnapshotCall&) = delete;

  std::optional<Fault> wait_started(Deadline at_most) { return wait(at_most, started_); }

  // Asks for the next message; wait_message() says whether there is one.
  void ask(pb::SnapshotResponse& message) { stream_->Read(&message, this); }
  std::optional<Fault> wait_message(Deadline at_most, bool& there_is_one) { return wait(at_most, there_is_one); }

  std::optional<Fault> finish(Deadline at_most) {
    grpc::Status status;
    stream_->Finish(&status, this);
    bool ok = false;
    if (auto late = wait(at_most, ok)) return late;
    if (status.ok()) return std::nullopt;
    return attempt_.connection->judge(status, "snapshot");
  }

 private:
  std::optional<Fault> wait(Deadline at_most, bool& ok) {
    void* tag = nullptr;
    if (queue_.AsyncNext(&tag, &ok, grpc_deadline(at_most)) == grpc::CompletionQueue::GOT_EVENT) return std::nullopt;
    return judge(WireCode::deadline_exceeded, "no bytes came in time", attempt_.connection->endpoint.text, "snapshot");
  }

  const Attempt& attempt_;
  grpc::ClientContext context_;
  grpc::CompletionQueue queue_;
  std::unique_ptr<grpc::ClientAsyncReader<pb::SnapshotResponse>> stream_;
  bool started_ = false;
};

// Follows the stream's own arithmetic: the first message announces the length, the digest comes after that many bytes.
class SnapshotCheck {
 public:
  // nullopt: fine so far.
  std::optional<std::string> take(const pb::SnapshotResponse& message) {
    const Bytes blob = as_bytes(message.blob());
    if (!announced_) {
      announced_ = true;
      total_ = message.remaining_bytes() + blob.size();
    }
    const auto of_database = static_cast<std::size_t>(std::min<std::uint64_t>(blob.size(), total_ - database_));
    digest_.update(blob.first(of_database));
    database_ += of_database;
    const Bytes rest = blob.subspan(of_database);
    if (trailer_ + rest.size() > kDigestSize) return fmt::format("more than the {} bytes announced", total_);
    std::ranges::copy(rest, sent_.begin() + static_cast<std::ptrdiff_t>(trailer_));
    trailer_ += rest.size();
    return std::nullopt;
  }
  std::optional<std::string> at_end() {
    if (database_ != total_ || total_ == 0) return fmt::format("{} of {} bytes came", database_, total_);
    if (trailer_ != kDigestSize) return fmt::format("{} bytes of the SHA-256 came after the database", trailer_);
    const crypto::Sha256Digest got = digest_.finish();
    if (got == sent_) return std::nullopt;
    return fmt::format("the SHA-256 of the database is {}, the server sent {}", to_hex(got), to_hex(sent_));
  }
  std::uint64_t bytes() const { return database_ + trailer_; }
  std::uint64_t total() const { return total_ + kDigestSize; }

 private:
  crypto::Sha256 digest_;
  crypto::Sha256Digest sent_{};
  bool announced_ = false;
  std::uint64_t total_ = 0, database_ = 0;
  std::size_t trailer_ = 0;
};

Fault corrupt(const Attempt& attempt, std::string_view why) {
  Fault fault;
  fault.error = {Errc::corrupt, fmt::format("{}: snapshot: {}", attempt.connection->endpoint.text, why), {}};
  return fault;
}

}  // namespace

std::optional<Fault> receive_snapshot(const Attempt& attempt, std::chrono::milliseconds chunk_timeout, io::Sink& into,
                                      const std::function<void(std::uint64_t, std::uint64_t)>& progress,
                                      SnapshotResult& result) {
  const auto soon = [&] { return std::chrono::steady_clock::now() + chunk_timeout; };
  // Alternating: while one message is written, the next one is already asked for. Before `call`: it may be filled
  // until that is drained.
  std::array<pb::SnapshotResponse, 2> messages;
  SnapshotCheck check;
  SnapshotCall call(attempt);
  const auto final_if_begun = [&](Fault fault) {
    if (result.bytes > 0) fault.try_elsewhere = fault.needs_token = false;
    return fault;
  };

  // Until the first message the attempt's deadline counts, so that another endpoint can be tried in time.
  if (auto late = call.wait_started(attempt.deadline)) return late;
  call.ask(messages[0]);
  for (std::size_t turn = 0;; turn++) {
    bool there_is_one = false;
    if (auto late = call.wait_message(turn == 0 ? attempt.deadline : soon(), there_is_one))
      return final_if_begun(*late);
    if (!there_is_one) break;
    const pb::SnapshotResponse& message = messages[turn % 2];
    call.ask(messages[(turn + 1) % 2]);
    if (const auto wrong = check.take(message)) return corrupt(attempt, *wrong);
    if (message.blob().empty()) continue;
    if (Status written = into.write(as_bytes(message.blob())); !written) {
      result.sink_error = std::move(written).error();
      return std::nullopt;
    }
    result.bytes = check.bytes();
    if (progress) progress(result.bytes, check.total());
  }
  if (auto fault = call.finish(soon())) return final_if_begun(*fault);
  if (const auto wrong = check.at_end()) return corrupt(attempt, *wrong);
  return std::nullopt;
}

}  // namespace tidemark::link
