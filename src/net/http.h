// An HTTP client with TLS: one request, one answer whose body is read as a Source, in bounded memory.
//
// Guarantees: certificates are checked, unless the options say otherwise in so many words; redirects are answers like
// any other (who signs a request must see where it goes); nothing is sent twice here (net/retry.h, net/caller.h); a
// wait ends by an answer, a deadline, silence or a stop token. Connections are kept and used again, but after a silence
// none of them is. HTTP/1.1, or 2 by the options. Threads: Client: any, calls run side by side, each over a connection
// of its own. A Response belongs to one thread.
//
// Failures: unavailable (no such host, refused, cut in the middle), timeout, denied (a certificate that nobody we trust
// has signed), cancelled, invalid (a URL, header or certificate file that makes no sense). A status is no failure.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "io/stream.h"

namespace tidemark::net {

struct Header {
  std::string name, value;
};
using Headers = std::vector<Header>;

// The first value of that name, whatever its case; empty when there is none.
std::string_view header_value(const Headers& headers, std::string_view name);

struct Request {
  std::string method = "GET";
  std::string url;  // http:// or https://; path and query are sent as they stand, so they are percent-encoded already
  Headers headers{};

  // What is sent: these bytes, or what `open_body` gives (exactly `body_size` bytes; called again by each try).
  // Both are used only until send() returns.
  Bytes body{};
  std::function<Result<std::unique_ptr<io::Source>>()> open_body{};
  std::uint64_t body_size = 0;  // with open_body

  std::chrono::nanoseconds connect_within = std::chrono::seconds(10);
  std::chrono::nanoseconds silence = std::chrono::seconds(60);  // the longest wait without a byte in either direction
  std::chrono::nanoseconds deadline{0};                         // for all of it, the answer's body too; 0: none
};

// What went over the wire, of all calls together.
struct Traffic {
  std::atomic<std::uint64_t> requests{0}, failures{0};          // failures: no answer came
  std::atomic<std::uint64_t> sent_bytes{0}, received_bytes{0};  // of bodies
  std::atomic<std::uint64_t> retries{0}, throttled{0};          // counted by net/caller.h
};

class Duplex;
class Exchange;

// An answer: its head, and its body as it comes in. Destroyed early it cuts the connection (HTTP/2: ends the stream).
class Response final : public io::Source {
 public:
  explicit Response(std::unique_ptr<Exchange> exchange);
  Response(Response&&) noexcept;
  Response& operator=(Response&&) noexcept;
  ~Response() override;

  int status() const;
  const Headers& headers() const;
  std::string_view header(std::string_view name) const { return header_value(headers(), name); }
  std::optional<std::uint64_t> content_length() const;
  // Errc::unavailable when the connection ends before the body does; never a short body that looks whole.
  Result<std::size_t> read(MutableBytes into) override;

 private:
  std::unique_ptr<Exchange> exchange_;
};

struct ClientOptions {
  std::string ca_file{};                // PEM; trusted beside the system's authorities
  std::string cert_file{}, key_file{};  // a client certificate, PEM
  std::optional<std::string> proxy{};   // none: https_proxy, http_proxy and no_proxy of the environment; "": no proxy
  std::string no_proxy{};               // with `proxy`: hosts, comma separated, that are reached directly
  std::string user_agent = "tidemark";
  std::size_t buffer_bytes = 256UL << 10U;  // of an answer that is not read yet; then the connection waits

  std::string ca_pem{};                 // instead of ca_file
  std::string cert_pem{}, key_pem{};    // instead of cert_file, key_file
  bool only_these_authorities = false;  // those of ca_file or ca_pem, not the system's beside them
  std::string server_name{};            // told to an https server and expected in its certificate; "": the URL's host
  bool skip_server_check = false;       // any certificate will do. Only when the user said so in these words
  bool http2 = false;                   // with https servers that have it. A call still has a connection of its own
};

class Client {
 public:
  explicit Client(ClientOptions options, const Clock& clock = system_clock());
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client();  // answers that are still being read may outlive it

  // Returns when the request has been sent and the answer's head is here. `stop` also ends reads of the body.
  Result<Response> send(const Request& request, std::stop_token stop = {});

  // Only a connection to the URL's server, over HTTP/1.1's TLS settings; nothing is sent (net/duplex.h). The request's
  // times count for all that follows.
  Result<std::unique_ptr<Duplex>> connect(const Request& request, std::stop_token stop = {});

  Traffic& traffic() { return *traffic_; }
  const Clock& clock() const { return clock_; }

 private:
  class Lanes;
  friend class Exchange;
  ClientOptions options_;
  const Clock& clock_;
  std::shared_ptr<Traffic> traffic_;
  std::shared_ptr<Lanes> lanes_;
};

}  // namespace tidemark::net
