#include "link/assembler.h"

#include <google/protobuf/arena.h>

#include "etcd_rpc.pb.h"

namespace tidemark::link {

namespace {

// What an event costs beside its key and value: the message, two strings, the Event.
constexpr std::size_t kEventOverhead = 256;

etcd::Event view_of(const mvccpb::Event& event) {
  const mvccpb::KeyValue& kv = event.kv();
  etcd::Event view;
  view.deletion = event.type() == mvccpb::Event::DELETE;
  view.kv.key = as_bytes(kv.key());
  view.kv.mod = Revision(kv.mod_revision());
  if (view.deletion) return view;
  view.kv.value = as_bytes(kv.value());
  view.kv.create = Revision(kv.create_revision());
  view.kv.version = kv.version();
  view.kv.lease = LeaseId(kv.lease());
  return view;
}

}  // namespace

Answer::Answer()
    : arena_(std::make_unique<google::protobuf::Arena>()),
      message_(google::protobuf::Arena::CreateMessage<etcdserverpb::WatchResponse>(arena_.get())) {}
Answer::~Answer() = default;

Result<std::optional<etcd::WatchBatch>> Assembler::add(std::shared_ptr<const Answer> answer) {
  const etcdserverpb::WatchResponse& message = answer->message();
  TM_CHECK(append(message));
  answers_.push_back(std::move(answer));
  std::size_t whole = pending_.size();
  if (message.fragment()) {
    while (whole > 0 && pending_[whole - 1].kv.mod == pending_.back().kv.mod) whole--;
    if (whole == 0) return std::nullopt;
  }
  return take(whole, Revision(message.header().revision()));
}

Status Assembler::append(const etcdserverpb::WatchResponse& answer) {
  pending_.reserve(pending_.size() + static_cast<std::size_t>(answer.events_size()));
  for (const mvccpb::Event& event : answer.events()) {
    const Revision mod(event.kv().mod_revision());
    if (mod <= last_ || (!pending_.empty() && mod < pending_.back().kv.mod)) {
      return fail(Errc::corrupt, "watch: revision {} came after revision {}", mod,
                  pending_.empty() ? last_ : pending_.back().kv.mod);
    }
    pending_.push_back(view_of(event));
  }
  return {};
}

etcd::WatchBatch Assembler::take(std::size_t events, Revision header) {
  etcd::WatchBatch batch;
  batch.header = header;
  batch.owner = std::make_shared<const std::vector<std::shared_ptr<const Answer>>>(answers_);
  const auto cut = pending_.begin() + static_cast<std::ptrdiff_t>(events);
  std::vector<etcd::Event> rest(cut, pending_.end());
  pending_.erase(cut, pending_.end());
  batch.events = std::move(pending_);
  pending_ = std::move(rest);
  if (!batch.events.empty()) last_ = batch.events.back().kv.mod;
  for (const etcd::Event& event : batch.events) {
    batch.bytes += event.kv.key.size() + event.kv.value.size() + kEventOverhead;
  }
  // What waits is one revision that began after the events taken, so it lies in the newest answer alone.
  answers_.erase(answers_.begin(), pending_.empty() ? answers_.end() : answers_.end() - 1);
  return batch;
}

}  // namespace tidemark::link
