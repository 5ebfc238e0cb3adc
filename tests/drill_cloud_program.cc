// The program with Google's and Azure's services for a store, straight and through a proxy that breaks.
#include "kit/azure_process.h"
#include "kit/gcs_process.h"
#include "kit/store_program.h"
#include "net/testing/breaking_proxy.h"

namespace tidemark::testing {
namespace {

using net::testing::Break;
using net::testing::BreakingProxy;
using net::testing::Received;

// Every fourth call breaks: what is written is done and its answer lost, or refused for a while; what is read is cut.
class Trouble {
 public:
  explicit Trouble(const std::string& upstream) : proxy_(upstream) {}
  std::string url() const { return proxy_.url(); }

  void operator()(std::string_view step) {
    const Break how = step == "full"    ? Break{Break::Kind::lose_answer}
                      : step == "delta" ? Break{.kind = Break::Kind::answer, .status = 503}
                                        : Break{Break::Kind::cut};
    proxy_.break_all(how, [this, calls = 0](const Received&) mutable {
      const bool breaks = ++calls % 4 == 0;
      broken_ += breaks ? 1 : 0;
      return breaks;
    });
  }
  int broken() const { return broken_; }

 private:
  std::atomic<int> broken_{0};
  BreakingProxy proxy_;
};

std::string with_endpoint(std::string url, const std::string& from, const std::string& to) {
  const std::size_t at = url.find(from);
  EXPECT_NE(at, std::string::npos) << url;
  return url.replace(at, from.size(), to);
}

class GcsProgram : public StoreProgram {
 protected:
  void prepare(bool tls) {
    auto started = GcsProcess::start({.tls = tls});
    ASSERT_TRUE(started) << started.error().what;
    gcs_.emplace(*std::move(started));
    ASSERT_TRUE(gcs_->make_bucket("backups"));
    store_ = gcs_->url("backups/clusters/prod");
  }
  std::optional<GcsProcess> gcs_;
};

TEST_F(GcsProgram, RecordListShowRestore) {
  prepare(true);
  if (!HasFatalFailure()) expect_round_trip("Bearer");
}

TEST_F(GcsProgram, RecordListShowRestoreWhileCallsBreak) {
  prepare(false);
  if (HasFatalFailure()) return;
  Trouble trouble(gcs_->endpoint());
  store_ = with_endpoint(store_, gcs_->endpoint(), trouble.url());
  expect_round_trip("Bearer", std::ref(trouble));
  EXPECT_GT(trouble.broken(), 5);
}

class AzureCloudProgram : public StoreProgram {
 protected:
  void prepare(bool tls) {
    auto started = AzureProcess::start(tls);
    ASSERT_TRUE(started) << started.error().what;
    azure_.emplace(*std::move(started));
    ASSERT_TRUE(azure_->make_container("backups"));
    store_ = azure_->url("backups/clusters/prod");
    variables_ = azure_->variables();
  }
  std::optional<AzureProcess> azure_;
};

constexpr const char* kPartOfTheKey = "dGlkZW1hcmsga2Vl";

TEST_F(AzureCloudProgram, RecordListShowRestore) {
  prepare(true);
  if (!HasFatalFailure()) expect_round_trip(kPartOfTheKey);
}

TEST_F(AzureCloudProgram, RecordListShowRestoreWhileCallsBreak) {
  prepare(false);
  if (HasFatalFailure()) return;
  Trouble trouble(azure_->endpoint());
  store_ = with_endpoint(store_, azure_->endpoint(), trouble.url());
  expect_round_trip(kPartOfTheKey, std::ref(trouble));
  EXPECT_GT(trouble.broken(), 5);
}

}  // namespace
}  // namespace tidemark::testing
