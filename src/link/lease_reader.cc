#include "link/lease_reader.h"

#include <algorithm>
#include <array>

namespace tidemark::link {

namespace {

constexpr std::size_t kUnderWay = 64;

// Asks for the times of many leases. The destructor waits for the calls that are still under way.
class TimesOfLeases {
 public:
  TimesOfLeases(const Attempt& attempt, std::vector<etcd::LeaseState>& leases) : attempt_(attempt), leases_(leases) {}
  ~TimesOfLeases() {
    for (Question& question : questions_) {
      if (question.context) question.context->TryCancel();
    }
    while (under_way_ > 0) {
      if (next() == nullptr) break;
    }
    queue_.Shutdown();
  }
  TimesOfLeases(const TimesOfLeases&) = delete;
  TimesOfLeases& operator=(const TimesOfLeases&) = delete;

  std::optional<Fault> ask_all() {
    for (Question& question : questions_) ask(question);
    while (under_way_ > 0) {
      Question* const answered = next();
      if (answered == nullptr) break;
      if (auto fault = settle(*answered)) return fault;
      ask(*answered);
    }
    return std::nullopt;
  }

 private:
  struct Question {
    std::unique_ptr<grpc::ClientContext> context;
    std::unique_ptr<grpc::ClientAsyncResponseReader<pb::LeaseTimeToLiveResponse>> reader;
    pb::LeaseTimeToLiveResponse response;
    grpc::Status status;
    std::size_t lease = 0;
  };

  void ask(Question& question) {
    if (asked_ == leases_.size()) return;
    question.lease = asked_++;
    question.context = std::make_unique<grpc::ClientContext>();
    attempt_.dress(*question.context, true, false);
    pb::LeaseTimeToLiveRequest request;
    request.set_id(leases_[question.lease].id.raw());
    question.reader = attempt_.connection->lease->AsyncLeaseTimeToLive(question.context.get(), request, &queue_);
    question.reader->Finish(&question.response, &question.status, &question);
    under_way_++;
  }

  Question* next() {
    void* tag = nullptr;
    bool ok = false;
    if (!queue_.Next(&tag, &ok)) return nullptr;
    under_way_--;
    return static_cast<Question*>(tag);
  }

  std::optional<Fault> settle(Question& question) {
    etcd::LeaseState& lease = leases_[question.lease];
    if (!question.status.ok()) {
      const Fault fault = attempt_.connection->judge(question.status, "time to live of a lease");
      if (fault.error.code == Errc::not_found) {
        lease.remaining_ttl_s = -1;
      } else if (fault.error.code != Errc::denied || fault.needs_token) {
        return fault;
      }
      return std::nullopt;
    }
    lease.granted_ttl_s = question.response.grantedttl();
    lease.remaining_ttl_s = question.response.ttl();  // -1: there is no such lease any more
    return std::nullopt;
  }

  const Attempt& attempt_;
  std::vector<etcd::LeaseState>& leases_;
  grpc::CompletionQueue queue_;
  std::array<Question, kUnderWay> questions_;
  std::size_t asked_ = 0, under_way_ = 0;
};

}  // namespace

std::optional<Fault> read_leases(const Attempt& attempt, std::vector<etcd::LeaseState>& leases) {
  leases.clear();
  pb::LeaseLeasesResponse all;
  grpc::ClientContext context;
  attempt.dress(context, true, true);
  const grpc::Status status = attempt.connection->lease->LeaseLeases(&context, {}, &all);
  if (!status.ok()) return attempt.connection->judge(status, "list of leases");
  for (const auto& lease : all.leases()) leases.push_back({.id = LeaseId(lease.id())});
  std::ranges::sort(leases, {}, &etcd::LeaseState::id);
  if (auto fault = TimesOfLeases(attempt, leases).ask_all()) return fault;
  std::erase_if(leases, [](const etcd::LeaseState& lease) { return lease.remaining_ttl_s < 0; });
  return std::nullopt;
}

}  // namespace tidemark::link
