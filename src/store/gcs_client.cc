#include "store/gcs_client.h"

#include "crypto/sha256.h"
#include "crypto/sign.h"

namespace tidemark::store {
namespace {

struct Meaning {
  std::string_view reason;  // as the service names it, or a word of its message
  Errc errc;
  const char* hint;
};

// The reasons that mean more than their status.
constexpr Meaning kMeanings[] = {
    {"retentionPolicyNotMet", Errc::denied,
     "the bucket's retention policy keeps it until its time is over: gcloud storage buckets describe gs://BUCKET"},
    {"objectUnderActiveHold", Errc::denied,
     "release the hold: gcloud storage objects update URL --no-event-based-hold --no-temporary-hold"},
    {"rateLimitExceeded", Errc::unavailable, ""},
    {"userRateLimitExceeded", Errc::unavailable, ""},
    {"quotaExceeded", Errc::no_space, "raise the project's quota for Cloud Storage"},
    {"userProjectMissing", Errc::denied,
     "the bucket lets its readers pay: add user-project=PROJECT to the store's URL"},
    {"userProjectAccessDenied", Errc::denied, "give the role Service Usage Consumer on the project that pays"},
    {"requester pays", Errc::denied, "the bucket lets its readers pay: add user-project=PROJECT to the store's URL"},
    {"customer-supplied encryption key", Errc::denied, "TIDEMARK_CSEK_FILE must name the key that it was written with"},
    {"customerEncryptionKey", Errc::denied, "TIDEMARK_CSEK_FILE must name the key that it was written with"},
    {"CustomerEncryptionKey", Errc::denied, "TIDEMARK_CSEK_FILE must name the key that it was written with"},
    {"Cloud KMS", Errc::denied,
     "give the project's Cloud Storage service agent the role Cloud KMS CryptoKey Encrypter/Decrypter on the key, and "
     "see that the key is enabled"},
    {"accountDisabled", Errc::denied, "the project's billing is closed"},
    {"vpcServiceControls", Errc::denied, "a VPC Service Controls perimeter keeps this machine out"},
};

Errc errc_of_status(int status) {
  switch (status) {
    case 401:
    case 403:
    case 407: return Errc::denied;
    case 404: return Errc::not_found;
    case 308:  // an upload that does not go on
    case 408:
    case 429: return Errc::unavailable;
    case 409:
    case 412: return Errc::conflict;
    default: break;
  }
  return status >= 500 ? Errc::unavailable : Errc::invalid;
}

bool says(const GcsRefusal& refusal, std::string_view word) {
  return refusal.reason.find(word) != std::string::npos || refusal.message.find(word) != std::string::npos;
}

}  // namespace

GcsClient::GcsClient(GcsOptions options, const Environment& environment, const Clock& clock, std::uint64_t seed,
                     const net::RetryGate::Wait& wait, std::stop_token stop)
    : options_(std::move(options)),
      stop_(std::move(stop)),
      clock_(clock),
      client_({.ca_file = options_.ca_file}, clock),
      gate_({.service = options_.url}, clock, seed, wait),
      no_retries_({.most_tries = 1}, clock, seed, wait),
      credentials_(environment, options_.ca_file, clock, seed + 1, wait),
      random_(seed) {}

std::string GcsClient::fresh_mark() {
  const std::scoped_lock lock(mutex_);
  return fmt::format("{:016x}{:016x}", random_(), random_());
}

std::string GcsClient::with_query(const std::string& url, net::Query query) const {
  if (!options_.user_project.empty()) query.emplace_back("userProject", options_.user_project);
  return query.empty() ? url : url + "?" + net::print_query(std::move(query));
}

std::string GcsClient::object_url(std::string_view key, net::Query query) const {
  return with_query(
      fmt::format("{}/storage/v1/b/{}/o/{}", options_.endpoint, options_.bucket, net::percent_encode(key)),
      std::move(query));
}

std::string GcsClient::bucket_url() const {
  return with_query(fmt::format("{}/storage/v1/b/{}", options_.endpoint, options_.bucket), {{"projection", "noAcl"}});
}

std::string GcsClient::list_url(net::Query query) const {
  return with_query(fmt::format("{}/storage/v1/b/{}/o", options_.endpoint, options_.bucket), std::move(query));
}

std::string GcsClient::upload_url(net::Query query) const {
  return with_query(fmt::format("{}/upload/storage/v1/b/{}/o", options_.endpoint, options_.bucket), std::move(query));
}

net::Headers GcsClient::customer_key_headers() const {
  if (options_.customer_key.empty()) return {};
  const std::string name = "x-goog-encryption-";
  return {{name + "algorithm", "AES256"},
          {name + "key", crypto::to_base64(options_.customer_key)},
          {name + "key-sha256", crypto::to_base64(crypto::sha256(options_.customer_key))}};
}

net::Verdict GcsClient::judge(const net::Answer& answer) const {
  const std::string_view after = answer.header("Retry-After");
  if (answer.status == 403) {
    const GcsRefusal refusal = read_gcs_refusal(answer);
    if (refusal.reason == "rateLimitExceeded" || refusal.reason == "userRateLimitExceeded") {
      return {net::Fault::throttled, net::parse_retry_after(after, clock_.now())};
    }
  }
  return net::verdict_of_status(answer.status, after, clock_.now());
}

Result<net::Answer> GcsClient::run(const GcsCall& call, Way way) {
  const std::string what = fmt::format("{} '{}'", call.what, call.key.empty() ? options_.bucket : call.key);
  net::Request request{.method = call.method,
                       .url = call.url,
                       .headers = call.headers,
                       .body = call.body,
                       .open_body = call.open_body,
                       .body_size = call.body_size};
  // The address of an upload comes from the server: no token, and no customer's key in the clear, goes elsewhere.
  TM_LET(const net::Url url, named(what, net::parse_url(call.url)));
  if (url.scheme != "https" && options_.endpoint.starts_with("https://")) {
    return fail(Errc::denied, "{}: {} sends it to '{}', which is not https", what, options_.endpoint, url.origin());
  }
  const bool with_token = !options_.anonymous && url.origin() == options_.endpoint;
  net::Caller caller(client_, way == Way::once ? no_retries_ : gate_,
                     {.judge = [this](const net::Answer& answer) { return judge(answer); }});
  for (int turn = 0;; ++turn) {
    std::string token;
    net::Request authorized = request;
    if (with_token) {
      TM_LET(token, named(what, credentials_.get(stop_)));
      authorized.headers.push_back({"Authorization", "Bearer " + token});
    }
    Result<net::Answer> answer =
        way == Way::streamed ? caller.stream(authorized, stop_) : caller.call(authorized, stop_);
    if (!answer) return named(what, std::move(answer));
    if (answer->status != 401 || token.empty() || turn > 0) return answer;
    credentials_.refused(token);
  }
}

Result<net::Answer> GcsClient::call(const GcsCall& call) { return run(call, Way::whole); }
Result<net::Answer> GcsClient::stream(const GcsCall& call) { return run(call, Way::streamed); }
Result<net::Answer> GcsClient::once(const GcsCall& call) { return run(call, Way::once); }

Result<GcsObject> GcsClient::stat(const std::string& key) {
  const GcsCall call{.what = "stat",
                     .key = key,
                     .url = object_url(key, {{"fields", "name,size,crc32c,generation,timeCreated,updated,metadata"}}),
                     .headers = customer_key_headers()};
  TM_LET(const net::Answer answer, this->call(call));
  if (!answer.ok()) return refused(call, answer);
  return named(fmt::format("stat '{}'", key), parse_gcs_object(answer.text()));
}

std::unexpected<Error> GcsClient::refused(const GcsCall& call, const net::Answer& answer) const {
  const GcsRefusal refusal = read_gcs_refusal(answer);
  const std::string what = fmt::format("{} '{}'", call.what, call.key.empty() ? options_.bucket : call.key);
  // What is made (POST) is missed by nobody, but its bucket may be.
  if (answer.status == 404 && (call.key.empty() || call.method == "POST" || says(refusal, "bucket does not exist"))) {
    return std::unexpected(
        Error{Errc::not_found, fmt::format("{}: bucket '{}' does not exist", what, options_.bucket),
              fmt::format("gcloud storage buckets create gs://{}, or check the store's URL", options_.bucket)});
  }
  Error error{errc_of_status(answer.status), {}, {}};
  if (error.code == Errc::denied) {
    error.hint = fmt::format("give {} the role Storage Object User (to read only: Viewer) on the bucket",
                             options_.anonymous ? "everybody" : credentials_.origin());
  }
  for (const Meaning& meaning : kMeanings) {
    if (!says(refusal, meaning.reason)) continue;
    error.code = meaning.errc;
    error.hint = meaning.hint;
    break;
  }
  std::string said = refusal.reason.empty() ? fmt::format("status {}", answer.status) : refusal.reason;
  if (!refusal.message.empty()) said += ": " + refusal.message;
  if (answer.tries > 1) said += fmt::format(" (tried {} times)", answer.tries);
  error.what = fmt::format("{}: {} says {}", what, options_.endpoint, said);
  return std::unexpected(std::move(error));
}

}  // namespace tidemark::store
