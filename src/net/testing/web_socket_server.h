// A WebSocket server on a free loopback port that says what the test says, and breaks where the test says.
//
//   WebSocketServer server([](Talk& talk) { talk.send("hello"); talk.close(); });
//
// Threads: it has one, and connections have it one after another.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace tidemark::net::testing {

// One connection, upgraded, as the server has it.
class Talk {
 public:
  virtual ~Talk() = default;
  virtual bool read(std::string& message) = 0;  // false: it has ended
  virtual void send(std::string_view message) = 0;
  virtual void raw(std::string_view bytes) = 0;  // no frame around them; then it is cut
  virtual void close() = 0;                      // in order
  virtual void cut() = 0;
};

struct WebSocketSetup {
  std::string protocol{};  // chosen whatever is offered; empty: the first that is offered
  int refuse = 0;          // the status of a refusal
  std::string body{};      // of the refusal
  int times = 1 << 30;     // so many refusals, then it agrees
};

class WebSocketServer {
 public:
  using Says = std::function<void(Talk&)>;
  explicit WebSocketServer(Says says, WebSocketSetup setup = {});
  WebSocketServer(const WebSocketServer&) = delete;
  WebSocketServer& operator=(const WebSocketServer&) = delete;
  ~WebSocketServer();

  std::string url() const;  // http://127.0.0.1:PORT
  int connections() const;
  // Of the last request: path and query; the protocols; User-Agent.
  std::string target() const, offered() const, agent() const;

 private:
  class Work;
  std::unique_ptr<Work> work_;
};

}  // namespace tidemark::net::testing
