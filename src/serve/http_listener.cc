#include "serve/http_listener.h"

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <condition_variable>
#include <list>
#include <mutex>
#include <optional>
#include <thread>

#include "base/log.h"

namespace tidemark::serve {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
namespace ssl = boost::asio::ssl;
using asio::ip::tcp;
using beast::error_code;
using std::chrono::milliseconds;
using TlsStream = beast::ssl_stream<beast::tcp_stream>;

// Sockets are touched in one thread, the network's, so nothing of them needs a lock. The connections' threads hand
// their steps over and wait for each.
class Baton {
 public:
  void give(error_code error) {
    const std::lock_guard lock(mutex_);
    error_ = error;
    given_ = true;
    there_.notify_one();
  }
  error_code take() {
    std::unique_lock lock(mutex_);
    there_.wait(lock, [&] { return given_; });
    given_ = false;
    return error_;
  }
  // Whether it was given by then.
  bool take_within(milliseconds at_most) {
    std::unique_lock lock(mutex_);
    return there_.wait_for(lock, at_most, [&] { return given_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable there_;
  bool given_ = false;
  error_code error_;
};

std::string text_of(boost::beast::string_view view) { return {view.data(), view.size()}; }

template <class Head>
Request request_of(const Head& message) {
  return {.method = text_of(message.method_string()),
          .target = text_of(message.target()),
          .host = text_of(message[http::field::host]),
          .authorization = text_of(message[http::field::authorization]),
          .accept = text_of(message[http::field::accept]),
          .accept_encoding = text_of(message[http::field::accept_encoding]),
          .content_type = text_of(message[http::field::content_type]),
          .body = message.body()};
}

}  // namespace

class HttpListener::Work {
 public:
  Work(const ListenOptions& options, Handler handler) : options_(options), handler_(std::move(handler)) {}
  Work(const Work&) = delete;
  Work& operator=(const Work&) = delete;

  Status open() {
    if (options_.identity != nullptr) TM_CHECK(load_identity());
    error_code error;
    const auto address = asio::ip::make_address(options_.address, error);
    if (error) return fail(Errc::invalid, "'{}' is not an address", options_.address);
    const tcp::endpoint at(address, static_cast<std::uint16_t>(options_.port));
    acceptor_.open(at.protocol(), error);
    if (!error) acceptor_.set_option(asio::socket_base::reuse_address(true), error);
    if (!error) acceptor_.bind(at, error);
    if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
    if (error) {
      const bool taken = error == boost::system::errc::address_in_use;
      const bool denied = error == boost::system::errc::permission_denied;
      return fail(taken    ? Errc::conflict
                  : denied ? Errc::denied
                           : Errc::io,
                  "cannot listen on {} port {}: {}", options_.address, options_.port, error.message());
    }
    port_ = acceptor_.local_endpoint(error).port();
    accept();
    network_ = std::jthread([this] { io_.run(); });
    return {};
  }

  ~Work() {
    asio::post(io_, [this] {
      stopping_ = true;
      error_code ignored;
      acceptor_.close(ignored);
      for (auto& connection : connections_) connection->close();
      if (connections_.empty()) working_.reset();
    });
    if (network_.joinable()) network_.join();
  }

  int port() const { return port_; }
  std::size_t connections() const { return open_; }
  bool drain(milliseconds at_most) {
    asio::post(io_, [this] {
      draining_ = true;
      error_code ignored;
      acceptor_.close(ignored);
      for (auto& connection : connections_) connection->drain();
      if (connections_.empty()) drained_.give({});
    });
    return drained_.take_within(at_most);
  }

 private:
  // One client, from its first byte to its last. Its thread runs serve(); close() and drain() are the network's.
  class Connection : public Reply {
   public:
    virtual void close() = 0;
    virtual void drain() = 0;
    std::jthread thread;
  };
  template <class Stream>
  class Speaking;

  Status load_identity() {
    error_code error;
    const auto part = [](std::string_view text) { return asio::const_buffer(text.data(), text.size()); };
    tls_.set_options(ssl::context::default_workarounds | ssl::context::no_tlsv1 | ssl::context::no_tlsv1_1, error);
    if (!error) tls_.use_certificate_chain(part(options_.identity->certificate), error);
    if (!error) tls_.use_private_key(part(as_text(options_.identity->key.bytes())), ssl::context::pem, error);
    if (error) return fail(Errc::invalid, "the server's certificate: {}", error.message());
    return {};
  }

  // In the network's thread. One at a time; none while there are as many as may be.
  void accept() {
    if (accepting_ || stopping_ || draining_ || connections_.size() >= options_.most_connections) return;
    accepting_ = true;
    acceptor_.async_accept([this](const error_code& error, tcp::socket socket) {
      accepting_ = false;
      if (stopping_ || draining_) return;
      if (!error) begin(std::move(socket));
      if (error) log_warning("connection not accepted", "reason={}", error.message());
      accept();
    });
  }
  void begin(tcp::socket socket);
  // Asked by a connection's thread as its last act.
  void end(Connection* ended) {
    asio::post(io_, [this, ended] {
      ended->close();
      ended->thread.join();
      std::erase_if(connections_, [&](const auto& connection) { return connection.get() == ended; });
      open_ = connections_.size();
      if (stopping_ && connections_.empty()) working_.reset();
      if (draining_ && connections_.empty()) drained_.give({});
      accept();
    });
  }

  const ListenOptions options_;
  const Handler handler_;
  asio::io_context io_{1};
  std::optional<asio::executor_work_guard<asio::io_context::executor_type>> working_{asio::make_work_guard(io_)};
  ssl::context tls_{ssl::context::tls_server};
  tcp::acceptor acceptor_{io_};
  int port_ = 0;
  std::atomic<std::size_t> open_ = 0;
  Baton drained_;
  // Of the network's thread:
  bool accepting_ = false, stopping_ = false, draining_ = false;
  std::list<std::unique_ptr<Connection>> connections_;
  std::jthread network_;
};

template <class Stream>
class HttpListener::Work::Speaking final : public Connection {
 public:
  template <class... More>
  Speaking(Work& work, tcp::socket socket, More&... more)
      : work_(work), stream_(std::move(socket), more...), timer_(work.io_) {}

  void close() override {
    closed_ = true;
    timer_.cancel();
    beast::get_lowest_layer(stream_).close();
  }
  void drain() override {
    if (!busy_) return close();
    timer_.cancel();  // of a watch
  }

  void serve() {
    if (!handshake()) return;
    for (bool first = true;; first = false) {
      http::request_parser<http::string_body> parser;
      parser.header_limit(static_cast<std::uint32_t>(work_.options_.most_head_bytes));
      parser.body_limit(work_.options_.most_body_bytes);
      const error_code error = wait(first ? work_.options_.head_within : work_.options_.idle_at_most,
                                    [&](auto done) { read(parser, done); });
      if (error) {
        refuse(error);
        return;
      }
      keep_ = parser.get().keep_alive();
      chunks_ = parser.get().version() >= 11;
      failed_ = answered_ = false;
      work_.handler_(request_of(parser.get()), *this);
      if (failed_ || !answered_ || !keep_) return;
    }
  }

  Status send(int code, const ReplyHeaders& headers, std::string body) override {
    http::response<http::string_body> response(static_cast<http::status>(code), 11);
    set_head(response, headers);
    response.body() = std::move(body);
    response.prepare_payload();
    answered_ = true;
    return written(wait(work_.options_.write_within, [&](auto done) { http::async_write(stream_, response, done); }));
  }

  Status begin(int code, const ReplyHeaders& headers, bool last) override {
    if (last || !chunks_) keep_ = false;
    http::response<http::empty_body> response(static_cast<http::status>(code), 11);
    set_head(response, headers);
    response.chunked(chunks_);
    http::response_serializer<http::empty_body> serializer(response);
    return written(
        wait(work_.options_.write_within, [&](auto done) { http::async_write_header(stream_, serializer, done); }));
  }

  Status write(std::string_view piece) override {
    if (piece.empty()) return {};
    const asio::const_buffer bytes(piece.data(), piece.size());
    return written(wait(work_.options_.write_within, [&](auto done) {
      if (chunks_) {
        asio::async_write(stream_, http::make_chunk(bytes), done);
      } else {
        asio::async_write(stream_, bytes, done);
      }
    }));
  }

  Status end() override {
    answered_ = true;
    if (!chunks_) return {};
    return written(wait(work_.options_.write_within,
                        [&](auto done) { asio::async_write(stream_, http::make_chunk_last(), done); }));
  }

  // Clients say nothing while they watch: what comes is the end of the connection.
  bool quiet_until(Ticks deadline) override {
    int running = 2;  // of the two, in the network's thread
    bool reached = false;
    asio::post(work_.io_, [&] {
      if (closed_ || work_.draining_) return baton_.give({});
      beast::get_lowest_layer(stream_).expires_never();
      auto& socket = beast::get_lowest_layer(stream_).socket();
      const auto one_done = [&] {
        if (--running == 0) baton_.give({});
      };
      timer_.expires_at(deadline);
      timer_.async_wait([&, one_done](const error_code& error) {
        reached = !error;
        error_code ignored;
        socket.cancel(ignored);
        one_done();
      });
      socket.async_wait(tcp::socket::wait_read, [&, one_done](const error_code&) {
        timer_.cancel();
        one_done();
      });
    });
    (void)baton_.take();
    if (!reached) failed_ = true;
    return reached;
  }

 private:
  // A step: between two requests the connection may be ended.
  template <class Parser, class Done>
  void read(Parser& parser, Done done) {
    busy_ = false;
    if (work_.draining_) return done(asio::error::operation_aborted);
    http::async_read(stream_, buffer_, parser, [this, done](const error_code& error, std::size_t) {
      busy_ = !error;
      done(error);
    });
  }

  bool handshake() {
    if constexpr (std::is_same_v<Stream, TlsStream>) {
      return !wait(work_.options_.head_within,
                   [&](auto done) { stream_.async_handshake(ssl::stream_base::server, done); });
    }
    return true;
  }

  // What was no request gets an answer where there is one to give.
  void refuse(const error_code& error) {
    const bool large = error == http::error::body_limit, long_head = error == http::error::header_limit;
    const bool http_error = error.category() == http::make_error_code(http::error::bad_method).category();
    if (!http_error || error == http::error::end_of_stream || error == http::error::partial_message) return;
    keep_ = false;
    const int code = large ? 413 : long_head ? 431 : 400;
    const Status sent = send(code, {{"Content-Type", "text/plain; charset=utf-8"}}, error.message() + "\n");
    (void)sent;  // it goes either way
  }

  template <class Message>
  void set_head(Message& message, const ReplyHeaders& headers) const {
    for (const auto& [name, value] : headers) message.insert(name, value);
    message.set(http::field::cache_control, "no-cache, private");
    message.set("X-Content-Type-Options", "nosniff");
    message.keep_alive(keep_);
  }

  Status written(const error_code& error) {
    if (!error) return {};
    failed_ = true;
    return fail(Errc::unavailable, "the client is gone: {}", error.message());
  }

  // Starts a step in the network's thread, and waits for its end.
  template <class Start>
  error_code wait(milliseconds at_most, Start start) {
    asio::post(work_.io_, [&] {
      if (closed_) return baton_.give(asio::error::operation_aborted);
      beast::get_lowest_layer(stream_).expires_after(at_most);
      start([this](const error_code& error, std::size_t = 0) { baton_.give(error); });
    });
    return baton_.take();
  }

  Work& work_;
  Stream stream_;
  asio::steady_timer timer_;
  beast::flat_buffer buffer_{128UL << 10U};
  Baton baton_;
  bool closed_ = false, busy_ = false;      // of the network's thread; busy: with a request
  bool keep_ = true, chunks_ = true;        // of the connection's
  bool failed_ = false, answered_ = false;  // likewise
};

void HttpListener::Work::begin(tcp::socket socket) {
  error_code ignored;
  socket.set_option(tcp::no_delay(true), ignored);
  const auto start = [this](auto connection) {
    auto* const one = connection.get();
    connections_.push_back(std::move(connection));
    open_ = connections_.size();
    one->thread = std::jthread([this, one] {
      one->serve();
      end(one);
    });
  };
  if (options_.identity != nullptr) {
    start(std::make_unique<Speaking<TlsStream>>(*this, std::move(socket), tls_));
  } else {
    start(std::make_unique<Speaking<beast::tcp_stream>>(*this, std::move(socket)));
  }
}

HttpListener::HttpListener(std::unique_ptr<Work> work) : work_(std::move(work)) {}
HttpListener::~HttpListener() = default;

Result<std::unique_ptr<HttpListener>> HttpListener::open(const ListenOptions& options, Handler handler) {
  auto work = std::make_unique<Work>(options, std::move(handler));
  TM_CHECK(work->open());
  return std::unique_ptr<HttpListener>(new HttpListener(std::move(work)));
}

bool HttpListener::drain(milliseconds at_most) { return work_->drain(at_most); }
int HttpListener::port() const { return work_->port(); }
std::size_t HttpListener::connections() const { return work_->connections(); }

void HttpListener::wait(const std::stop_token& stop) const {
  std::mutex mutex;
  std::condition_variable_any asked;
  std::unique_lock lock(mutex);
  asked.wait(lock, stop, [] { return false; });
}

}  // namespace tidemark::serve
