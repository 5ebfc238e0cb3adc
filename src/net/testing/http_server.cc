#include "net/testing/http_server.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <charconv>
#include <list>
#include <mutex>
#include <thread>

namespace tidemark::net::testing {
namespace {

// Waits until something can be read; false when asked to stop.
bool readable(int fd, const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    pollfd one{fd, POLLIN, 0};
    if (::poll(&one, 1, 20) > 0) return true;
  }
  return false;
}

// Reads until `text` holds `size` bytes; false at the end of the connection.
bool read_to(int fd, std::string& text, std::size_t size, const std::stop_token& stop) {
  while (text.size() < size) {
    char piece[64 * 1024];
    if (!readable(fd, stop)) return false;
    const ssize_t n = ::recv(fd, piece, sizeof piece, 0);
    if (n <= 0) return false;
    text.append(piece, static_cast<std::size_t>(n));
  }
  return true;
}

bool send_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::send(fd, text.data(), text.size(), MSG_NOSIGNAL);
    if (n <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

std::string_view line_of(std::string_view& text) {
  const std::size_t end = text.find("\r\n");
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end == std::string_view::npos ? text.size() : end + 2, text.size()));
  return line;
}

std::optional<Received> parse_head(std::string_view head) {
  Received request;
  const std::string_view first = line_of(head);
  const std::size_t one = first.find(' ');
  const std::size_t two = first.rfind(' ');
  if (one == std::string_view::npos || two <= one) return std::nullopt;
  request.method = first.substr(0, one);
  request.target = first.substr(one + 1, two - one - 1);
  while (!head.empty()) {
    const std::string_view line = line_of(head);
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    std::string_view value = line.substr(colon + 1);
    while (value.starts_with(' ')) value.remove_prefix(1);
    request.headers.push_back({std::string(line.substr(0, colon)), std::string(value)});
  }
  return request;
}

void wait_for(std::chrono::milliseconds time) {
  if (time.count() > 0) std::this_thread::sleep_for(time);
}

// False: the connection is over.
bool answer(int fd, const Received& request, const Reply& reply) {
  wait_for(reply.wait);
  if (reply.drop) return false;
  std::string head = fmt::format("HTTP/1.1 {} Said\r\n", reply.status);
  for (const Header& h : reply.headers) head += h.name + ": " + h.value + "\r\n";
  if (header_value(reply.headers, "Content-Length").empty()) {
    head += fmt::format("Content-Length: {}\r\n", reply.body.size());
  }
  if (!send_all(fd, head + "\r\n")) return false;
  if (request.method == "HEAD") return true;
  std::string_view body = reply.body;
  const bool cut = reply.cut_after < body.size();
  body = body.substr(0, reply.cut_after);
  if (reply.wait_in_body.count() > 0 && !body.empty()) {
    if (!send_all(fd, body.substr(0, 1))) return false;
    wait_for(reply.wait_in_body);
    body.remove_prefix(1);
  }
  return send_all(fd, body) && !cut;
}

}  // namespace

class HttpServer::Work {
 public:
  explicit Work(Handler handler) : handler_(std::move(handler)), fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    auto* address = reinterpret_cast<sockaddr*>(&at);
    EXPECT_EQ(::bind(fd_, address, size), 0);
    EXPECT_EQ(::listen(fd_, 64), 0);
    EXPECT_EQ(::getsockname(fd_, address, &size), 0);
    port_ = ntohs(at.sin_port);
    acceptor_ = std::jthread([this](const std::stop_token& stop) { accept_all(stop); });
  }
  ~Work() {
    acceptor_.request_stop();
    acceptor_.join();
    for (std::jthread& connection : connections_) connection.request_stop();
    connections_.clear();
    ::close(fd_);
  }
  Work(const Work&) = delete;
  Work& operator=(const Work&) = delete;

  int port() const { return port_; }
  std::atomic<int> accepted{0}, requests{0};

 private:
  void accept_all(const std::stop_token& stop) {
    while (readable(fd_, stop)) {
      const int fd = ::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) continue;
      ++accepted;
      const int on = 1;
      ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      connections_.emplace_back([this, fd](const std::stop_token& end) {
        serve(fd, end);
        ::close(fd);
      });
    }
  }
  void serve(int fd, const std::stop_token& stop) {
    std::string text;
    for (;;) {
      std::size_t end = text.find("\r\n\r\n");
      while (end == std::string::npos) {
        if (!read_to(fd, text, text.size() + 1, stop)) return;
        end = text.find("\r\n\r\n");
      }
      auto request = parse_head(std::string_view(text).substr(0, end + 2));
      if (!request) return;
      text.erase(0, end + 4);
      const std::string_view length = request->header("Content-Length");
      std::size_t size = 0;
      std::from_chars(length.data(), length.data() + length.size(), size);
      if (!read_to(fd, text, size, stop)) return;
      request->body = text.substr(0, size);
      text.erase(0, size);
      ++requests;
      if (!answer(fd, *request, handler_(*request))) return;
    }
  }

  Handler handler_;
  int fd_;
  int port_ = 0;
  std::list<std::jthread> connections_;  // by the acceptor, then by the destructor
  std::jthread acceptor_;
};

HttpServer::HttpServer(Handler handler) : work_(std::make_unique<Work>(std::move(handler))) {}
HttpServer::~HttpServer() = default;
std::string HttpServer::url() const { return fmt::format("http://127.0.0.1:{}", work_->port()); }
int HttpServer::port() const { return work_->port(); }
int HttpServer::connections() const { return work_->accepted; }
int HttpServer::requests() const { return work_->requests; }

}  // namespace tidemark::net::testing
