// Signed calls to one bucket: address, region, credentials, retries, and what S3's refusals mean. Private to store/.
//
// Threads: any.
#pragma once

#include <mutex>
#include <optional>
#include <string>

#include "net/caller.h"
#include "net/url.h"
#include "store/aws_credentials.h"
#include "store/s3_options.h"

namespace tidemark::store {

struct S3Call {
  std::string what;  // for messages: "put"
  std::string method = "GET";
  std::string key{};  // in the bucket, prefix included; empty: the bucket itself
  net::Query query{};
  net::Headers headers{};
  Bytes body{};
  std::chrono::nanoseconds silence = std::chrono::seconds(60);
  bool heeds_stop = true;  // false: goes out although everything else is asked to stop
};

// <Error><Code>NoSuchKey</Code>…; of an answer without one the fields are empty.
struct S3Refusal {
  std::string code, message, region;
};
S3Refusal read_refusal(const net::Answer& answer);

class S3Client {
 public:
  S3Client(S3Options options, const Environment& environment, const Clock& clock, std::uint64_t seed,
           std::stop_token stop = {}, net::RetryGate::Wait wait = {});

  // The final answer, whatever its status; a failure only when there was none. A wrong region and expired credentials
  // are put right on the way.
  Result<net::Answer> call(const S3Call& call, std::uint64_t limit = 16UL << 20U);
  Result<net::Answer> stream(const S3Call& call);  // 2xx: answer.stream has the body
  // The same, where everything but 2xx is a failure.
  Result<net::Answer> demand(const S3Call& call);

  // What a refusal means to whoever asked for it.
  std::unexpected<Error> refused(const S3Call& call, const net::Answer& answer) const;

  const S3Options& options() const { return options_; }
  net::RetryGate& gate() { return gate_; }
  const net::Traffic& traffic() { return client_.traffic(); }
  AwsCredentialSource& credentials() { return credentials_; }
  std::string region() const;
  std::string full_key(std::string_view key) const;  // with the prefix
  std::string fresh_nonce();                         // 32 hexadecimal digits
  net::Headers customer_key_headers() const;         // for every call that moves an object's bytes
  const std::stop_token& stop() const { return stop_; }

 private:
  enum class Body { whole, streamed };
  Result<net::Answer> run(const S3Call& call, Body body, std::uint64_t limit);
  std::string url_of(const S3Call& call, const std::string& region) const;
  Status sign(net::Request& request, const std::string& region, AwsCredentials& used, const std::stop_token& stop);
  bool learn_region(const net::Answer& answer, const S3Refusal& refusal, const std::string& asked_in);
  net::Verdict judge(const net::Answer& answer) const;

  const S3Options options_;
  const Clock& clock_;
  net::Client client_;
  net::RetryGate gate_;
  AwsCredentialSource credentials_;
  const std::stop_token stop_;

  mutable std::mutex mutex_;
  std::string region_;
  std::mt19937_64 random_;
};

}  // namespace tidemark::store
