#include "link/kube_pod_exec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "net/testing/web_socket_server.h"

namespace tidemark::link {
namespace {

using namespace std::chrono_literals;
using net::testing::Talk;
using net::testing::WebSocketServer;
using ::testing::HasSubstr;

constexpr const char* kSuccess = R"({"metadata":{},"status":"Success"})";

std::string failure(std::string_view reason, std::string_view cause, std::string_view said) {
  return nlohmann::json{{"status", "Failure"},
                        {"reason", reason},
                        {"message", "command terminated"},
                        {"details", {{"causes", {{{"reason", cause}, {"message", said}}}}}}}
      .dump();
}

std::string on(char channel, std::string_view text) { return channel + std::string(text); }

struct Ran {
  Result<int> code = 0;
  std::string out, err;
};

Ran run(const WebSocketServer& server, KubePodCommand command) {
  KubeAccess access;
  access.server = server.url();
  KubeClient client(std::move(access), {.call_within = 5s, .retry = {.first_wait = 1ms}});
  command.name_space = "shop";
  command.pod = "db-0";
  command.container = "main";
  Ran ran;
  const auto into = [](std::string& text) {
    return [&text](Bytes bytes) -> Status {
      text += as_text(bytes);
      return {};
    };
  };
  ran.code = client.exec(command, {.out = into(ran.out), .err = into(ran.err)});
  return ran;
}

TEST(KubePodExec, OutputsAndExitStatusComeApart) {
  WebSocketServer server([](Talk& talk) {
    talk.send(on('\1', ""));  // servers open each channel by an empty message
    talk.send(on('\1', "one "));
    talk.send(on('\2', "trouble"));
    talk.send(on('\1', "two"));
    talk.send(on('\3', failure("NonZeroExitCode", "ExitCode", "42")));
    talk.close();
  });
  const Ran ran = run(server, {.command = {"sh", "-c", "a b&c"}});
  ASSERT_TRUE(ran.code) << ran.code.error().what;
  EXPECT_EQ(*ran.code, 42);
  EXPECT_EQ(ran.out, "one two");
  EXPECT_EQ(ran.err, "trouble");
  EXPECT_EQ(server.target(),
            "/api/v1/namespaces/shop/pods/db-0/exec?stdout=true&stderr=true&container=main&command=sh&command=-c&"
            "command=a%20b%26c");
  EXPECT_EQ(server.offered(), "v5.channel.k8s.io, v4.channel.k8s.io");
  EXPECT_EQ(server.agent(), "tidemark");
}

TEST(KubePodExec, InputIsSentAndEnded) {
  std::string input(3UL << 20U, 'x');
  for (std::size_t i = 0; i < input.size(); i += 997) input[i] = static_cast<char>('a' + i % 26);
  // Sends back all that it gets before it reads on: both sides write at once.
  WebSocketServer server([](Talk& talk) {
    for (std::string message; talk.read(message);) {
      if (message == "\xff" + std::string(1, '\0')) break;
      talk.send(on('\1', std::string_view(message).substr(1)));
      talk.send(on('\2', std::string_view(message).substr(1)));
    }
    talk.send(on('\3', kSuccess));
    talk.close();
  });
  const Ran ran = run(server, {.command = {"cat"}, .input = as_bytes(input)});
  ASSERT_TRUE(ran.code) << ran.code.error().what;
  EXPECT_EQ(*ran.code, 0);
  EXPECT_TRUE(ran.out == input);
  EXPECT_TRUE(ran.err == input);
  EXPECT_THAT(server.target(), HasSubstr("?stdin=true&stdout=true&stderr=true&container=main&command=cat"));
}

TEST(KubePodExec, AnOlderServerSpeaksTheOlderProtocol) {
  WebSocketServer server(
      [](Talk& talk) {
        talk.send(on('\3', kSuccess));
        talk.close();
      },
      {.protocol = "v4.channel.k8s.io"});
  EXPECT_EQ(run(server, {.command = {"true"}}).code.value_or(-1), 0);
  const Ran ran = run(server, {.command = {"cat"}, .input = Bytes()});
  ASSERT_FALSE(ran.code);
  EXPECT_EQ(ran.code.error().code, Errc::unsupported);
  EXPECT_THAT(ran.code.error().what, HasSubstr("input needs v5.channel.k8s.io, and this server speaks v4"));
}

TEST(KubePodExec, WhatGoesWrongIsTold) {
  struct Row {
    const char* what;
    std::function<void(Talk&)> says;
    Errc code;
    const char* told;
    const char* hint = "";
  };
  const char* const look = "it was started, and may still run or be done: look before doing it again";
  for (const Row& row : std::vector<Row>{
           {"no such program",
            [](Talk& talk) {
              talk.send(on('\3', R"({"status":"Failure","reason":"InternalError","message":"exec: no such file"})"));
              talk.close();
            },
            Errc::invalid, "run 'sh' in pod 'shop/db-0': 500 InternalError: exec: no such file"},
           {"no status", [](Talk& talk) { talk.close(); }, Errc::unavailable, "closed before the command's end", look},
           {"half a status",
            [](Talk& talk) {
              talk.send(on('\3', R"({"status":"Succ)"));
              talk.close();
            },
            Errc::corrupt, "something else than a Status"},
           {"an exit status that is no number",
            [](Talk& talk) {
              talk.send(on('\3', failure("NonZeroExitCode", "ExitCode", "4x")));
              talk.close();
            },
            Errc::invalid, "NonZeroExitCode"},
           {"cut", [](Talk& talk) { talk.cut(); }, Errc::unavailable, "the connection ended in the middle", look},
           {"cut within a message", [](Talk& talk) { talk.raw(std::string("\x82\x7e\x10\x00half", 8)); },
            Errc::unavailable, "the connection ended in the middle", look},
           {"a masked message", [](Talk& talk) { talk.raw(std::string("\x82\x81\x01\x02\x03\x04\x05", 7)); },
            Errc::corrupt, "read"},
           {"a message of eight exabytes",
            [](Talk& talk) { talk.raw(std::string("\x82\x7f\x7f\xff\xff\xff\xff\xff\xff\xff", 10)); }, Errc::corrupt,
            "read"},
           {"a channel that there is not", [](Talk& talk) { talk.send(on('\7', "?")); }, Errc::corrupt,
            "a message for channel 7"},
       }) {
    WebSocketServer server(row.says);
    const Ran ran = run(server, {.command = {"sh"}});
    ASSERT_FALSE(ran.code) << row.what;
    EXPECT_EQ(ran.code.error().code, row.code) << row.what << ": " << ran.code.error().what;
    EXPECT_THAT(ran.code.error().what, HasSubstr(row.told)) << row.what;
    EXPECT_EQ(ran.code.error().hint, row.hint) << row.what;
    EXPECT_EQ(server.connections(), 1) << row.what << ": what may have run is not run again";
  }
}

TEST(KubePodExec, ARefusalIsTheServersOwn) {
  struct Row {
    int status;
    const char* reason;
    Errc code;
  };
  for (const Row& row : {Row{403, "Forbidden", Errc::denied}, Row{404, "NotFound", Errc::not_found},
                         Row{400, "BadRequest", Errc::invalid}}) {
    const std::string body = nlohmann::json{
        {"kind", "Status"},
        {"status", "Failure"},
        {"reason", row.reason},
        {"message", "not like that"},
        {"code", row.status}}.dump();
    WebSocketServer server([](Talk&) {}, {.refuse = row.status, .body = body});
    const Ran ran = run(server, {.command = {"sh"}});
    ASSERT_FALSE(ran.code) << row.status;
    EXPECT_EQ(ran.code.error().code, row.code);
    EXPECT_THAT(ran.code.error().what,
                HasSubstr(fmt::format("run 'sh' in pod 'shop/db-0': {} {}: not like that", row.status, row.reason)));
  }
  // A server that is too busy has not begun.
  WebSocketServer busy(
      [](Talk& talk) {
        talk.send(on('\3', kSuccess));
        talk.close();
      },
      {.refuse = 429, .times = 2});
  EXPECT_EQ(run(busy, {.command = {"true"}}).code.value_or(-1), 0);
  EXPECT_EQ(busy.connections(), 3);
}

TEST(KubePodExec, ItEndsInTimeAndWhenAsked) {
  WebSocketServer silent([](Talk& talk) {
    for (std::string message; talk.read(message);) {
    }
  });
  KubeAccess access;
  access.server = silent.url();
  KubeClient client(std::move(access), {.call_within = 200ms});
  const KubePodCommand sleep{
      .name_space = "shop", .pod = "db-0", .container = "main", .command = {"sleep"}, .within = 100ms};
  const auto late = client.exec(sleep, {});
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, Errc::timeout) << late.error().what;
  WebSocketServer begins([](Talk& talk) {
    talk.send(on('\1', "begun"));
    for (std::string message; talk.read(message);) {
    }
  });
  KubeAccess other;
  other.server = begins.url();
  KubeClient patient(std::move(other));
  std::stop_source stop;
  const auto asked = patient.exec({.name_space = "shop", .pod = "db-0", .container = "main", .command = {"sleep"}},
                                  {.out = [&](Bytes) -> Status {
                                    stop.request_stop();
                                    return {};
                                  }},
                                  stop.get_token());
  ASSERT_FALSE(asked);
  EXPECT_EQ(asked.error().code, Errc::cancelled) << asked.error().what;
  for (const KubePodCommand& bad :
       {KubePodCommand{.name_space = "shop", .pod = "db-0"}, KubePodCommand{.name_space = "shop", .command = {"x"}},
        KubePodCommand{.name_space = "../..", .pod = "a/b", .command = {"x"}}}) {
    const auto refused = client.exec(bad, {});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::invalid) << refused.error().what;
  }
}

}  // namespace
}  // namespace tidemark::link
