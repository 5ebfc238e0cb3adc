// A connection to a server as bytes both ways, over TLS where the URL says so: what a protocol that is no HTTP any more
// runs over (net/web_socket.h).
//
// It is made by a Client, with all its options: authorities, client certificate, proxy, server name. It is nobody
// else's, and ends with the object.
// Threads: one. Both directions make progress by either call, so that two sides that only write do not wait for each
// other: what comes in while write() waits is kept for read_some(), up to 8 MiB.
#pragma once

#include "net/http.h"

namespace tidemark::net {

class Duplex {
 public:
  explicit Duplex(std::unique_ptr<Exchange> exchange, const Request& request, const Clock& clock, std::stop_token stop);
  Duplex(const Duplex&) = delete;
  Duplex& operator=(const Duplex&) = delete;
  ~Duplex();

  // At least one byte; 0: the other side has ended. Failures as in net/http.h, by the request's silence and deadline.
  Result<std::size_t> read_some(MutableBytes into);
  // All of it.
  Status write(Bytes bytes);

 private:
  class Waker;
  Status wait(bool to_write, Ticks since);
  Result<std::optional<std::size_t>> receive(MutableBytes into);  // nullopt: nothing there yet
  Status stash();

  std::unique_ptr<Exchange> exchange_;
  const Clock& clock_;
  const std::string where_;
  const std::chrono::nanoseconds silence_, deadline_;
  const Ticks began_;
  const std::stop_token stop_;
  std::unique_ptr<Waker> waker_;
  Buffer kept_;  // came in while we wrote
  std::size_t used_ = 0;
  bool ended_ = false;
};

}  // namespace tidemark::net
