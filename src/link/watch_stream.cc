#include "link/watch_stream.h"

#include <algorithm>

namespace tidemark::link {

namespace {

// A busy etcd sends an answer for each write. Whoever waits for each of them is woken for each, and acknowledges each
// to HTTP/2: half of a recorder's processor time. After one that had to be waited for the stream rests, and what has
// gathered is then read without waiting.
constexpr auto kRest = std::chrono::milliseconds(10);
constexpr auto kHadToWait = std::chrono::microseconds(100);

pb::WatchRequest whole_key_space(Revision from) {
  pb::WatchRequest request;
  auto& create = *request.mutable_create_request();
  create.set_key(std::string(1, '\0'));
  create.set_range_end(std::string(1, '\0'));
  create.set_start_revision(from.raw());
  create.set_progress_notify(true);
  create.set_fragment(true);
  return request;
}

}  // namespace

WatchStream::WatchStream(std::shared_ptr<Session> session, const Attempt& attempt, Revision from)
    : session_(std::move(session)), connection_(attempt.connection), queue_(session_->options().watch_buffer) {
  // A member cut off from its leader would be silent for ever; etcd ends the stream instead when asked to.
  attempt.dress(context_, /*with_deadline=*/false, /*require_leader=*/true);
  reader_ = std::jthread([this, from] { read_stream(from); });
}

WatchStream::~WatchStream() { cancel(); }

void WatchStream::cancel() {
  {
    const std::lock_guard lock(mutex_);
    cancelled_ = true;
    changed_.notify_all();
  }
  context_.TryCancel();
  queue_.abort();
}

std::optional<Fault> WatchStream::wait_created(Deadline at_most) {
  std::unique_lock lock(mutex_);
  if (!changed_.wait_until(lock, at_most, [&] { return created_ || fault_; })) {
    return judge(WireCode::deadline_exceeded, "the server did not confirm the watch in time",
                 connection_->endpoint.text, "watch");
  }
  return created_ ? std::nullopt : fault_;
}

Result<std::optional<etcd::WatchBatch>> WatchStream::next(std::chrono::milliseconds wait) {
  auto batch = queue_.pop_for(wait);
  const std::lock_guard lock(mutex_);
  if (cancelled_) return fail(Errc::cancelled, "{}: watch: cancelled", connection_->endpoint.text);
  if (batch) return Result<std::optional<etcd::WatchBatch>>(std::move(batch));
  if (queue_.closed() && fault_) return std::unexpected(fault_->error);
  return std::nullopt;
}

Revision WatchStream::compact_revision() const {
  const std::lock_guard lock(mutex_);
  return compact_revision_;
}

void WatchStream::read_stream(Revision from) {
  stream_ = connection_->watch->Watch(&context_);
  std::optional<Fault> fault;
  if (stream_->Write(whole_key_space(from))) fault = read_answers(from);
  if (fault) context_.TryCancel();  // the server has not ended it: Finish() would wait for ever
  const grpc::Status status = stream_->Finish();
  if (!fault)
    fault = connection_->judge(status.ok() ? grpc::Status(grpc::UNAVAILABLE, "the server closed it") : status, "watch");
  end(*fault);
}

std::optional<Fault> WatchStream::read_answers(Revision from) {
  Assembler assembler(from);
  for (;;) {
    auto answer = std::make_shared<Answer>();
    pb::WatchResponse& message = answer->message();
    const auto asked = std::chrono::steady_clock::now();
    if (!stream_->Read(&message)) return std::nullopt;
    const bool waited = std::chrono::steady_clock::now() - asked > kHadToWait;
    if (message.canceled() || message.compact_revision() != 0) return refusal(message);
    if (message.created()) {
      const std::lock_guard lock(mutex_);
      created_ = true;
      changed_.notify_all();
      continue;
    }
    auto batch = assembler.add(std::move(answer));
    if (!batch) return Fault{named(connection_->endpoint.text, std::move(batch)).error()};
    if (!*batch) continue;
    const std::size_t bytes = std::max<std::size_t>((*batch)->bytes, 1);
    if (!queue_.push(std::move(**batch), bytes)) return Fault{{Errc::cancelled, "watch: cancelled", {}}};
    if (waited) rest();
  }
}

void WatchStream::rest() {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, kRest, [&] { return cancelled_; });
}

std::optional<Fault> WatchStream::refusal(const pb::WatchResponse& answer) {
  if (answer.compact_revision() == 0) return judge_cancelled_watch(answer.cancel_reason(), connection_->endpoint.text);
  const std::lock_guard lock(mutex_);
  compact_revision_ = Revision(answer.compact_revision());
  return Fault{{Errc::compacted,
                fmt::format("{}: watch: etcd has compacted up to revision {}", connection_->endpoint.text,
                            answer.compact_revision()),
                {}}};
}

void WatchStream::end(const Fault& fault) {
  bool cancelled = false;
  {
    const std::lock_guard lock(mutex_);
    cancelled = cancelled_;
    fault_ = fault;
    changed_.notify_all();
  }
  if (!cancelled) session_->leave(connection_, fault);
  queue_.close();
}

}  // namespace tidemark::link
