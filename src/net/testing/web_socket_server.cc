#include "net/testing/web_socket_server.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>
#include <mutex>
#include <thread>

namespace tidemark::net::testing {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
namespace websocket = boost::beast::websocket;
using asio::ip::tcp;
using beast::error_code;

class Server final : public Talk {
 public:
  explicit Server(tcp::socket& socket) : stream_(socket) { stream_.auto_fragment(false); }

  void accept(const http::request<http::string_body>& request, const std::string& protocol) {
    stream_.set_option(websocket::stream_base::decorator([&](websocket::response_type& to) {
      if (!protocol.empty()) to.set(http::field::sec_websocket_protocol, protocol);
    }));
    stream_.accept(request, error_);
    stream_.binary(true);
  }
  bool good() const { return !error_; }

  bool read(std::string& message) override {
    beast::flat_buffer buffer;
    stream_.read(buffer, error_);
    message = beast::buffers_to_string(buffer.data());
    return !error_;
  }
  void send(std::string_view message) override { stream_.write(asio::buffer(message.data(), message.size()), error_); }
  void raw(std::string_view bytes) override {
    asio::write(stream_.next_layer(), asio::buffer(bytes.data(), bytes.size()), error_);
    cut();
  }
  void close() override { stream_.close(websocket::close_code::normal, error_); }
  void cut() override { stream_.next_layer().shutdown(tcp::socket::shutdown_both, error_); }

 private:
  websocket::stream<tcp::socket&> stream_;
  error_code error_;
};

}  // namespace

class WebSocketServer::Work {
 public:
  Work(Says says, WebSocketSetup setup)
      : says_(std::move(says)), setup_(std::move(setup)), acceptor_(io_, {asio::ip::address_v4::loopback(), 0}) {
    thread_ = std::jthread([this] { accept_all(); });
  }
  ~Work() {
    const std::scoped_lock lock(mutex_);
    ended_ = true;
    ::shutdown(acceptor_.native_handle(), SHUT_RDWR);  // ends the waiting accept()
    if (open_ >= 0) ::shutdown(open_, SHUT_RDWR);
  }
  Work(const Work&) = delete;
  Work& operator=(const Work&) = delete;

  int port() const { return acceptor_.local_endpoint().port(); }
  template <class T>
  T locked(T Work::* what) const {
    const std::scoped_lock lock(mutex_);
    return this->*what;
  }
  int connections = 0;
  std::string target, offered, agent;

 private:
  void accept_all() {
    for (;;) {
      tcp::socket socket(io_);
      error_code ec;
      acceptor_.accept(socket, ec);
      {
        const std::scoped_lock lock(mutex_);
        if (ended_ || ec) return;
        open_ = socket.native_handle();
        connections++;
      }
      serve(socket);
      const std::scoped_lock lock(mutex_);
      open_ = -1;
    }
  }

  void serve(tcp::socket& socket) {
    beast::flat_buffer buffer;
    http::request<http::string_body> request;
    error_code ec;
    http::read(socket, buffer, request, ec);
    if (ec) return;
    const auto field = request[http::field::sec_websocket_protocol];
    const std::string protocols(field.data(), field.size());
    {
      const std::scoped_lock lock(mutex_);
      target = std::string(request.target());
      offered = protocols;
      agent = std::string(request[http::field::user_agent]);
      if (setup_.refuse != 0 && refused_ < setup_.times) {
        refused_++;
        http::response<http::string_body> answer(static_cast<http::status>(setup_.refuse), 11);
        answer.set(http::field::retry_after, "0");
        answer.body() = setup_.body;
        answer.prepare_payload();
        http::write(socket, answer, ec);
        return;
      }
    }
    Server talk(socket);
    talk.accept(request, setup_.protocol.empty() ? protocols.substr(0, protocols.find(',')) : setup_.protocol);
    if (talk.good()) says_(talk);
  }

  const Says says_;
  const WebSocketSetup setup_;
  asio::io_context io_;
  tcp::acceptor acceptor_;
  mutable std::mutex mutex_;
  int refused_ = 0, open_ = -1;
  bool ended_ = false;
  std::jthread thread_;  // last: it uses the others
};

WebSocketServer::WebSocketServer(Says says, WebSocketSetup setup)
    : work_(std::make_unique<Work>(std::move(says), std::move(setup))) {}
WebSocketServer::~WebSocketServer() = default;
std::string WebSocketServer::url() const { return fmt::format("http://127.0.0.1:{}", work_->port()); }
int WebSocketServer::connections() const { return work_->locked(&Work::connections); }
std::string WebSocketServer::target() const { return work_->locked(&Work::target); }
std::string WebSocketServer::offered() const { return work_->locked(&Work::offered); }
std::string WebSocketServer::agent() const { return work_->locked(&Work::agent); }

}  // namespace tidemark::net::testing
