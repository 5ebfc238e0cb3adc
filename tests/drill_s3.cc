// S3 against a real server (versitygw): the contract of every store, in every shape of bucket and address.
#include "kit/s3_process.h"
#include "store/s3_client.h"
#include "store/s3_store.h"
#include "store/testing/contract.h"

namespace tidemark::store::testing {
namespace {

using tidemark::testing::S3Process;
using tidemark::testing::S3Setup;

// One server a shape for the whole program; each store gets a bucket of its own.
S3Process& server(const std::string& shape) {
  static std::map<std::string, S3Process> servers;
  const auto there = servers.find(shape);
  if (there != servers.end()) return there->second;
  auto started = S3Process::start({.tls = shape == "tls", .virtual_host = shape == "virtual"});
  EXPECT_TRUE(started) << started.error().what;
  return servers.emplace(shape, *std::move(started)).first->second;
}

std::string fresh_bucket() {
  static int number = 0;
  return fmt::format("bucket-{}", ++number);
}

std::unique_ptr<ObjectStore> make_store(const std::string& shape, S3Process::Kind kind, const std::string& prefix) {
  S3Process& s3 = server(shape);
  const std::string bucket = fresh_bucket();
  const Status made = s3.make_bucket(bucket, kind);
  EXPECT_TRUE(made) << made.error().what;
  auto store = S3Store::open(s3.url(bucket + prefix), {.environment = s3.environment(), .part_bytes = 5UL << 20U});
  EXPECT_TRUE(store) << store.error().what;
  return *std::move(store);
}

StoreKind kind_of(const std::string& name, const std::string& shape, S3Process::Kind kind, const std::string& prefix) {
  return {name, [=] { return make_store(shape, kind, prefix); }};
}

INSTANTIATE_TEST_SUITE_P(S3, StoreContract,
                         ::testing::Values(kind_of("plain", "plain", S3Process::Kind::plain, "/etcd/prod"),
                                           kind_of("no_prefix", "plain", S3Process::Kind::plain, ""),
                                           kind_of("tls", "tls", S3Process::Kind::plain, "/p"),
                                           kind_of("virtual_host", "virtual", S3Process::Kind::plain, "/p"),
                                           kind_of("versioned", "plain", S3Process::Kind::versioned, "/p")),
                         name_of_kind);

}  // namespace
}  // namespace tidemark::store::testing
