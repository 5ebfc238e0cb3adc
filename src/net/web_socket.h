// WebSocket (RFC 6455), the client's side: one HTTP/1.1 request that a server agrees to upgrade, then whole binary
// messages both ways.
//
//   TM_LET(WebSocketAnswer answer, open_web_socket(client, request, {"v5.channel.k8s.io"}, stop));
//   if (!answer.socket) …answer.refusal has the status and the body…
//   TM_LET(auto message, answer.socket->read());   // nullopt: the other side closed
//
// Pings are answered inside of read(). A connection that ends without the closing handshake is Errc::unavailable; what
// does not follow the RFC is Errc::corrupt; the rest as in net/http.h, by the request's silence and deadline.
// Threads: one at a time.
#pragma once

#include <span>

#include "net/caller.h"
#include "net/http.h"

namespace tidemark::net {

class WebSocket {
 public:
  ~WebSocket();
  WebSocket(const WebSocket&) = delete;
  WebSocket& operator=(const WebSocket&) = delete;

  // That the server chose of those offered.
  const std::string& protocol() const;
  // The next message, at most `limit` bytes. The bytes are good until the next call. nullopt: closed in order.
  Result<std::optional<Bytes>> read();
  Status write(Bytes message);
  // Says that it is over, and waits for the other side to say so, too.
  Status close();

  static constexpr std::size_t kMostMessage = 16UL << 20U;

 private:
  class Work;
  friend Result<struct WebSocketAnswer> open_web_socket(Client& client, const Request& request,
                                                        std::span<const std::string> protocols, std::stop_token stop);
  explicit WebSocket(std::unique_ptr<Work> work);
  std::unique_ptr<Work> work_;
};

struct WebSocketAnswer {
  std::unique_ptr<WebSocket> socket{};  // nullptr: refused
  Answer refusal{};
};

// The request's method is GET, its body none. Errc::unsupported: the server chose a protocol that was not offered, or
// none of several.
Result<WebSocketAnswer> open_web_socket(Client& client, const Request& request, std::span<const std::string> protocols,
                                        std::stop_token stop = {});

}  // namespace tidemark::net
