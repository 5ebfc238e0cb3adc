// An HTTP/1.1 server for a few clients that may be up to no good: over TLS (1.2 and newer), or plain for who says so.
//
// Everything is bounded: connections at one time (more wait in the kernel's queue), the head and the body of a request,
// and the time that each step may take. A connection has a thread; sockets have one for all of them.
//
//   TM_LET(const auto listener, HttpListener::open({.address = "127.0.0.1", .port = 8001, .identity = &identity},
//                                                  [&](const Request& r, Reply& reply) { api.answer(r, reply); }));
//   listener->wait(stop);
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>

#include "base/result.h"
#include "crypto/certificate.h"
#include "serve/reply.h"

namespace tidemark::serve {

struct ListenOptions {
  std::string address = "127.0.0.1";                 // a numeric one
  int port = 0;                                      // 0: any that is free
  const crypto::ServerIdentity* identity = nullptr;  // nullptr: plain HTTP
  std::size_t most_connections = 64;
  std::size_t most_head_bytes = 32UL << 10U;
  std::size_t most_body_bytes = 256UL << 10U;
  std::chrono::milliseconds head_within{10'000};   // the first request, and TLS's handshake before it
  std::chrono::milliseconds idle_at_most{90'000};  // until the next one begins and is read
  std::chrono::milliseconds write_within{60'000};  // each piece
};

class HttpListener {
 public:
  // Runs on a connection's thread; several at once.
  using Handler = std::function<void(const Request&, Reply&)>;
  // Errc::invalid: no address, or the identity is none; Errc::conflict: somebody else listens there; Errc::denied.
  static Result<std::unique_ptr<HttpListener>> open(const ListenOptions& options, Handler handler);
  HttpListener(const HttpListener&) = delete;
  HttpListener& operator=(const HttpListener&) = delete;
  ~HttpListener();  // ends all connections, and waits for their handlers

  int port() const;
  std::size_t connections() const;
  // Returns when asked to stop.
  void wait(const std::stop_token& stop) const;
  // Takes no more requests: idle connections end at once, Reply::quiet_until() with false, and what is being answered
  // when that is done. Returns when there are none left, or after `at_most`: whether all were answered.
  bool drain(std::chrono::milliseconds at_most);

 private:
  class Work;
  explicit HttpListener(std::unique_ptr<Work> work);
  std::unique_ptr<Work> work_;
};

}  // namespace tidemark::serve
