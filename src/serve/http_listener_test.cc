#include "serve/http_listener.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "io/file.h"
#include "net/http.h"

namespace tidemark::serve {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// What is sent comes back; some paths do more.
void echo(const Request& request, Reply& reply) {
  if (request.target == "/stream") {
    if (!reply.begin(200, {{"Content-Type", "text/plain"}}, /*last=*/false)) return;
    for (int i = 0; i < 100; i++) {
      if (!reply.write(std::string(1000, static_cast<char>('a' + i % 26)))) return;
    }
    (void)reply.end();
    return;
  }
  if (request.target == "/quiet") {
    if (!reply.begin(200, {{"Content-Type", "text/plain"}}, /*last=*/true)) return;
    if (!reply.write("begun\n")) return;
    if (!reply.quiet_until(system_clock().ticks() + 100ms)) return;
    (void)reply.end();
    return;
  }
  if (request.target == "/long") {
    if (!reply.begin(200, {{"Content-Type", "text/plain"}}, /*last=*/true)) return;
    if (!reply.write("begun\n")) return;
    (void)reply.quiet_until(system_clock().ticks() + 1h);
    return;
  }
  (void)reply.send(200, {{"Warning", "299 - \"x\""}}, request.method + " " + request.target + " " + request.body);
}

Result<std::string> read_whole(net::Response response) {
  TM_LET(const Buffer body, io::read_all(response, 1U << 20U));
  return std::string(as_text(body));
}

class ListenerTest : public ::testing::Test {
 protected:
  void open(ListenOptions options = {}, bool tls = false) {
    if (tls) {
      identity_ = crypto::make_server_identity(std::vector<std::string>{"127.0.0.1"}, system_clock().now(),
                                               std::chrono::days(1))
                      .value();
      options.identity = &identity_;
    }
    auto opened = HttpListener::open(options, [this](const Request& request, Reply& reply) {
      asked_++;
      if (request.target == "/held") {
        if (!reply.begin(200, {}, /*last=*/false) || !reply.write("who")) return;
        held_.wait(1);
        if (reply.write("le")) (void)reply.end();
        return;
      }
      echo(request, reply);
    });
    ASSERT_TRUE(opened) << opened.error().what;
    listener_ = *std::move(opened);
    url_ = fmt::format("{}://127.0.0.1:{}", tls ? "https" : "http", listener_->port());
  }
  // Bytes as they are, and everything that comes back.
  std::string raw(std::string_view bytes) const {
    const io::Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(static_cast<std::uint16_t>(listener_->port()));
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0) return "not connected";
    if (::send(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(bytes.size())) return "";
    std::string answer;
    char piece[4096];
    for (ssize_t n = 0; (n = ::recv(fd.get(), piece, sizeof piece, 0)) > 0;) {
      answer.append(piece, static_cast<std::size_t>(n));
    }
    return answer;
  }
  void until(const std::function<bool()>& holds) const {
    for (int i = 0; i < 6000 && !holds(); i++) std::this_thread::sleep_for(10ms);
    EXPECT_TRUE(holds());
  }

