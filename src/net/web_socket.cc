#include "net/web_socket.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/websocket.hpp>

#include "net/duplex.h"
#include "net/url.h"

namespace tidemark::net {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = boost::beast::websocket;
using beast::error_code;

// A Duplex as Beast wants a stream; what went wrong is kept in our own words.
class Wire {
 public:
  using executor_type = asio::io_context::executor_type;

  explicit Wire(std::unique_ptr<Duplex> duplex) : duplex_(std::move(duplex)) {}
  executor_type get_executor() { return unused_.get_executor(); }
  const Status& status() const { return status_; }
  bool ended() const { return ended_; }

  template <class Buffers>
  std::size_t read_some(const Buffers& buffers, error_code& ec) {
    ec = {};
    for (auto at = asio::buffer_sequence_begin(buffers); at != asio::buffer_sequence_end(buffers); ++at) {
      const asio::mutable_buffer one = *at;
      if (one.size() == 0) continue;
      const auto got = duplex_->read_some({static_cast<std::byte*>(one.data()), one.size()});
      if (!got) return failed(got.error(), ec);
      if (*got == 0) {
        ended_ = true;
        ec = asio::error::eof;
      }
      return *got;
    }
    return 0;
  }
  template <class Buffers>
  std::size_t write_some(const Buffers& buffers, error_code& ec) {
    ec = {};
    std::size_t sent = 0;
    for (auto at = asio::buffer_sequence_begin(buffers); at != asio::buffer_sequence_end(buffers); ++at) {
      const asio::const_buffer one = *at;
      const Status written = duplex_->write({static_cast<const std::byte*>(one.data()), one.size()});
      if (!written) return failed(written.error(), ec);
      sent += one.size();
    }
    return sent;
  }
  // The same with exceptions, which Beast's concept of a stream names and nobody here calls.
  template <class Buffers>
  std::size_t read_some(const Buffers& buffers) {
    error_code ec;
    return read_some(buffers, ec);
  }
  template <class Buffers>
  std::size_t write_some(const Buffers& buffers) {
    error_code ec;
    return write_some(buffers, ec);
  }

 private:
  std::size_t failed(const Error& error, error_code& ec) {
    status_ = std::unexpected(error);
    ec = asio::error::connection_aborted;
    return 0;
  }

  asio::io_context unused_;  // nothing runs asynchronously; Beast asks for an executor all the same
  std::unique_ptr<Duplex> duplex_;
  Status status_;
  bool ended_ = false;
};

// Found by Beast through the namespace. The connection goes with its object.
void teardown(beast::role_type, Wire&, error_code& ec) { ec = {}; }

std::string joined(std::span<const std::string> words) {
  std::string all;
  for (const std::string& word : words) all += (all.empty() ? "" : ", ") + word;
  return all;
}

}  // namespace

class WebSocket::Work {
 public:
  Work(std::unique_ptr<Duplex> duplex, std::string where) : stream_(std::move(duplex)), where_(std::move(where)) {
    stream_.binary(true);
    stream_.auto_fragment(false);
    stream_.read_message_max(kMostMessage);
  }

  error_code handshake(const Request& request, const Url& url, std::span<const std::string> protocols,
                       websocket::response_type& response) {
    stream_.set_option(websocket::stream_base::decorator([&](websocket::request_type& to) {
      for (const Header& header : request.headers) to.set(header.name, header.value);
      if (!protocols.empty()) to.set(beast::http::field::sec_websocket_protocol, joined(protocols));
    }));
    error_code ec;
    const std::string target =
        (url.path.empty() ? std::string("/") : url.path) + (url.query.empty() ? "" : "?" + url.query);
    stream_.handshake(response, url.host_header(), target, ec);
    stream_.set_option(websocket::stream_base::decorator([](websocket::request_type&) {}));  // it names our arguments
    return ec;
  }

  Result<std::optional<Bytes>> read() {
    buffer_.clear();
    error_code ec;
    stream_.read(buffer_, ec);
    if (ec == websocket::error::closed) return std::nullopt;
    if (ec) return std::unexpected(why("read", ec));
    const asio::const_buffer data = buffer_.cdata();
    return Bytes(static_cast<const std::byte*>(data.data()), data.size());
  }
  Status write(Bytes message) {
    error_code ec;
    stream_.write(asio::buffer(message.data(), message.size()), ec);
    if (ec) return std::unexpected(why("write", ec));
    return {};
  }
  Status close() {
    error_code ec;
    stream_.close(websocket::close_code::normal, ec);
    if (ec && ec != websocket::error::closed) return std::unexpected(why("close", ec));
    return {};
  }
  Error why(std::string_view doing, const error_code& ec) {
    const Wire& wire = stream_.next_layer();
    if (!wire.status()) return wire.status().error();
    if (wire.ended() || ec == asio::error::eof) {
      return {Errc::unavailable, fmt::format("{}: the connection ended in the middle", where_), {}};
    }
    return {Errc::corrupt, fmt::format("{}: {}: {}", where_, doing, ec.message()), {}};
  }

  std::string protocol_;

 private:
  websocket::stream<Wire, /*deflateSupported=*/false> stream_;
  const std::string where_;
  beast::flat_buffer buffer_;
};

WebSocket::WebSocket(std::unique_ptr<Work> work) : work_(std::move(work)) {}
WebSocket::~WebSocket() = default;
const std::string& WebSocket::protocol() const { return work_->protocol_; }
Result<std::optional<Bytes>> WebSocket::read() { return work_->read(); }
Status WebSocket::write(Bytes message) { return work_->write(message); }
Status WebSocket::close() { return work_->close(); }

Result<WebSocketAnswer> open_web_socket(Client& client, const Request& request, std::span<const std::string> protocols,
                                        std::stop_token stop) {
  TM_LET(const Url url, parse_url(request.url));
  const std::string where = "GET " + url.origin() + url.path;
  TM_LET(std::unique_ptr<Duplex> duplex, client.connect(request, std::move(stop)));
  auto work = std::make_unique<WebSocket::Work>(std::move(duplex), where);
  websocket::response_type response;
  const error_code ec = work->handshake(request, url, protocols, response);
  WebSocketAnswer answer;
  if (ec == websocket::error::upgrade_declined) {
    answer.refusal.status = static_cast<int>(response.result_int());
    for (const auto& field : response) answer.refusal.headers.push_back({field.name_string(), field.value()});
    const Bytes body = as_bytes(response.body());
    answer.refusal.body.assign(body.begin(), body.end());
    return answer;
  }
  if (ec) return std::unexpected(work->why("upgrade", ec));
  work->protocol_ = response[beast::http::field::sec_websocket_protocol];
  if (!protocols.empty() && std::ranges::find(protocols, work->protocol_) == protocols.end()) {
    return fail(Errc::unsupported, "{}: the server speaks '{}', not {}", where, work->protocol_, joined(protocols));
  }
  answer.socket = std::unique_ptr<WebSocket>(new WebSocket(std::move(work)));
  return answer;
}

}  // namespace tidemark::net
