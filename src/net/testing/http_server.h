// An HTTP server on a free loopback port that answers as the test says, and breaks where the test says.
//
//   HttpServer server([](const Received& r) { return Reply{.status = 200, .body = "hello " + r.path}; });
//   … client.send({.url = server.url() + "/x"}) …
//
// Threads: the handler runs on a thread per connection, several at once.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "net/http.h"

namespace tidemark::net::testing {

struct Received {
  std::string method, target;  // target: path and query as sent
  Headers headers;
  std::string body;
  std::string_view header(std::string_view name) const { return header_value(headers, name); }
};

struct Reply {
  int status = 200;
  Headers headers{};  // Content-Length is added, unless it is here
  std::string body{};

  std::chrono::milliseconds wait{0};          // before the first byte
  bool drop = false;                          // ends the connection without a byte
  std::size_t cut_after = SIZE_MAX;           // bytes of the body after which the connection ends
  std::chrono::milliseconds wait_in_body{0};  // after the first byte of the body
};

class HttpServer {
 public:
  using Handler = std::function<Reply(const Received&)>;
  explicit HttpServer(Handler handler);
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;
  ~HttpServer();  // ends all connections

  std::string url() const;  // http://127.0.0.1:PORT
  int port() const;
  int connections() const;  // accepted so far
  int requests() const;

 private:
  class Work;
  std::unique_ptr<Work> work_;
};

}  // namespace tidemark::net::testing