  crypto::ServerIdentity identity_;
  static constexpr std::chrono::milliseconds kLong = 2min;
  std::atomic<int> asked_ = 0, held_ = 0;
  std::unique_ptr<HttpListener> listener_;
  std::string url_;
};

TEST_F(ListenerTest, AnswersOverTls) {
  open({}, /*tls=*/true);
  net::Client client({.proxy = "", .ca_pem = identity_.authority, .only_these_authorities = true});
  for (int i = 0; i < 3; i++) {
    auto response =
        client.send({.method = "POST", .url = url_ + "/a?b=c", .body = as_bytes(std::string_view("hello"))});
    ASSERT_TRUE(response) << response.error().what;
    EXPECT_EQ(response->header("warning"), "299 - \"x\"");
    EXPECT_EQ(read_whole(*std::move(response)).value(), "POST /a?b=c hello");
  }
  net::Client stranger({.proxy = "", .only_these_authorities = false});
  const auto refused = stranger.send({.url = url_ + "/a"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::denied);
}

TEST_F(ListenerTest, Streams) {
  for (const bool tls : {false, true}) {
    open({}, tls);
    net::Client client({.proxy = "", .ca_pem = tls ? identity_.authority : ""});
    auto response = client.send({.url = url_ + "/stream"});
    ASSERT_TRUE(response) << response.error().what;
    EXPECT_EQ(read_whole(*std::move(response)).value().size(), 100'000U);
    response = client.send({.url = url_ + "/quiet"});
    ASSERT_TRUE(response) << response.error().what;
    EXPECT_EQ(read_whole(*std::move(response)).value(), "begun\n");
  }
}

TEST_F(ListenerTest, SeesThatAWatcherIsGone) {
  for (const bool tls : {false, true}) {
    open({}, tls);
    net::Client client({.proxy = "", .ca_pem = tls ? identity_.authority : ""});
    {
      auto response = client.send({.url = url_ + "/long"});
      ASSERT_TRUE(response) << response.error().what;
      EXPECT_EQ(listener_->connections(), 1U);
    }  // here it goes
    until([&] { return listener_->connections() == 0; });
  }
}

TEST_F(ListenerTest, StopsWhileSomebodyWatches) {
  open({}, /*tls=*/true);
  net::Client client({.proxy = "", .ca_pem = identity_.authority});
  auto response = client.send({.url = url_ + "/long"});
  ASSERT_TRUE(response) << response.error().what;
  listener_.reset();
  EXPECT_FALSE(read_whole(*std::move(response)));
}

// Who is being answered gets the rest; who is idle or watches does not hold it up, and nobody new comes in.
TEST_F(ListenerTest, DrainsWhatIsBeingAnswered) {
  for (const bool tls : {false, true}) {
    open({}, tls);
    const std::string authority = tls ? identity_.authority : "";
    net::Client client({.proxy = "", .ca_pem = authority}), watcher({.proxy = "", .ca_pem = authority});
    ASSERT_TRUE(client.send({.url = url_ + "/a"}));  // kept open
    auto watch = watcher.send({.url = url_ + "/long"});
    ASSERT_TRUE(watch) << watch.error().what;
    const int before = asked_;
    held_ = 1;
    std::atomic<bool> drained = false;
    std::jthread draining;
    std::string answer;
    {
      const std::jthread slow([&] {
        net::Client other({.proxy = "", .ca_pem = authority});
        auto response = other.send({.url = url_ + "/held"});
        if (response) answer = read_whole(*std::move(response)).value_or("cut");
      });
      until([&] { return asked_ == before + 1; });
      draining = std::jthread([&] { drained = listener_->drain(kLong); });
      until([&] { return listener_->connections() == 1; });  // the one that is being answered
      EXPECT_EQ(raw("GET / HTTP/1.1\r\n\r\n"), "not connected");
      EXPECT_FALSE(drained);
      held_ = 0;
      held_.notify_all();
    }
    EXPECT_EQ(answer, "whole");
    draining.join();
    EXPECT_TRUE(drained);
    EXPECT_FALSE(read_whole(*std::move(watch)));
  }
}

TEST_F(ListenerTest, DrainsOnlySoLong) {
  open();
  held_ = 1;
  const std::jthread slow([url = url_] {
    net::Client client({.proxy = ""});
    (void)client.send({.url = url + "/held"});
  });
  until([&] { return asked_ == 1; });
  EXPECT_FALSE(listener_->drain(20ms));
  held_ = 0;
  held_.notify_all();
  EXPECT_TRUE(listener_->drain(kLong));
  EXPECT_TRUE(listener_->drain(0ms));  // nothing is left to wait for
}

TEST_F(ListenerTest, MoreConnectionsWaitForTheirTurn) {
  open({.most_connections = 2});
  net::Client client({.proxy = ""});
  auto one = client.send({.url = url_ + "/long"}), two = client.send({.url = url_ + "/long"});
  ASSERT_TRUE(one && two);
  std::atomic<bool> answered = false;
  const std::jthread third([&] { answered = client.send({.url = url_ + "/a"}).has_value(); });
  // It cannot be shown that it never comes; that it comes only behind another's end can.
  EXPECT_EQ(listener_->connections(), 2U);
  EXPECT_EQ(asked_, 2);
  EXPECT_FALSE(answered);
  one = std::unexpected(Error{Errc::cancelled, "gone", ""});
  until([&] { return answered.load(); });
}

TEST_F(ListenerTest, RefusesWhatIsNoRequest) {
  open({.most_head_bytes = 2000, .most_body_bytes = 100});
  struct Row {
    std::string bytes;
    const char* answer;
  };
  const Row rows[] = {
      {"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "HTTP/1.1 200 OK"},
      {"GET / HTTP/1.0\r\nHost: a\r\n\r\n", "HTTP/1.1 200 OK"},
      {"GET /stream HTTP/1.0\r\n\r\n", "HTTP/1.1 200 OK"},
      {"nonsense\r\n\r\n", "HTTP/1.1 400"},
      {"GET / HTTP/9.9\r\n\r\n", "HTTP/1.1 400"},
      {"GET / HTTP/1.1\r\nHost a\r\n\r\n", "HTTP/1.1 400"},
      {"GET / HTTP/1.1\r\nX: a\rb\r\n\r\n", "HTTP/1.1 400"},
      {"GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n", "HTTP/1.1 400"},
      {"POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.1 400"},
      {"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "HTTP/1.1 400"},
      {"GET / HTTP/1.1\r\nX: " + std::string(3000, 'x') + "\r\n\r\n", "HTTP/1.1 431"},
      {"GET /" + std::string(3000, 'x') + " HTTP/1.1\r\n\r\n", "HTTP/1.1 431"},
      {"POST / HTTP/1.1\r\nContent-Length: 101\r\n\r\n" + std::string(101, 'x'), "HTTP/1.1 413"},
      {"POST / HTTP/1.1\r\nContent-Length: 18446744073709551615\r\n\r\n", "HTTP/1.1 413"},
      {"\x16\x03\x01\x02", "HTTP/1.1 400"},  // TLS where there is none
  };
  for (const Row& row : rows) {
    EXPECT_THAT(raw(row.bytes), StartsWith(row.answer)) << row.bytes.substr(0, 60);
  }
  EXPECT_EQ(asked_, 3);
}

TEST_F(ListenerTest, WaitsOnlySoLong) {
  open({.head_within = 50ms, .idle_at_most = 50ms});
  EXPECT_EQ(raw("GET / HTTP/1.1\r\nHost:"), "");
  EXPECT_EQ(raw(""), "");
  EXPECT_THAT(raw("GET / HTTP/1.1\r\n\r\n"), HasSubstr("GET / "));  // kept open, and closed when nothing comes
}

TEST_F(ListenerTest, RefusesToOpen) {
  open();
  const auto other = [&](const ListenOptions& options) { return HttpListener::open(options, echo); };
  auto taken = other({.port = listener_->port()});
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code, Errc::conflict) << taken.error().what;
  EXPECT_EQ(other({.address = "localhost"}).error().code, Errc::invalid);
  EXPECT_EQ(other({.address = ""}).error().code, Errc::invalid);
  const crypto::ServerIdentity none{.authority = "", .certificate = "x", .key = {}};
  EXPECT_EQ(other({.identity = &none}).error().code, Errc::invalid);
}

}  // namespace
}  // namespace tidemark::serve
