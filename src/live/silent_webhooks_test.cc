#include "live/silent_webhooks.h"

#include <gtest/gtest.h>

namespace tidemark::live {
namespace {

TEST(SilentWebhooks, AreNamedByTheServersWords) {
  const std::pair<const char*, const char*> rows[] = {
      {R"(create configmaps a/b: 500 InternalError: Internal error occurred: failed calling webhook "gate.example.com": failed to call webhook: Post "https://x.y.svc:443/": service "x" not found)",
       "gate.example.com"},
      {R"(failed calling webhook "a"; no further details available)", "a"},
      {R"(failed calling webhook ")", ""},
      {R"(failed calling webhook "unended)", ""},
      {R"(admission webhook "gate.example.com" denied the request: no)", ""},
      {"", ""},
  };
  for (const auto& [said, name] : rows) {
    EXPECT_EQ(silent_webhook_in({Errc::unavailable, said, ""}), name) << said;
  }
}

TEST(SilentWebhooks, TheWayAroundNamesWhatIsKnown) {
  EXPECT_EQ(way_around({.name = "gate", .configuration = "w/c", .backend = "services a/b", .refused = 2}),
            "webhook gate of w/c stands in the way of 2 objects and nobody answers it: bring back services a/b, or set "
            "its failurePolicy to Ignore for the time");
  EXPECT_EQ(way_around({.name = "gate", .refused = 1}),
            "webhook gate stands in the way of 1 object and nobody answers it: bring back who should, or set its "
            "failurePolicy to Ignore for the time");
}

}  // namespace
}  // namespace tidemark::live
