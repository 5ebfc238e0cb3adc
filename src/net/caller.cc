#include "net/caller.h"

namespace tidemark::net {

Result<Answer> Caller::call(const Request& request, const std::stop_token& stop, std::uint64_t limit) {
  return run(request, stop, Body::whole, limit);
}

Result<Answer> Caller::stream(const Request& request, const std::stop_token& stop) {
  constexpr std::uint64_t kRefusalLimit = 1UL << 20U;
  return run(request, stop, Body::streamed, kRefusalLimit);
}

Result<Answer> Caller::once(const Request& request, const std::stop_token& stop, Body body, std::uint64_t limit) {
  TM_LET(Response response, client_.send(request, stop));
  Answer answer;
  answer.status = response.status();
  answer.headers = response.headers();
  if (body == Body::streamed && answer.ok()) {
    answer.stream = std::move(response);
  } else {
    TM_LET(answer.body, io::read_all(response, limit));
  }
  return answer;
}

Result<Answer> Caller::run(const Request& request, const std::stop_token& stop, Body body, std::uint64_t limit) {
  Attempts attempts(gate_, stop);
  for (;;) {
    TM_CHECK(attempts.ready());
    Request prepared = request;
    if (rules_.prepare) TM_CHECK(rules_.prepare(prepared));
    Result<Answer> answer = once(prepared, stop, body, limit);
    Verdict verdict;
    if (!answer) {
      verdict = verdict_of(answer.error());
    } else {
      answer->tries = attempts.tries();
      if (answer->ok()) {
        attempts.succeeded();
        return answer;
      }
      verdict = rules_.judge ? rules_.judge(*answer)
                             : verdict_of_status(answer->status, answer->header("Retry-After"), client_.clock().now());
    }
    if (verdict.fault == Fault::throttled) ++client_.traffic().throttled;
    const Error why = answer ? Error{Errc::unavailable, fmt::format("status {}", answer->status), {}} : answer.error();
    const Status again = attempts.again(why, verdict);
    if (!again) {
      if (answer && again.error().code != Errc::cancelled) return answer;  // its own words say more
      return std::unexpected(again.error());
    }
    ++client_.traffic().retries;
  }
}

}  // namespace tidemark::net
