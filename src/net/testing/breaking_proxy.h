// Stands between a client and a real HTTP server, and breaks what the test says, call by call.
//
// Requests are passed on as they came, Host header included, so signatures hold. Threads: any.
#pragma once

#include <functional>
#include <map>
#include <mutex>

#include "net/testing/http_server.h"

namespace tidemark::net::testing {

struct Break {
  enum class Kind {
    none,
    drop,         // the request goes nowhere; the connection ends
    lose_answer,  // the server does it; the connection ends without an answer
    answer,       // `status` and `body` instead of the server
    cut,          // half of the answer's body, then the connection ends; no body: its head is lost
    garble,       // the whole answer, but its body is `body`
  };
  Kind kind = Kind::none;
  int status = 503;
  std::string body{};
  Headers headers{};
};

class BreakingProxy {
 public:
  // `upstream`: http://host:port, without a slash at the end; https:// with what `client` trusts and shows.
  explicit BreakingProxy(std::string upstream, ClientOptions client = {.proxy = ""});

  std::string url() const { return server_.url(); }
  // The n-th call from now on (the first is 1) breaks like this; all others pass.
  void break_call(int n, Break how);
  // Every call from now on for which `which` holds.
  void break_all(Break how, std::function<bool(const Received&)> which = {});
  void heal();
  // From now on a GET that was answered before gets that answer again.
  void freeze_answers_to(std::function<bool(const Received&)> which);
  int calls() const;                     // since the last of the above
  std::vector<std::string> log() const;  // "PUT /bucket/key?query" of these calls

 private:
  Reply serve(const Received& request);
  Break take(const Received& request);
  Reply forward(const Received& request);

  const std::string upstream_;
  Client client_;
  mutable std::mutex mutex_;
  std::map<int, Break> at_;
  Break all_;
  std::function<bool(const Received&)> which_, frozen_;
  std::map<std::string, Reply> first_answers_;
  std::vector<std::string> log_;
  HttpServer server_;  // last: it calls us
};

}  // namespace tidemark::net::testing
