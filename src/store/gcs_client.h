// Calls to one bucket of Google Cloud Storage (JSON API): addresses, tokens, retries, and what its refusals mean.
// Private to store/. Threads: any.
#pragma once

#include <mutex>
#include <optional>
#include <random>
#include <string>

#include "base/clock.h"
#include "net/caller.h"
#include "net/url.h"
#include "store/gcs_options.h"
#include "store/google_credentials.h"

namespace tidemark::store {

struct GcsCall {
  std::string what;  // for messages: "put"
  std::string key;   // in the bucket, prefix included; empty: the bucket itself
  std::string method = "GET";
  std::string url{};
  net::Headers headers{};
  Bytes body{};
  std::function<Result<std::unique_ptr<io::Source>>()> open_body{};  // instead of `body`
  std::uint64_t body_size = 0;
};

// {"error": {"code": 403, "message": …, "errors": [{"reason": "forbidden"}]}}; of an answer without one both are empty.
struct GcsRefusal {
  std::string reason, message;
};
GcsRefusal read_gcs_refusal(const net::Answer& answer);

// What the service says about an object.
struct GcsObject {
  std::string key;  // in the bucket
  std::uint64_t size = 0;
  Time created;
  std::optional<std::uint32_t> crc32c;
  std::string generation;
  std::string mark;       // of the write that made it, see GcsWriter; empty: not ours
  bool excluded = false;  // etcd-backup-restore's x-etcd-snapshot-exclude
};
Result<GcsObject> parse_gcs_object(std::string_view json);
struct GcsPage {
  std::vector<GcsObject> objects;
  std::string next;
};
Result<GcsPage> parse_gcs_page(std::string_view json);

std::string print_crc32c(std::uint32_t crc);                       // base64 of its big-endian bytes
std::optional<std::uint32_t> parse_crc32c(std::string_view text);  // nullopt: not that

class GcsClient {
 public:
  GcsClient(GcsOptions options, const Environment& environment, const Clock& clock, std::uint64_t seed,
            const net::RetryGate::Wait& wait = {}, std::stop_token stop = {});

  // The final answer, whatever its status; a failure only when there was none. A token that is no longer good is
  // replaced on the way.
  Result<net::Answer> call(const GcsCall& call);
  Result<net::Answer> stream(const GcsCall& call);  // 2xx: answer.stream has the body
  Result<net::Answer> once(const GcsCall& call);    // without retries: for uploads, which ask first what has arrived

  // What a refusal means to whoever asked for it.
  std::unexpected<Error> refused(const GcsCall& call, const net::Answer& answer) const;
  net::Verdict judge(const net::Answer& answer) const;

  // Errc::not_found.
  Result<GcsObject> stat(const std::string& key);

  std::string object_url(std::string_view key, net::Query query = {}) const;
  std::string bucket_url() const;
  std::string list_url(net::Query query) const;
  std::string upload_url(net::Query query) const;
  net::Headers customer_key_headers() const;  // for every call that moves an object's bytes or asks for their checksum

  const GcsOptions& options() const { return options_; }
  const std::stop_token& stop() const { return stop_; }
  net::RetryGate& gate() { return gate_; }
  const net::Traffic& traffic() { return client_.traffic(); }
  GoogleCredentials& credentials() { return credentials_; }
  std::string fresh_mark();  // 32 hexadecimal digits

 private:
  enum class Way { whole, streamed, once };
  Result<net::Answer> run(const GcsCall& call, Way way);
  std::string with_query(const std::string& url, net::Query query) const;

  const GcsOptions options_;
  const std::stop_token stop_;
  const Clock& clock_;
  net::Client client_;
  net::RetryGate gate_, no_retries_;
  GoogleCredentials credentials_;

  std::mutex mutex_;
  std::mt19937_64 random_;
};

}  // namespace tidemark::store
