// One request as the API sees it, and the way its answer goes. What is on the wire only serve/http_listener.h knows.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace tidemark::serve {

struct Request {
  std::string method, target;
  std::string host, authorization, accept, accept_encoding, content_type;  // headers; empty without one
  std::string body;
};

using ReplyHeaders = std::vector<std::pair<std::string, std::string>>;

// Either send(), or begin(), any number of write(), and end(). A failure means that nobody listens any more.
// Threads: that of the request.
class Reply {
 public:
  virtual ~Reply() = default;
  virtual Status send(int code, const ReplyHeaders& headers, std::string body) = 0;
  // `last`: the connection ends behind this answer.
  virtual Status begin(int code, const ReplyHeaders& headers, bool last) = 0;
  virtual Status write(std::string_view piece) = 0;
  virtual Status end() = 0;
  // Waits until `deadline`. False: earlier, for the other side went away or the server stops.
  virtual bool quiet_until(Ticks deadline) = 0;
};

}  // namespace tidemark::serve
