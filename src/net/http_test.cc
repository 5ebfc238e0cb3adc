#include "net/http.h"

#include <gtest/gtest.h>

#include <charconv>
#include <thread>

#include "net/testing/http_server.h"

namespace tidemark::net {
namespace {

using namespace std::chrono_literals;
using testing::HttpServer;
using testing::Received;
using testing::Reply;

Result<std::string> body_of(Result<Response> response) {
  TM_LET(Response got, std::move(response));
  TM_LET(const Buffer body, io::read_all(got, 100UL << 20U));
  return std::string(as_text(body));
}

// Says what it heard.
Reply echo(const Received& r) {
  return {.headers = {{"X-Method", r.method}, {"X-Target", r.target}, {"X-Host", std::string(r.header("host"))}},
          .body = r.body};
}

TEST(Http, EveryMethodWithAndWithoutABodyArrivesAsItWasMeant) {
  const HttpServer server(echo);
  Client client({.proxy = ""});
  for (const char* method : {"GET", "PUT", "POST", "DELETE", "PATCH"}) {
    for (const std::string& body : {std::string(), std::string("hello"), std::string(3 << 20U, 'x')}) {
      auto response =
          client.send({.method = method, .url = server.url() + "/a%2Fb/../c?x=%20", .body = as_bytes(body)});
      ASSERT_TRUE(response) << method << ": " << response.error().what;
      EXPECT_EQ(response->status(), 200);
      EXPECT_EQ(response->header("x-METHOD"), method);
      EXPECT_EQ(response->header("X-Target"), "/a%2Fb/../c?x=%20");  // what is signed is what is sent
      EXPECT_EQ(body_of(std::move(response)), body) << method;
    }
  }
  EXPECT_EQ(server.connections(), 1);  // used again
  EXPECT_EQ(client.traffic().requests, 15U);
  EXPECT_EQ(client.traffic().failures, 0U);
}

// A server that did what it was told and then fell silent must not be told again by the client alone.
TEST(Http, NoRequestIsSentTwice) {
  std::atomic<bool> drop{false};
  const HttpServer server([&](const Received&) { return Reply{.drop = drop}; });
  Client client({.proxy = ""});
  for (const char* method : {"PUT", "DELETE", "GET", "HEAD"}) {
    drop = false;
    ASSERT_TRUE(client.send({.method = method, .url = server.url()}));  // a connection that is used again
    const int requests = server.requests();
    drop = true;
    const auto lost = client.send({.method = method, .url = server.url()});
    ASSERT_FALSE(lost);
    EXPECT_EQ(lost.error().code, Errc::unavailable) << lost.error().what;
    EXPECT_EQ(server.requests(), requests + 1) << method;
  }
}

TEST(Http, HeadHasALengthAndNoBody) {
  const HttpServer server([](const Received&) { return Reply{.body = "12345"}; });
  Client client({.proxy = ""});
  auto response = client.send({.method = "HEAD", .url = server.url()});
  ASSERT_TRUE(response);
  EXPECT_EQ(response->content_length(), 5U);
  EXPECT_EQ(body_of(std::move(response)), "");
}

TEST(Http, ABodyComesFromASourceAndItsFailureIsTold) {
  const HttpServer server(echo);
  Client client({.proxy = ""});
  const std::string text(1 << 20U, 'y');
  const auto open = [&]() -> Result<std::unique_ptr<io::Source>> {
    return std::make_unique<io::BytesSource>(as_bytes(text));
  };
  EXPECT_EQ(body_of(client.send({.method = "PUT", .url = server.url(), .open_body = open, .body_size = text.size()})),
            text);
  const auto too_short =
      client.send({.method = "PUT", .url = server.url(), .open_body = open, .body_size = text.size() + 1});
  ASSERT_FALSE(too_short);
  EXPECT_EQ(too_short.error().code, Errc::io);
  const auto broken = client.send(
      {.method = "PUT",
       .url = server.url(),
       .open_body = []() -> Result<std::unique_ptr<io::Source>> { return fail(Errc::no_space, "no body today"); },
       .body_size = 3});
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().code, Errc::no_space);
  EXPECT_EQ(body_of(client.send({.url = server.url()})), "");  // the client is still good
}

TEST(Http, AStatusIsNoFailure) {
  const HttpServer server([](const Received& r) {
    int status = 0;
    std::from_chars(r.target.data() + 1, r.target.data() + r.target.size(), status);
    return Reply{.status = status, .headers = {{"Location", "http://127.0.0.1:1/"}}, .body = "why"};
  });
  Client client({.proxy = ""});
  for (const int status : {200, 206, 301, 307, 400, 401, 403, 404, 412, 416, 429, 500, 503}) {
    auto response = client.send({.url = fmt::format("{}/{}", server.url(), status)});
    ASSERT_TRUE(response) << status;
    EXPECT_EQ(response->status(), status);
    EXPECT_EQ(body_of(std::move(response)), "why");
  }
}

TEST(Http, ACutAnswerNeverLooksWhole) {
  const std::string text(300'000, 'z');
  for (const std::size_t at : {std::size_t{0}, std::size_t{1}, std::size_t{70'000}, text.size() - 1}) {
    const HttpServer server([&](const Received&) { return Reply{.body = text, .cut_after = at}; });
    Client client({.proxy = ""});
    const auto body = body_of(client.send({.url = server.url()}));
    ASSERT_FALSE(body) << at;
    EXPECT_EQ(body.error().code, Errc::unavailable) << at;
  }
}

TEST(Http, WhatIsWrongHasItsOwnCode) {
  const HttpServer drops([](const Received&) { return Reply{.drop = true}; });
  const HttpServer silent([](const Received&) { return Reply{.wait = 300ms}; });
  const HttpServer stalls([](const Received&) { return Reply{.body = "abc", .wait_in_body = 300ms}; });
  struct Row {
    const char* what;
    Request request;
    Errc code;
  };
  const Row rows[] = {
      {"dropped", {.url = drops.url()}, Errc::unavailable},
      {"refused", {.url = "http://127.0.0.1:1/"}, Errc::unavailable},
      {"no such host", {.url = "http://no-such-host.invalid/"}, Errc::unavailable},
      {"no TLS there", {.url = "https" + drops.url().substr(4), .connect_within = 100ms}, Errc::unavailable},
      {"silence", {.url = silent.url(), .silence = 50ms}, Errc::timeout},
      {"silence in the body", {.url = stalls.url(), .silence = 100ms}, Errc::timeout},
      {"deadline", {.url = silent.url(), .deadline = 50ms}, Errc::timeout},
      {"deadline in the body", {.url = stalls.url(), .deadline = 100ms}, Errc::timeout},
      {"scheme", {.url = "file:///etc/passwd"}, Errc::invalid},
      {"no URL", {.url = "http://"}, Errc::invalid},
      {"line break in the URL", {.url = drops.url() + "/a\r\nX: y"}, Errc::invalid},
      {"line break in a header", {.url = drops.url(), .headers = {{"A", "b\r\nX: y"}}}, Errc::invalid},
      {"colon in a header's name", {.url = drops.url(), .headers = {{"A: b", "c"}}}, Errc::invalid},
  };
  for (const Row& row : rows) {
    Client client({.proxy = ""});
    const auto body = body_of(client.send(row.request));
    ASSERT_FALSE(body) << row.what;
    EXPECT_EQ(body.error().code, row.code) << row.what << ": " << body.error().what;
  }
}

TEST(Http, AQueryMayHoldASecretAndIsNotRepeated) {
  Client client({.proxy = ""});
  const auto failed = client.send({.url = "http://127.0.0.1:1/x?signature=hush"});
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().what.find("hush"), std::string::npos) << failed.error().what;
  EXPECT_NE(failed.error().what.find("127.0.0.1:1/x"), std::string::npos) << failed.error().what;
}

TEST(Http, StopEndsTheWait) {
  const HttpServer stalls([](const Received&) { return Reply{.body = "abc", .wait_in_body = 300ms}; });
  Client client({.proxy = ""});
  std::stop_source stop;
  auto response = client.send({.url = stalls.url()}, stop.get_token());
  ASSERT_TRUE(response);
  std::jthread stopper([&] { stop.request_stop(); });
  const auto body = body_of(std::move(response));
  ASSERT_FALSE(body);
  EXPECT_EQ(body.error().code, Errc::cancelled);
  EXPECT_EQ(client.send({.url = stalls.url()}, stop.get_token()).error().code, Errc::cancelled);
}

TEST(Http, WhatIsNotReadWaitsOnTheWire) {
  const std::string text(8 << 20U, 'q');
  const HttpServer server([&](const Received&) { return Reply{.body = text}; });
  Client client({.proxy = "", .buffer_bytes = 64 << 10U});
  auto response = client.send({.url = server.url()});
  ASSERT_TRUE(response);
  Buffer piece(1000);
  ASSERT_TRUE(response->read(piece));
  EXPECT_LT(client.traffic().received_bytes, 1U << 20U);
  const auto rest = io::read_all(*response, text.size());
  ASSERT_TRUE(rest);
  EXPECT_EQ(rest->size(), text.size() - piece.size());
}

TEST(Http, ManyThreadsAndAnAnswerThatOutlivesItsClient) {
  const HttpServer server(echo);
  std::optional<Client> client(std::in_place, ClientOptions{.proxy = ""});
  std::atomic<int> good{0};
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 8; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < 20; ++i) {
          const std::string body = fmt::format("{} {}", t, i);
          if (body_of(client->send({.method = "PUT", .url = server.url(), .body = as_bytes(body)})) == body) ++good;
        }
      });
    }
  }
  EXPECT_EQ(good, 160);
  EXPECT_LE(server.connections(), 8);
  auto response = client->send({.method = "PUT", .url = server.url(), .body = as_bytes("late")});
  client.reset();
  EXPECT_EQ(body_of(std::move(response)), "late");
}

TEST(Http, AProxyIsAskedUnlessTheHostIsExempt) {
  const HttpServer proxy([](const Received& r) { return Reply{.body = "proxied " + r.target}; });
  const HttpServer server(echo);
  Client through({.proxy = proxy.url()});
  EXPECT_EQ(body_of(through.send({.url = "http://store.invalid/x"})), "proxied http://store.invalid/x");
  Client around({.proxy = proxy.url(), .no_proxy = "127.0.0.1"});
  EXPECT_EQ(body_of(around.send({.method = "PUT", .url = server.url(), .body = as_bytes("direct")})), "direct");
}

}  // namespace
}  // namespace tidemark::net
