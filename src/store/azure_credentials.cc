#include "store/azure_credentials.h"

#include <nlohmann/json.hpp>

#include "crypto/sign.h"
#include "io/file.h"
#include "net/url.h"
#include "store/azure_key.h"
#include "store/azure_options.h"
#include "store/resuming_source.h"

namespace tidemark::store {
namespace {

using namespace std::chrono_literals;
using Json = nlohmann::json;

constexpr auto kFetchBefore = 5min;
constexpr std::uint64_t kMostText = 1UL << 20U;
constexpr const char* kResource = "https://storage.azure.com/";

std::string trimmed(std::string text) {
  while (text.ends_with('\n') || text.ends_with('\r') || text.ends_with(' ')) text.pop_back();
  return text;
}

std::string member(const Json& json, const char* name) {
  const auto it = json.find(name);
  if (it == json.end()) return {};
  if (it->is_string()) return it->get<std::string>();
  return it->is_number_unsigned() ? std::to_string(it->get<std::uint64_t>()) : std::string();
}

// "AADSTS7000215: Invalid client secret provided." of {"error_description": …}; its other lines are trace ids.
std::string reason(const net::Answer& answer) {
  const Json json = Json::parse(answer.text(), nullptr, /*allow_exceptions=*/false);
  std::string text = json.is_object() ? member(json, "error_description") : "";
  if (text.empty() && json.is_object()) text = member(json, "error");
  text = text.substr(0, text.find_first_of("\r\n"));
  return text.empty() ? fmt::format("status {}", answer.status) : text;
}

std::unexpected<Error> refusal(std::string_view what, const net::Answer& answer) {
  const bool passing = answer.status >= 500 || answer.status == 429 || answer.status == 408;
  return fail(passing ? Errc::unavailable : Errc::denied, "{}: {}", what, reason(answer));
}

net::RetryPolicy near_policy() { return {.most_tries = 4, .first_wait = 200ms, .longest_wait = 2s, .budget = 10s}; }

net::Request near_request(std::string url, net::Header header) {
  return {.url = std::move(url), .headers = {std::move(header)}, .connect_within = 1s, .silence = 5s, .deadline = 10s};
}

// Who hears it may use it.
std::unexpected<Error> too_open(std::string_view what) {
  return std::unexpected(Error{Errc::denied, fmt::format("{} is sent over https only", what),
                               "use an https endpoint, or an account key (AZURE_STORAGE_KEY), which is never sent"});
}

}  // namespace

Result<AzureToken> parse_azure_token(std::string_view text, Time now) {
  const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return fail(Errc::corrupt, "the answer is no JSON object");
  AzureToken token{member(json, "access_token"), {}};
  if (token.value.empty() || token.value.find_first_of("\r\n") != std::string::npos) {
    return fail(Errc::corrupt, "the answer has no access_token");
  }
  constexpr std::uint64_t kMostSeconds = 9'000'000'000;  // nanoseconds must hold it
  const auto in = parse_decimal(member(json, "expires_in"));
  const auto on = parse_decimal(member(json, "expires_on"));
  if (in && *in < kMostSeconds / 2) {
    token.expires = now + std::chrono::seconds(*in);
  } else if (on && *on < kMostSeconds) {
    token.expires = Time(std::chrono::seconds(*on));
  } else {
    return fail(Errc::corrupt, "the answer does not say when the token ends");
  }
  return token;
}

AzureCredentialSource::AzureCredentialSource(Environment environment, std::string account, const std::string& ca_file,
                                             const Clock& clock, std::uint64_t seed)
    : environment_(std::move(environment)),
      account_(std::move(account)),
      clock_(clock),
      client_({.ca_file = ca_file}, clock),
      near_client_({.proxy = ""}, clock),
      gate_({.most_tries = 5, .budget = 1min}, clock, seed),
      near_gate_(near_policy(), clock, seed),
      found_(clock, kFetchBefore) {}

std::string AzureCredentialSource::origin() const {
  const auto held = found_.held();
  return held ? held->origin : "nowhere";
}

bool AzureCredentialSource::refused() {
  return found_.drop([](const Found& held) { return held.token.has_value(); });
}

Status AzureCredentialSource::authorize(net::Request& request, const std::stop_token& stop) {
  TM_LET(const Found found, found_.get([&] { return find(stop); }));
  if (found.key.empty() && !net::is_private(request.url)) return too_open(found.token ? "a token" : "a SAS");
  if (found.token) {
    request.headers.push_back({"Authorization", "Bearer " + found.token->value});
  } else if (!found.sas.empty()) {
    request.url += (request.url.find('?') == std::string::npos ? "?" : "&") + found.sas;
  } else {
    return sign_azure(request, account_, found.key, clock_.now());
  }
  return {};
}

Result<AzureCredentialSource::Found> AzureCredentialSource::find(const std::stop_token& stop) {
  TM_LET(auto found, from_environment());
  if (!found) {
    TM_LET(found, from_application(stop));
  }
  if (!found) {
    TM_LET(found, from_app_service(stop));
  }
  if (found) return *std::move(found);
  return from_machine(stop);
}

Result<std::optional<AzureCredentialSource::Found>> AzureCredentialSource::from_environment() const {
  const auto key_found = [](const char* origin, const std::string& text) -> Result<std::optional<Found>> {
    auto key = crypto::from_base64(trimmed(text));
    if (!key || key->empty()) return fail(Errc::denied, "{}: the account key is no base64", origin);
    return Found{.origin = origin, .key = *std::move(key)};
  };
  const auto sas_found = [](const char* origin, std::string sas) -> Result<std::optional<Found>> {
    sas = trimmed(std::move(sas));
    if (sas.starts_with('?')) sas.erase(0, 1);
    const auto query = net::parse_query(sas);
    const bool plain = sas.find_first_of(" \t\r\n#") == std::string::npos;
    if (!plain || !query || sas.find("sig=") == std::string::npos) {
      return fail(Errc::denied, "{}: this is no shared access signature (sv=…&sig=…)", origin);
    }
    return Found{.origin = origin, .sas = std::move(sas)};
  };
  constexpr const char* kConnection = "AZURE_STORAGE_CONNECTION_STRING";
  if (const std::string text = environment_(kConnection); !text.empty()) {
    TM_LET(const AzureConnection connection, parse_azure_connection(text));
    if (!connection.account.empty() && connection.account != account_) {
      return fail(Errc::denied, "{} is of account '{}', the store's URL names '{}'", kConnection, connection.account,
                  account_);
    }
    return connection.key.empty() ? sas_found(kConnection, connection.sas) : key_found(kConnection, connection.key);
  }
  if (const std::string key = environment_("AZURE_STORAGE_KEY"); !key.empty()) {
    const std::string account = environment_("AZURE_STORAGE_ACCOUNT");
    if (!account.empty() && account != account_) {
      return fail(Errc::denied, "AZURE_STORAGE_ACCOUNT is '{}', the store's URL names '{}'", account, account_);
    }
    return key_found("AZURE_STORAGE_KEY", key);
  }
  const std::string sas = environment_("AZURE_STORAGE_SAS_TOKEN");
  if (!sas.empty()) return sas_found("AZURE_STORAGE_SAS_TOKEN", sas);
  return std::nullopt;
}

Result<AzureToken> AzureCredentialSource::ask_authority(net::Query form, const std::stop_token& stop) {
  std::string authority = environment_("AZURE_AUTHORITY_HOST");
  if (authority.empty()) authority = "https://login.microsoftonline.com";
  if (authority.find("://") == std::string::npos) authority.insert(0, "https://");
  while (authority.ends_with('/')) authority.pop_back();
  if (!net::is_private(authority)) return fail(Errc::denied, "AZURE_AUTHORITY_HOST '{}' is not https", authority);
  form.emplace_back("client_id", environment_("AZURE_CLIENT_ID"));
  form.emplace_back("grant_type", "client_credentials");
  form.emplace_back("scope", std::string(kResource) + ".default");
  const std::string body = net::print_query(std::move(form));
  net::Caller caller(client_, gate_);
  TM_LET(const net::Answer answer,
         caller.call({.method = "POST",
                      .url = fmt::format("{}/{}/oauth2/v2.0/token", authority,
                                         net::percent_encode(environment_("AZURE_TENANT_ID"))),
                      .headers = {{"Content-Type", "application/x-www-form-urlencoded"}},
                      .body = as_bytes(body),
                      .deadline = 30s},
                     stop, kMostText));
  if (!answer.ok()) return refusal(authority, answer);
  return named(authority, parse_azure_token(answer.text(), clock_.now()));
}

Result<std::optional<AzureCredentialSource::Found>> AzureCredentialSource::from_application(
    const std::stop_token& stop) {
  if (environment_("AZURE_TENANT_ID").empty() || environment_("AZURE_CLIENT_ID").empty()) return std::nullopt;
  if (const std::string secret = environment_("AZURE_CLIENT_SECRET"); !secret.empty()) {
    TM_LET(AzureToken token, named("client secret", ask_authority({{"client_secret", secret}}, stop)));
    return Found{.origin = "client secret", .token = std::move(token)};
  }
  const std::string file = environment_("AZURE_FEDERATED_TOKEN_FILE");
  if (file.empty()) return std::nullopt;
  // Read anew each time: the kubelet rotates it.
  TM_LET(const Buffer assertion, named("workload identity", io::read_file(file, kMostText)));
  TM_LET(AzureToken token,
         named("workload identity",
               ask_authority({{"client_assertion", trimmed(std::string(as_text(assertion)))},
                              {"client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}},
                             stop)));
  return Found{.origin = "workload identity", .token = std::move(token)};
}

Result<std::optional<AzureCredentialSource::Found>> AzureCredentialSource::from_app_service(
    const std::stop_token& stop) {
  const std::string endpoint = environment_("IDENTITY_ENDPOINT");
  const std::string header = environment_("IDENTITY_HEADER");
  if (endpoint.empty() || header.empty()) return std::nullopt;
  net::Query query{{"api-version", "2019-08-01"}, {"resource", kResource}};
  if (const std::string id = environment_("AZURE_CLIENT_ID"); !id.empty()) query.emplace_back("client_id", id);
  net::Caller caller(near_client_, near_gate_);
  TM_LET(const net::Answer answer,
         named("managed identity", caller.call(near_request(endpoint + "?" + net::print_query(std::move(query)),
                                                            {"X-IDENTITY-HEADER", header}),
                                               stop, kMostText)));
  if (!answer.ok()) return refusal("managed identity, IDENTITY_ENDPOINT", answer);
  TM_LET(AzureToken token, named("managed identity", parse_azure_token(answer.text(), clock_.now())));
  return Found{.origin = "managed identity (IDENTITY_ENDPOINT)", .token = std::move(token)};
}

Result<AzureCredentialSource::Found> AzureCredentialSource::from_machine(const std::stop_token& stop) {
  std::string base = environment_("AZURE_POD_IDENTITY_AUTHORITY_HOST");
  if (base.empty()) base = "http://169.254.169.254";
  while (base.ends_with('/')) base.pop_back();
  net::Query query{{"api-version", "2018-02-01"}, {"resource", kResource}};
  if (const std::string id = environment_("AZURE_CLIENT_ID"); !id.empty()) query.emplace_back("client_id", id);
  // It says 404 and 410 too while it is being updated.
  net::Caller caller(near_client_, near_gate_, {.judge = [this](const net::Answer& answer) -> net::Verdict {
                       if (answer.status == 404 || answer.status == 410) return {net::Fault::passing};
                       return net::verdict_of_status(answer.status, answer.header("Retry-After"), clock_.now());
                     }});
  const auto answer =
      caller.call(near_request(base + "/metadata/identity/oauth2/token?" + net::print_query(std::move(query)),
                               {"Metadata", "true"}),
                  stop, kMostText);
  if (!answer && answer.error().code == Errc::cancelled) return std::unexpected(answer.error());
  if (!answer) {
    return std::unexpected(Error{Errc::denied,
                                 fmt::format("no right to account '{}': nothing in the environment, and no managed "
                                             "identity answers here ({})",
                                             account_, answer.error().what),
                                 "set AZURE_STORAGE_KEY or AZURE_STORAGE_SAS_TOKEN, or use a workload identity"});
  }
  if (!answer->ok()) return refusal("managed identity", *answer);
  TM_LET(AzureToken token, named("managed identity", parse_azure_token(answer->text(), clock_.now())));
  return Found{.origin = "managed identity", .token = std::move(token)};
}

}  // namespace tidemark::store
