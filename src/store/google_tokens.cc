#include "store/google_tokens.h"

#include <algorithm>

#include "base/rfc3339.h"
#include "crypto/rsa.h"
#include "crypto/sign.h"
#include "io/file.h"
#include "net/url.h"
#include "store/json_fields.h"

namespace tidemark::store {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

constexpr std::string_view kStorageScope = "https://www.googleapis.com/auth/devstorage.read_write";
constexpr std::string_view kCloudScope = "https://www.googleapis.com/auth/cloud-platform";  // to impersonate
constexpr std::uint64_t kMostText = 1UL << 20U;

std::int64_t seconds_of(Time time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

Result<std::string> needed(const json& object, const char* name) {
  std::string text = text_of(object, name);
  if (text.empty()) return fail(Errc::invalid, "\"{}\" is missing", name);
  return text;
}

// Secrets travel by https, or do not leave this machine.
Result<net::Url> secure_url(const std::string& text) {
  TM_LET(net::Url url, net::parse_url(text));
  if (!net::is_private(text)) return fail(Errc::denied, "'{}' is not https", url.origin());
  return url;
}

// The words of a refusal: {"error": "invalid_grant", "error_description": …} or {"error": {"message": …}}.
std::string refusal_of(const net::Answer& answer) {
  const auto object = parse_object(answer.text());
  if (!object) return fmt::format("status {}", answer.status);
  const std::string error = text_of(*object, "error");
  const std::string words = text_of(*object, "error_description");
  if (!error.empty()) return words.empty() ? error : error + ": " + words;
  const std::string message = text_of(object_of(*object, "error"), "message");
  return message.empty() ? fmt::format("status {}", answer.status) : message;
}

Result<net::Answer> ask(const TokenCalls& calls, net::Request request) {
  TM_LET(const net::Url url, secure_url(request.url));
  request.deadline = 30s;
  TM_LET(net::Answer answer, calls.far.call(request, calls.stop, kMostText));
  if (answer.ok()) return answer;
  const bool passing = answer.status >= 500 || answer.status == 429 || answer.status == 408;
  return fail(passing ? Errc::unavailable : Errc::denied, "{}: {}", url.origin(), refusal_of(answer));
}

Result<net::Answer> ask_form(const TokenCalls& calls, const std::string& url, net::Query fields,
                             net::Headers headers = {}) {
  const std::string form = net::print_query(std::move(fields));
  headers.push_back({"Content-Type", "application/x-www-form-urlencoded"});
  return ask(calls, {.method = "POST", .url = url, .headers = std::move(headers), .body = as_bytes(form)});
}

// ---- the kinds

Result<GoogleToken> of_service_account(const json& file, std::string_view scope, const TokenCalls& calls) {
  ServiceAccountKey key;
  TM_LET(key.email, needed(file, "client_email"));
  TM_LET(key.private_key, needed(file, "private_key"));
  TM_LET(key.token_uri, needed(file, "token_uri"));
  key.key_id = text_of(file, "private_key_id");
  TM_LET(const std::string assertion, make_assertion(key, scope, calls.clock.now()));
  TM_LET(const net::Answer answer,
         ask_form(calls, key.token_uri,
                  {{"grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"}, {"assertion", assertion}}));
  TM_LET(GoogleToken token, named(key.token_uri, parse_token_answer(answer.text(), calls.clock.now())));
  token.origin = "service account " + key.email;
  return token;
}

Result<GoogleToken> of_user(const json& file, const TokenCalls& calls) {
  TM_LET(const std::string id, needed(file, "client_id"));
  TM_LET(const std::string secret, needed(file, "client_secret"));
  TM_LET(const std::string refresh, needed(file, "refresh_token"));
  std::string url = text_of(file, "token_uri");
  if (url.empty()) url = "https://oauth2.googleapis.com/token";
  auto answer = ask_form(
      calls, url,
      {{"grant_type", "refresh_token"}, {"client_id", id}, {"client_secret", secret}, {"refresh_token", refresh}});
  if (!answer) {
    auto failed = Result<GoogleToken>(std::unexpected(answer.error()));
    if (answer.error().code != Errc::denied) return failed;
    return hinted(std::move(failed), "gcloud auth application-default login");
  }
  TM_LET(GoogleToken token, named(url, parse_token_answer(answer->text(), calls.clock.now())));
  token.origin = "user credentials";
  return token;
}

std::string trimmed(std::string_view text) {
  while (text.ends_with('\n') || text.ends_with('\r') || text.ends_with(' ')) text.remove_suffix(1);
  return std::string(text);
}

// What a pod or a foreign cloud says about who we are; as plain text, or a field of a JSON document.
Result<std::string> subject_in(std::string_view text, const json& source) {
  const json& format = object_of(source, "format");
  if (text_of(format, "type") != "json") return trimmed(text);
  TM_LET(const std::string field, needed(format, "subject_token_field_name"));
  TM_LET(const json object, parse_object(text));
  return needed(object, field.c_str());
}

Result<std::string> subject_token(const json& file, const TokenCalls& calls) {
  const json& source = object_of(file, "credential_source");
  std::string token;
  if (const std::string path = text_of(source, "file"); !path.empty()) {
    TM_LET(const Buffer text, named("subject token", io::read_file(path, kMostText)));
    TM_LET(token, named(fmt::format("subject token '{}'", path), subject_in(as_text(text), source)));
  } else if (const std::string url = text_of(source, "url"); !url.empty()) {
    net::Request request{.url = url, .connect_within = 2s, .silence = 5s, .deadline = 10s};
    const json& headers = object_of(source, "headers");
    for (const auto& [name, value] : headers.items()) {
      if (value.is_string()) request.headers.push_back({name, value.get<std::string>()});
    }
    TM_LET(const net::Url where, named("subject token", net::parse_url(url)));
    TM_LET(const net::Answer answer,
           named("subject token",
                 (where.scheme == "https" ? calls.far : calls.near).call(request, calls.stop, kMostText)));
    if (!answer.ok()) return fail(Errc::denied, "subject token: status {} from {}", answer.status, where.origin());
    TM_LET(token, named(fmt::format("subject token from {}", where.origin()), subject_in(answer.text(), source)));
  } else {
    const std::string kind = source.contains("environment_id") ? text_of(source, "environment_id")
                             : source.contains("executable")   ? "executable"
                             : source.contains("certificate")  ? "certificate"
                                                               : "none";
    return std::unexpected(Error{Errc::unsupported,
                                 fmt::format("\"credential_source\" of kind '{}': file and url are read here", kind),
                                 "write the subject token to a file and name it there"});
  }
  if (token.empty()) return fail(Errc::denied, "the subject token is empty");
  return token;
}

Result<GoogleToken> impersonate(const std::string& url, const GoogleToken& source, const json& delegates,
                                std::int64_t lifetime, const TokenCalls& calls) {
  json wish = {{"scope", {kStorageScope}}, {"lifetime", fmt::format("{}s", lifetime)}};
  if (delegates.is_array() && !delegates.empty()) wish["delegates"] = delegates;
  const std::string body = wish.dump(-1, ' ', false, json::error_handler_t::replace);
  TM_LET(
      const net::Answer answer,
      named("impersonate a service account",
            ask(calls, {.method = "POST",
                        .url = url,
                        .headers = {{"Content-Type", "application/json"}, {"Authorization", "Bearer " + source.text}},
                        .body = as_bytes(body)})));
  TM_LET(const json object, named(url, parse_object(answer.text())));
  GoogleToken token;
  token.text = text_of(object, "accessToken");
  if (token.text.empty()) return fail(Errc::corrupt, "{}: the answer has no token", url);
  TM_LET(token.expires, named(url, parse_rfc3339(text_of(object, "expireTime"))));
  // ".../serviceAccounts/NAME:generateAccessToken"
  std::string name = url.substr(url.rfind('/') + 1);
  token.origin = fmt::format("{}, as {}", source.origin, name.substr(0, name.find(':')));
  return token;
}

Result<GoogleToken> of_external_account(const json& file, const TokenCalls& calls) {
  TM_LET(const std::string audience, needed(file, "audience"));
  TM_LET(const std::string url, needed(file, "token_url"));
  TM_LET(const std::string kind, needed(file, "subject_token_type"));
  TM_LET(const std::string subject, subject_token(file, calls));
  const std::string account = text_of(file, "service_account_impersonation_url");
  net::Query fields = {{"grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"},
                       {"requested_token_type", "urn:ietf:params:oauth:token-type:access_token"},
                       {"audience", audience},
                       {"scope", std::string(account.empty() ? kStorageScope : kCloudScope)},
                       {"subject_token_type", kind},
                       {"subject_token", subject}};
  if (const std::string project = text_of(file, "workforce_pool_user_project"); !project.empty()) {
    fields.emplace_back("options", json({{"userProject", project}}).dump());
  }
  net::Headers headers;
  if (const std::string id = text_of(file, "client_id"); !id.empty()) {
    const std::string pair = id + ":" + text_of(file, "client_secret");
    headers.push_back({"Authorization", "Basic " + crypto::to_base64(as_bytes(pair))});
  }
  TM_LET(const net::Answer answer, ask_form(calls, url, std::move(fields), std::move(headers)));
  TM_LET(GoogleToken token, named(url, parse_token_answer(answer.text(), calls.clock.now())));
  token.origin = "external account " + audience;
  if (account.empty()) return token;
  const json& options = object_of(file, "service_account_impersonation");
  const auto lifetime = options.find("token_lifetime_seconds");
  const bool given = lifetime != options.end() && lifetime->is_number_integer();
  return impersonate(account, token, {}, given ? lifetime->get<std::int64_t>() : 3600, calls);
}

Result<GoogleToken> of_kind(const json& file, std::string_view scope, const TokenCalls& calls) {
  const std::string type = text_of(file, "type");
  if (type == "service_account") return of_service_account(file, scope, calls);
  if (type == "authorized_user") return of_user(file, calls);
  if (type == "external_account") return of_external_account(file, calls);
  if (type == "impersonated_service_account") {
    const json& inner = object_of(file, "source_credentials");
    if (text_of(inner, "type") == type) return fail(Errc::invalid, "\"source_credentials\" impersonate again");
    TM_LET(const std::string url, needed(file, "service_account_impersonation_url"));
    TM_LET(const GoogleToken source, of_kind(inner, kCloudScope, calls));
    return impersonate(url, source, file.value("delegates", json::array()), 3600, calls);
  }
  return fail(Errc::unsupported,
              "credentials of type '{}': service_account, external_account, authorized_user and "
              "impersonated_service_account are read here",
              type);
}

}  // namespace

Result<std::string> make_assertion(const ServiceAccountKey& key, std::string_view scope, Time now) {
  json header = {{"alg", "RS256"}, {"typ", "JWT"}};
  if (!key.key_id.empty()) header["kid"] = key.key_id;
  const json claims = {{"iss", key.email},
                       {"scope", scope},
                       {"aud", key.token_uri},
                       {"iat", seconds_of(now)},
                       {"exp", seconds_of(now + 1h)}};
  const auto part = [](const json& value) {
    return crypto::to_base64url(as_bytes(value.dump(-1, ' ', false, json::error_handler_t::replace)));
  };
  std::string text = part(header) + "." + part(claims);
  TM_LET(const Buffer signature, crypto::sign_rs256(key.private_key, as_bytes(text)));
  return text + "." + crypto::to_base64url(signature);
}

Result<GoogleToken> parse_token_answer(std::string_view text, Time now) {
  TM_LET(const json object, parse_object(text));
  GoogleToken token;
  token.text = text_of(object, "access_token");
  // It becomes a header.
  const bool plain = std::ranges::all_of(token.text, [](char c) { return c > ' ' && c < 0x7f; });
  if (token.text.empty() || !plain) return fail(Errc::corrupt, "the answer has no access_token");
  const auto seconds = object.find("expires_in");
  if (seconds == object.end() || !seconds->is_number()) return fail(Errc::corrupt, "the answer has no expires_in");
  const double most = 7 * 24 * 3600.0;
  token.expires = now + std::chrono::seconds(static_cast<std::int64_t>(std::clamp(seconds->get<double>(), 0.0, most)));
  return token;
}

Result<GoogleToken> token_from_file(std::string_view text, std::string_view path, const TokenCalls& calls) {
  const auto read = [&]() -> Result<GoogleToken> {
    TM_LET(const json file, parse_object(text));
    return of_kind(file, kStorageScope, calls);
  };
  return named(fmt::format("credentials '{}'", path), read());
}

}  // namespace tidemark::store
