#include "store/azure_client.h"

#include "base/rfc3339.h"
#include "crypto/sha256.h"
#include "crypto/sign.h"
#include "net/http_date.h"
#include "store/xml.h"

namespace tidemark::store {
namespace {

// The newest that all clouds and emulators in use know; with it blocks may be 4000 MiB and lists tell tags.
constexpr const char* kVersion = "2021-12-02";

struct Meaning {
  std::string_view code;
  Errc errc;
  const char* hint;
};

constexpr Meaning kMeanings[] = {
    {"BlobNotFound", Errc::not_found, ""},
    {"ResourceNotFound", Errc::not_found, ""},
    {"BlobAlreadyExists", Errc::already_exists, ""},
    {"ContainerBeingDeleted", Errc::unavailable, "wait until the container is gone, or use another one"},
    {"ContainerDisabled", Errc::denied, ""},
    {"AccountIsDisabled", Errc::denied, "the account is disabled: see its subscription"},
    {"AuthorizationFailure", Errc::denied, "the account's firewall, or the SAS's permissions, do not let this through"},
    {"AuthorizationPermissionMismatch", Errc::denied,
     "give this identity the role 'Storage Blob Data Contributor' ('... Reader' to restore), or the SAS the "
     "permissions"},
    {"InsufficientAccountPermissions", Errc::denied, ""},
    {"KeyBasedAuthenticationNotPermitted", Errc::denied,
     "the account does not take keys: use a workload or managed identity"},
    {"PublicAccessNotPermitted", Errc::denied, "no credentials came with the request"},
    {"InvalidAuthenticationInfo", Errc::denied, ""},
    {"BlobImmutableDueToPolicy", Errc::denied, "a retention policy or legal hold of the container keeps this blob"},
    {"ContainerImmutableStorageFeatureNotEnabled", Errc::unsupported, ""},
    {"LeaseIdMissing", Errc::denied, "somebody holds a lease on this blob: az storage blob lease break"},
    {"SnapshotsPresent", Errc::denied, "the blob has snapshots, which would be lost: delete them first"},
    {"BlobArchived", Errc::unavailable, "bring it back first: az storage blob set-tier --tier Hot"},
    {"BlobBeingRehydrated", Errc::unavailable, "it is on its way back from the archive: wait"},
    {"BlobUsesCustomerSpecifiedEncryption", Errc::denied,
     "it was written with another key or scope: see encryption-key-file and encryption-scope"},
    {"BlobDoesNotUseCustomerSpecifiedEncryption", Errc::denied, "it was written without encryption-key-file"},
    {"EncryptionScopeNotFound", Errc::invalid, "az storage account encryption-scope list"},
    {"InvalidBlobOrBlock", Errc::conflict,
     "blocks of another program that never finished are in the way; they vanish after a week"},
    {"InvalidBlobType", Errc::conflict, "a page or append blob has this name"},
    {"FeatureVersionMismatch", Errc::unsupported, ""},
    {"InvalidHeaderValue", Errc::unsupported, ""},
    {"AccountBeingCreated", Errc::unavailable, ""},
};

Errc errc_of_status(int status) {
  if (status == 401 || status == 403) return Errc::denied;
  if (status == 404) return Errc::not_found;
  if (status == 409 || status == 412) return Errc::conflict;
  if (status == 507) return Errc::no_space;
  if (status == 408 || status == 429 || status >= 500) return Errc::unavailable;
  return Errc::invalid;
}

// A failed signature is a wrong key or a wrong clock, and the answer's Date tells which.
std::string hint_of_authentication(const net::Answer& answer, Time now) {
  const auto theirs = net::parse_http_date(answer.header("Date"));
  if (theirs) {
    const auto ahead = now - *theirs;
    const auto off = ahead.count() < 0 ? -ahead : ahead;
    if (off > std::chrono::minutes(10)) {
      return fmt::format("this machine's clock is {} {} the server's: set it (chronyc makestep)", print_duration(off),
                         ahead.count() < 0 ? "behind" : "ahead of");
    }
  }
  return "the key, SAS or token is wrong, has expired, or is of another account";
}

}  // namespace

AzureRefusal read_azure_refusal(const net::Answer& answer) {
  AzureRefusal refusal;
  const Status read = read_xml(answer.text(), [&](const XmlElement& e) -> Status {
    if (e.root != "Error") return {};
    if (e.path == "Code") refusal.code = e.text;
    if (e.path == "Message") refusal.message = e.text.substr(0, e.text.find_first_of("\r\n"));
    return {};
  });
  if (!read) refusal = {};  // no body, or some proxy's page
  if (const std::string_view code = answer.header("x-ms-error-code"); !code.empty()) refusal.code = code;
  return refusal;
}

AzureClient::AzureClient(AzureOptions options, const Environment& environment, const Clock& clock, std::uint64_t seed,
                         std::stop_token stop, net::RetryGate::Wait wait)
    : options_(std::move(options)),
      clock_(clock),
      client_({.ca_file = options_.ca_file}, clock),
      gate_({.service = options_.url}, clock, seed, std::move(wait)),
      credentials_(environment, options_.account, options_.ca_file, clock, seed + 1),
      stop_(std::move(stop)),
      random_(seed + 2) {}

std::uint64_t AzureClient::fresh_nonce() {
  const std::scoped_lock lock(mutex_);
  return random_();
}

net::Headers AzureClient::key_headers() const {
  const Buffer& key = options_.encryption_key;
  if (key.empty()) return {};
  return {{"x-ms-encryption-algorithm", "AES256"},
          {"x-ms-encryption-key", crypto::to_base64(key)},
          {"x-ms-encryption-key-sha256", crypto::to_base64(crypto::sha256(key))}};
}

net::Headers AzureClient::write_headers() const {
  net::Headers headers = key_headers();
  if (!options_.encryption_scope.empty()) headers.push_back({"x-ms-encryption-scope", options_.encryption_scope});
  return headers;
}

std::string AzureClient::url_of(const AzureCall& call) const {
  std::string url = options_.endpoint + "/" + (call.of_service ? "" : options_.container);
  if (!call.key.empty()) url += "/" + net::percent_encode(call.key, /*keep_slash=*/true);
  if (!call.query.empty()) url += "?" + net::print_query(call.query);
  return url;
}

std::string AzureClient::named_by(const AzureCall& call) const {
  return fmt::format("{} '{}'", call.what, call.key.empty() ? options_.container : call.key);
}

net::Verdict AzureClient::judge(const net::Answer& answer) const {
  const std::string code = read_azure_refusal(answer).code;
  // What arrived there is not what was sent.
  if (code == "Md5Mismatch" || code == "Crc64Mismatch") return {net::Fault::passing};
  return net::verdict_of_status(answer.status, answer.header("Retry-After"), clock_.now());
}

Result<net::Answer> AzureClient::run(const AzureCall& call, Body body, std::uint64_t limit) {
  net::Request request{.method = call.method, .url = url_of(call), .headers = call.headers, .body = call.body};
  request.silence = call.silence;
  request.headers.push_back({"x-ms-version", kVersion});
  net::Caller caller(client_, gate_,
                     {.prepare = [this](net::Request& r) { return credentials_.authorize(r, stop_); },
                      .judge = [this](const net::Answer& answer) { return judge(answer); }});
  for (bool renewed = false;; renewed = true) {
    auto answer = body == Body::whole ? caller.call(request, stop_, limit) : caller.stream(request, stop_);
    if (!answer) return named(named_by(call), std::move(answer));
    if (answer->status == 401 && !renewed && credentials_.refused()) continue;
    return answer;
  }
}

Result<net::Answer> AzureClient::call(const AzureCall& call, std::uint64_t limit) {
  return run(call, Body::whole, limit);
}

Result<net::Answer> AzureClient::stream(const AzureCall& call) { return run(call, Body::streamed, 0); }

Result<net::Answer> AzureClient::demand(const AzureCall& call) {
  TM_LET(net::Answer answer, this->call(call));
  if (!answer.ok()) return refused(call, answer);
  return answer;
}

std::unexpected<Error> AzureClient::refused(const AzureCall& call, const net::Answer& answer) const {
  const AzureRefusal refusal = read_azure_refusal(answer);
  if (refusal.code == "ContainerNotFound") {
    // Not the same as a blob that is not there: the URL is wrong.
    return std::unexpected(Error{
        Errc::invalid,
        fmt::format("{}: container '{}' does not exist in account '{}'", named_by(call), options_.container,
                    options_.account),
        fmt::format("az storage container create --account-name {} --name {}", options_.account, options_.container)});
  }
  Error error{errc_of_status(answer.status), {}, {}};
  for (const Meaning& meaning : kMeanings) {
    if (meaning.code != refusal.code) continue;
    error.code = meaning.errc;
    error.hint = meaning.hint;
  }
  if (answer.status == 401 || refusal.code == "AuthenticationFailed") {
    error.hint = hint_of_authentication(answer, clock_.now());
  }
  std::string said = refusal.code.empty() ? fmt::format("status {}", answer.status) : refusal.code;
  if (!refusal.message.empty()) said += ": " + refusal.message;
  if (answer.tries > 1) said += fmt::format(" (tried {} times)", answer.tries);
  if (const auto id = answer.header("x-ms-request-id"); !id.empty() && answer.status >= 500) {
    said += fmt::format(" (request {})", id);
  }
  if (error.code == Errc::denied) said += fmt::format(" (credentials: {})", credentials_.origin());
  error.what = fmt::format("{}: {} says {}", named_by(call), options_.endpoint, said);
  return std::unexpected(std::move(error));
}

}  // namespace tidemark::store
