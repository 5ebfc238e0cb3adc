#include "store/s3_client.h"

#include "base/log.h"
#include "base/rfc3339.h"
#include "crypto/sha256.h"
#include "crypto/sign.h"
#include "net/http_date.h"
#include "store/listing.h"
#include "store/xml.h"

namespace tidemark::store {
namespace {

constexpr const char* kFirstRegion = "us-east-1";

std::string amazon_endpoint(const std::string& region) {
  return fmt::format("https://s3.{}.amazonaws.com{}", region, region.starts_with("cn-") ? ".cn" : "");
}

std::string start_region(const S3Options& options, const Environment& environment) {
  if (!options.region.empty()) return options.region;
  std::string region = AwsCredentialSource::profile_region(environment);
  return region.empty() ? kFirstRegion : region;
}

// The clock of this machine against the server's, in words.
std::string skew(const net::Answer& answer, Time now) {
  const auto theirs = net::parse_http_date(answer.header("Date"));
  if (!theirs) return "the clocks differ too much";
  const auto ahead = now - *theirs;
  return fmt::format("this machine's clock is {} {} the server's ({})",
                     print_duration(ahead.count() < 0 ? -ahead : ahead), ahead.count() < 0 ? "behind" : "ahead of",
                     print_rfc3339(*theirs));
}

struct Meaning {
  std::string_view code;
  Errc errc;
  const char* hint;
};

constexpr Meaning kMeanings[] = {
    {"NoSuchKey", Errc::not_found, ""},
    {"NoSuchVersion", Errc::not_found, ""},
    {"NoSuchUpload", Errc::not_found, ""},
    {"AccessDenied", Errc::denied, "the bucket's policy or the user's must allow it"},
    {"AllAccessDisabled", Errc::denied, ""},
    {"AccountProblem", Errc::denied, ""},
    {"InvalidAccessKeyId", Errc::denied, "this access key does not exist there"},
    {"SignatureDoesNotMatch", Errc::denied, "the secret key is wrong, or something on the way changes requests"},
    {"ExpiredToken", Errc::denied, "the session token has expired: get fresh credentials"},
    {"InvalidToken", Errc::denied, "AWS_SESSION_TOKEN does not belong to these keys"},
    {"PreconditionFailed", Errc::already_exists, ""},
    {"ConditionalRequestConflict", Errc::unavailable, ""},
    {"NotImplemented", Errc::unsupported, "tidemark store check tells what this server lacks"},
    {"QuotaExceeded", Errc::no_space, ""},
    {"XMinioStorageFull", Errc::no_space, ""},
    {"EntityTooLarge", Errc::invalid, ""},
    {"InvalidObjectState", Errc::unavailable, "the object is in an archive: restore it there first"},
};

Errc errc_of_status(int status) {
  if (status == 401 || status == 403) return Errc::denied;
  if (status == 404) return Errc::not_found;
  if (status == 412) return Errc::already_exists;
  if (status == 501) return Errc::unsupported;
  if (status == 507) return Errc::no_space;
  if (status == 408 || status == 429 || status >= 500) return Errc::unavailable;
  return Errc::invalid;
}

}  // namespace

S3Refusal read_refusal(const net::Answer& answer) {
  S3Refusal refusal;
  const Status read = read_xml(answer.text(), [&](const XmlElement& e) -> Status {
    if (e.root != "Error") return {};
    if (e.path == "Code") refusal.code = e.text;
    if (e.path == "Message") refusal.message = e.text;
    if (e.path == "Region") refusal.region = e.text;
    return {};
  });
  if (!read) return {};  // some proxy's page
  return refusal;
}

S3Client::S3Client(S3Options options, const Environment& environment, const Clock& clock, std::uint64_t seed,
                   std::stop_token stop, net::RetryGate::Wait wait)
    : options_(std::move(options)),
      clock_(clock),
      client_({.ca_file = options_.ca_file}, clock),
      gate_({.service = options_.url}, clock, seed, std::move(wait)),
      credentials_(environment, options_.region, options_.ca_file, clock, seed + 1),
      stop_(std::move(stop)),
      region_(start_region(options_, environment)),
      random_(seed + 2) {}

std::string S3Client::region() const {
  const std::scoped_lock lock(mutex_);
  return region_;
}

std::string S3Client::full_key(std::string_view key) const { return key_in_bucket(options_.prefix, key); }

std::string S3Client::fresh_nonce() {
  const std::scoped_lock lock(mutex_);
  return fmt::format("{:016x}{:016x}", random_(), random_());
}

net::Headers S3Client::customer_key_headers() const {
  if (options_.sse_c_key.empty()) return {};
  const std::string name = "x-amz-server-side-encryption-customer-";
  return {{name + "algorithm", "AES256"},
          {name + "key", crypto::to_base64(options_.sse_c_key)},
          {name + "key-MD5", crypto::to_base64(crypto::md5(options_.sse_c_key))}};
}

std::string S3Client::url_of(const S3Call& call, const std::string& region) const {
  const std::string base = options_.endpoint.empty() ? amazon_endpoint(region) : options_.endpoint;
  const std::size_t host = base.find("://") + 3;
  std::string url = options_.path_style ? base + "/" + options_.bucket
                                        : base.substr(0, host) + options_.bucket + "." + base.substr(host);
  if (!call.key.empty()) {
    url += "/" + net::percent_encode(call.key, /*keep_slash=*/true);
  } else if (!options_.path_style) {
    url += "/";
  }
  if (!call.query.empty()) url += "?" + net::print_query(call.query);
  return url;
}

Status S3Client::sign(net::Request& request, const std::string& region, AwsCredentials& used,
                      const std::stop_token& stop) {
  TM_LET(used, credentials_.get(stop));
  const std::string sha(net::header_value(request.headers, "x-amz-content-sha256"));
  return sign_v4(request, used, {region, "s3"}, sha, clock_.now());
}

net::Verdict S3Client::judge(const net::Answer& answer) const {
  const S3Refusal refusal = read_refusal(answer);
  const std::string_view after = answer.header("Retry-After");
  if (refusal.code == "SlowDown" || refusal.code == "Throttling" || refusal.code == "RequestLimitExceeded") {
    return {net::Fault::throttled, net::parse_retry_after(after, clock_.now())};
  }
  if (refusal.code == "RequestTimeout" || refusal.code == "OperationAborted") return {net::Fault::passing};
  return net::verdict_of_status(answer.status, after, clock_.now());
}

// True: it is not the one that the request was for, so another try may do. Others may have learnt it meanwhile.
bool S3Client::learn_region(const net::Answer& answer, const S3Refusal& refusal, const std::string& asked_in) {
  const bool elsewhere = answer.status == 301 || answer.status == 307 ||
                         refusal.code == "AuthorizationHeaderMalformed" ||
                         refusal.code == "IllegalLocationConstraintException" ||
                         (answer.status == 400 && answer.body.empty());  // a HEAD that was signed for elsewhere
  if (!elsewhere) return false;
  std::string region(answer.header("x-amz-bucket-region"));
  if (region.empty()) region = refusal.region;
  if (region.empty() || region == asked_in) return false;
  const std::scoped_lock lock(mutex_);
  if (std::exchange(region_, region) != region) {
    log_info("bucket is in another region", "bucket={} region={}", options_.bucket, region);
  }
  return true;
}

Result<net::Answer> S3Client::run(const S3Call& call, Body body, std::uint64_t limit) {
  const std::string sha = call.body.empty() ? std::string(kEmptySha256) : to_hex(crypto::sha256(call.body));
  const std::stop_token stop = call.heeds_stop ? stop_ : std::stop_token();
  bool renewed = false;
  for (int turn = 0;; ++turn) {
    const std::string region = this->region();  // address and signature must name the same one
    net::Request request{
        .method = call.method, .url = url_of(call, region), .headers = call.headers, .body = call.body};
    request.silence = call.silence;
    request.headers.push_back({"x-amz-content-sha256", sha});
    AwsCredentials used;
    net::Caller caller(client_, gate_,
                       {.prepare = [&](net::Request& r) { return sign(r, region, used, stop); },
                        .judge = [this](const net::Answer& answer) { return judge(answer); }});
    auto answer = body == Body::whole ? caller.call(request, stop, limit) : caller.stream(request, stop);
    if (!answer) {
      return named(fmt::format("{} '{}'", call.what, call.key.empty() ? options_.bucket : call.key), std::move(answer));
    }
    if (answer->ok() || turn >= 2) return answer;
    const S3Refusal refusal = read_refusal(*answer);
    if (learn_region(*answer, refusal, region)) continue;
    if ((refusal.code == "ExpiredToken" || refusal.code == "InvalidToken") && !renewed) {
      credentials_.refused(used);
      renewed = true;
      continue;
    }
    return answer;
  }
}

Result<net::Answer> S3Client::call(const S3Call& call, std::uint64_t limit) { return run(call, Body::whole, limit); }

Result<net::Answer> S3Client::stream(const S3Call& call) { return run(call, Body::streamed, 0); }

Result<net::Answer> S3Client::demand(const S3Call& call) {
  TM_LET(net::Answer answer, this->call(call));
  if (!answer.ok()) return refused(call, answer);
  return answer;
}

std::unexpected<Error> S3Client::refused(const S3Call& call, const net::Answer& answer) const {
  const S3Refusal refusal = read_refusal(answer);
  const std::string where = options_.endpoint.empty() ? amazon_endpoint(region()) : options_.endpoint;
  const std::string what = fmt::format("{} '{}'", call.what, call.key.empty() ? options_.bucket : call.key);
  if (refusal.code == "NoSuchBucket") {
    return std::unexpected(Error{Errc::not_found,
                                 fmt::format("{}: bucket '{}' does not exist at {}", what, options_.bucket, where),
                                 "create it, or check endpoint and region of the store's URL"});
  }
  if (refusal.code == "RequestTimeTooSkewed") {
    return std::unexpected(Error{Errc::denied, fmt::format("{}: refused: {}", what, skew(answer, clock_.now())),
                                 "set this machine's clock (chronyc makestep)"});
  }
  Error error{errc_of_status(answer.status), {}, {}};
  for (const Meaning& meaning : kMeanings) {
    if (meaning.code != refusal.code) continue;
    error.code = meaning.errc;
    error.hint = meaning.hint;
  }
  std::string said = refusal.code.empty() ? fmt::format("status {}", answer.status) : refusal.code;
  if (!refusal.message.empty()) said += ": " + refusal.message;
  if (answer.tries > 1) said += fmt::format(" (tried {} times)", answer.tries);
  error.what = fmt::format("{}: {} says {}", what, where, said);
  return std::unexpected(std::move(error));
}

}  // namespace tidemark::store
