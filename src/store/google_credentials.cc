#include "store/google_credentials.h"

#include "io/file.h"
#include "net/caller.h"
#include "net/url.h"

namespace tidemark::store {
namespace {

using namespace std::chrono_literals;

// The metadata server hands out the same token until five minutes before its end: later than that, earlier than late.
constexpr auto kFetchBefore = 4min;
constexpr std::uint64_t kMostText = 1UL << 20U;

}  // namespace

GoogleCredentials::GoogleCredentials(Environment environment, const std::string& ca_file, const Clock& clock,
                                     std::uint64_t seed, const net::RetryGate::Wait& wait)
    : environment_(std::move(environment)),
      clock_(clock),
      client_({.ca_file = ca_file}, clock),
      near_client_({.proxy = ""}, clock),
      gate_({.most_tries = 5, .budget = 1min}, clock, seed, wait),
      near_gate_({.most_tries = 4, .longest_wait = 1s, .budget = 10s}, clock, seed, wait),
      token_(clock, kFetchBefore) {}

std::string GoogleCredentials::origin() const {
  const auto held = token_.held();
  return held ? held->origin : "nowhere";
}

Result<std::string> GoogleCredentials::get(const std::stop_token& stop) {
  TM_LET(GoogleToken token, token_.get([&] { return find(stop); }));
  return std::move(token.text);
}

void GoogleCredentials::refused(const std::string& token) {
  token_.drop([&](const GoogleToken& held) { return held.text == token; });
}

Result<GoogleToken> GoogleCredentials::find(const std::stop_token& stop) {
  if (const std::string path = environment_("GOOGLE_APPLICATION_CREDENTIALS"); !path.empty()) {
    auto token = named("GOOGLE_APPLICATION_CREDENTIALS", from_file(path, stop));
    if (!token && token.error().code == Errc::not_found) token.error().code = Errc::denied;
    return token;
  }
  std::string folder = environment_("CLOUDSDK_CONFIG");
  if (folder.empty() && !environment_("HOME").empty()) folder = environment_("HOME") + "/.config/gcloud";
  const std::string path = folder + "/application_default_credentials.json";
  if (!folder.empty()) {
    auto token = from_file(path, stop);
    if (token || token.error().code != Errc::not_found) return token;
  }
  auto token = from_metadata(stop);
  if (token || token.error().code != Errc::not_found) return token;
  return std::unexpected(Error{Errc::denied,
                               fmt::format("no Google credentials: GOOGLE_APPLICATION_CREDENTIALS is not set, '{}' is "
                                           "not there, and {}",
                                           path, token.error().what),
                               "set GOOGLE_APPLICATION_CREDENTIALS, or gcloud auth application-default login"});
}

Result<GoogleToken> GoogleCredentials::from_file(const std::string& path, const std::stop_token& stop) {
  TM_LET(const Buffer text, io::read_file(path, kMostText));
  net::Caller far(client_, gate_);
  net::Caller near(near_client_, near_gate_);
  auto token = token_from_file(as_text(text), path, {far, near, clock_, stop});
  // That a file behind it is missing does not mean that there are no credentials.
  if (!token && token.error().code == Errc::not_found) token.error().code = Errc::denied;
  return token;
}

Result<GoogleToken> GoogleCredentials::from_metadata(const std::stop_token& stop) {
  std::string host = environment_("GCE_METADATA_HOST");
  if (host.empty()) host = "metadata.google.internal";
  const net::Request request{
      .url = fmt::format("http://{}/computeMetadata/v1/instance/service-accounts/default/token", host),
      .headers = {{"Metadata-Flavor", "Google"}},
      .connect_within = 1s,
      .silence = 5s,
      .deadline = 10s};
  net::Caller caller(near_client_, near_gate_);
  const auto answer = caller.call(request, stop, kMostText);
  if (!answer && answer.error().code == Errc::cancelled) return std::unexpected(answer.error());
  if (!answer) return fail(Errc::not_found, "there is no metadata server: {}", answer.error().what);
  // Whoever answers instead (a captive network) does not know this header.
  if (answer->header("Metadata-Flavor") != "Google") {
    return fail(Errc::not_found, "what answers at '{}' is no metadata server", host);
  }
  if (answer->status == 404) return fail(Errc::not_found, "the metadata server '{}' has no service account", host);
  if (!answer->ok()) {
    const bool passing = answer->status >= 500 || answer->status == 429;
    return hinted(
        Result<GoogleToken>(fail(passing ? Errc::unavailable : Errc::denied, "metadata server '{}': status {}: {}",
                                 host, answer->status, answer->text().substr(0, 200))),
        "on GKE: is the Kubernetes service account bound to one of Google's (workload identity)?");
  }
  TM_LET(GoogleToken token,
         named(fmt::format("metadata server '{}'", host), parse_token_answer(answer->text(), clock_.now())));
  token.origin = fmt::format("metadata server '{}'", host);
  return token;
}

}  // namespace tidemark::store
