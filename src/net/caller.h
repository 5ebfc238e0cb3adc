// Requests to one service, sent again where that helps: client, retries and the service's own rules put together.
// What S3, GCS, Azure and their token services are called through.
//
//   Caller caller(client, gate, {.prepare = sign, .judge = judge});
//   TM_LET(const Answer answer, caller.call(request));       whole answer in memory; any status that is final
//   TM_LET(Answer answer, caller.stream(request));           2xx: answer.stream has the body; else answer.body
//
// A request goes out again after a failure of the wire and after an answer that the judge calls passing. So the other
// side may do it twice: a caller to whom that matters must see from the second answer what the first try did
// (Answer::tries > 1). Threads: any.
#pragma once

#include "net/http.h"
#include "net/retry.h"

namespace tidemark::net {

struct Answer {
  int status = 0;
  Headers headers{};
  Buffer body{};                     // call(): all of it; stream(): of a refusal
  std::optional<Response> stream{};  // stream() and 2xx
  int tries = 1;

  bool ok() const { return status >= 200 && status < 300; }
  std::string_view header(std::string_view name) const { return header_value(headers, name); }
  std::string_view text() const { return as_text(body); }
};

struct CallerRules {
  // Signs: gets a fresh copy of the request before each try and may add headers or change the URL. May be empty.
  // Its failure ends the call: whoever fetches credentials has tried again himself.
  std::function<Status(Request&)> prepare{};
  // What an answer that is no 2xx means for the next try. Empty: verdict_of_status().
  std::function<Verdict(const Answer&)> judge{};
};

class Caller {
 public:
  // Requires: both outlive it.
  Caller(Client& client, RetryGate& gate, CallerRules rules = {})
      : client_(client), gate_(gate), rules_(std::move(rules)) {}

  // Errc::corrupt: the body is larger than `limit`.
  Result<Answer> call(const Request& request, const std::stop_token& stop = {}, std::uint64_t limit = 16UL << 20U);
  Result<Answer> stream(const Request& request, const std::stop_token& stop = {});

  Client& client() { return client_; }

 private:
  enum class Body { whole, streamed };
  Result<Answer> run(const Request& request, const std::stop_token& stop, Body body, std::uint64_t limit);
  Result<Answer> once(const Request& request, const std::stop_token& stop, Body body, std::uint64_t limit);

  Client& client_;
  RetryGate& gate_;
  CallerRules rules_;
};

}  // namespace tidemark::net
