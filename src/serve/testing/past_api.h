// The API over the snapshot of a real cluster (testdata/kubernetes-1.36), without a wire: a request in, an answer out.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/testing/fake_clock.h"
#include "base/testing/source_dir.h"
#include "io/file.h"
#include "restore/origin.h"
#include "serve/api.h"

namespace tidemark::serve::testing {

inline constexpr Revision kFixtureRevision{1940};
inline constexpr const char* kHost = "127.0.0.1:8001";
inline constexpr const char* kToken = "secret";

// What a handler said. A wait moves the clock, and gone_after waits the client goes away.
class RecordedReply final : public Reply {
 public:
  explicit RecordedReply(tidemark::testing::FakeClock& clock) : clock_(clock) {}
  Status send(int status, const ReplyHeaders& with, std::string text) override {
    code = status;
    headers = with;
    body = std::move(text);
    ended = true;
    return {};
  }
  Status begin(int status, const ReplyHeaders& with, bool last_one) override {
    code = status;
    headers = with;
    last = last_one;
    return {};
  }
  Status write(std::string_view piece) override {
    if (cut_after-- == 0) return fail(Errc::unavailable, "the client is gone");
    pieces++;
    body += piece;
    return {};
  }
  Status end() override {
    ended = true;
    return {};
  }
  bool quiet_until(Ticks deadline) override {
    if (waits++ >= gone_after) return false;
    clock_.advance(deadline - clock_.ticks());
    return true;
  }

  std::vector<std::string> all(std::string_view name) const {
    std::vector<std::string> values;
    for (const auto& [header, value] : headers) {
      if (header == name) values.push_back(value);
    }
    return values;
  }
  nlohmann::json json() const { return nlohmann::json::parse(body, nullptr, false); }
  // Of a watch: a line each.
  std::vector<nlohmann::json> events() const {
    std::vector<nlohmann::json> all;
    for (std::size_t at = 0; at < body.size();) {
      const std::size_t end = std::min(body.find('\n', at), body.size());
      all.push_back(nlohmann::json::parse(body.substr(at, end - at), nullptr, false));
      at = end + 1;
    }
    return all;
  }

  int code = 0, waits = 0, gone_after = 1000, cut_after = -1, pieces = 0;
  bool ended = false, last = false;
  ReplyHeaders headers;
  std::string body;

 private:
  tidemark::testing::FakeClock& clock_;
};

class PastApi {
 public:
  // `snapshot`: empty: the fixture. Fails the test by a null pointer where it cannot be read.
  static std::unique_ptr<PastApi> open(const io::Path& snapshot = {}, kube::Decryptor* decryptor = nullptr) {
    const io::Path fixture = io::Path(tidemark::testing::source_dir()) / "testdata/kubernetes-1.36/snapshot.db.gz";
    auto origin = restore::file_origin(snapshot.empty() ? fixture : snapshot);
    if (!origin) return nullptr;
    auto api = over(**origin, nullptr, {}, decryptor);
    if (api) api->origin_ = *std::move(origin);
    return api;
  }
  // What both name outlives it. `index`: of that origin, or nullptr.
  static std::unique_ptr<PastApi> over(restore::Origin& origin, history::Index* index,
                                       std::optional<std::uint64_t> cache_bytes = {},
                                       kube::Decryptor* decryptor = nullptr) {
    auto api = std::make_unique<PastApi>();
    api->past_ = std::make_unique<Past>(origin);
    api->past_->options.scratch = api->scratch_.path();
    api->past_->options.index = index;
    api->past_->decryptor = decryptor;
    if (cache_bytes) api->past_->cache_bytes = *cache_bytes;
    auto cluster = PastCluster::open(*api->past_, {});
    if (!cluster) return nullptr;
    api->cluster = *cluster;
    api->moments_ = std::make_unique<Moments>(*api->past_, *cluster, api->clock, /*most=*/2);
    api->api_ = std::make_unique<Api>(*api->moments_, Gate({"127.0.0.1"}, 8001, kToken),
                                      Api::Options{.version = "test", .clock = api->clock});
    return api;
  }

  void ask(const Request& request, RecordedReply& reply) { api_->answer(request, reply); }
  RecordedReply ask(const Request& request) {
    RecordedReply reply(clock);
    api_->answer(request, reply);
    return reply;
  }
  RecordedReply get(const std::string& target, const std::string& accept = "application/json") {
    return ask(request(target, accept));
  }
  static Request request(const std::string& target, const std::string& accept = "application/json") {
    return {.method = "GET",
            .target = target,
            .host = kHost,
            .authorization = std::string("Bearer ") + kToken,
            .accept = accept,
            .accept_encoding = {},
            .content_type = {},
            .body = {}};
  }
  Moments& moments() { return *moments_; }
  const Counters& counters() const { return past_->counters; }
  const Api& api() const { return *api_; }

  tidemark::testing::FakeClock clock{Time(std::chrono::seconds(1795250000))};

 private:
  io::TempDir scratch_ = io::TempDir::create().value();
  std::unique_ptr<restore::Origin> origin_;
  std::unique_ptr<Past> past_;
  std::unique_ptr<Moments> moments_;
  std::unique_ptr<Api> api_;

 public:
  std::shared_ptr<PastCluster> cluster;  // at the end, for it ends before what it is of
};

}  // namespace tidemark::serve::testing
