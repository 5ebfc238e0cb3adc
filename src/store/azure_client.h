// Authorized calls to one container: address, version, credentials, retries, and what the Blob service's refusals mean.
// Private to store/. Threads: any.
#pragma once

#include <mutex>
#include <optional>
#include <random>
#include <string>

#include "net/caller.h"
#include "net/url.h"
#include "store/azure_credentials.h"
#include "store/azure_options.h"

namespace tidemark::store {

struct AzureCall {
  std::string what;  // for messages: "put"
  std::string method = "GET";
  std::string key{};  // in the container, prefix included; empty: the container itself
  net::Query query{};
  net::Headers headers{};
  Bytes body{};
  std::chrono::nanoseconds silence = std::chrono::seconds(60);
  bool of_service = false;  // the account's service itself, not the container
};

// "BlobNotFound", and the first line of what is said about it. Empty of an answer that has none.
struct AzureRefusal {
  std::string code, message;
};
AzureRefusal read_azure_refusal(const net::Answer& answer);

class AzureClient {
 public:
  AzureClient(AzureOptions options, const Environment& environment, const Clock& clock, std::uint64_t seed,
              std::stop_token stop = {}, net::RetryGate::Wait wait = {});

  // The final answer, whatever its status; a failure only when there was none. An expired token is renewed on the way.
  Result<net::Answer> call(const AzureCall& call, std::uint64_t limit = 64UL << 20U);
  Result<net::Answer> stream(const AzureCall& call);  // 2xx: answer.stream has the body
  // The same, where everything but 2xx is a failure.
  Result<net::Answer> demand(const AzureCall& call);

  // What a refusal means to whoever asked for it.
  std::unexpected<Error> refused(const AzureCall& call, const net::Answer& answer) const;

  const AzureOptions& options() const { return options_; }
  net::RetryGate& gate() { return gate_; }
  const std::stop_token& stop() const { return stop_; }
  const net::Traffic& traffic() { return client_.traffic(); }
  const AzureCredentialSource& credentials() const { return credentials_; }
  std::uint64_t fresh_nonce();
  // For every call that moves a blob's bytes or asks for its properties: the customer's key.
  net::Headers key_headers() const;
  // For every call that writes: the customer's key, or the encryption scope.
  net::Headers write_headers() const;

 private:
  enum class Body { whole, streamed };
  Result<net::Answer> run(const AzureCall& call, Body body, std::uint64_t limit);
  std::string url_of(const AzureCall& call) const;
  std::string named_by(const AzureCall& call) const;
  net::Verdict judge(const net::Answer& answer) const;

  const AzureOptions options_;
  const Clock& clock_;
  net::Client client_;
  net::RetryGate gate_;
  AzureCredentialSource credentials_;
  const std::stop_token stop_;

  std::mutex mutex_;
  std::mt19937_64 random_;
};

}  // namespace tidemark::store
