#include "store/aws_credentials.h"

#include "base/rfc3339.h"
#include "io/file.h"
#include "net/caller.h"
#include "net/url.h"
#include "store/xml.h"

namespace tidemark::store {
namespace {

using namespace std::chrono_literals;

constexpr auto kFetchBefore = 5min;
constexpr std::uint64_t kMostText = 1UL << 20U;

std::string first_line(std::string text) {
  while (text.ends_with('\n') || text.ends_with('\r') || text.ends_with(' ')) text.pop_back();
  return text;
}

Result<std::string> read_text(const std::string& path) {
  TM_LET(const Buffer bytes, io::read_file(path, kMostText));
  return std::string(as_text(bytes));
}

// A file that is not there is no failure: nullopt.
Result<std::optional<AwsProfile>> profile_in(const std::string& path, const std::string& section) {
  const auto text = read_text(path);
  if (!text && text.error().code == Errc::not_found) return std::nullopt;
  if (!text) return std::unexpected(text.error());
  return named(path, find_aws_profile(*text, section));
}

struct ProfilePlaces {
  std::string name, credentials_file, config_file;
};

ProfilePlaces profile_places(const Environment& environment) {
  const auto or_home = [&](std::string_view variable, std::string_view file) {
    std::string path = environment(variable);
    return path.empty() ? environment("HOME") + "/.aws/" + std::string(file) : path;
  };
  std::string name = environment("AWS_PROFILE");
  if (name.empty()) name = environment("AWS_DEFAULT_PROFILE");
  return {name.empty() ? "default" : name, or_home("AWS_SHARED_CREDENTIALS_FILE", "credentials"),
          or_home("AWS_CONFIG_FILE", "config")};
}

// Both files' settings; those of the credentials file count.
Result<std::optional<AwsProfile>> read_profile(const Environment& environment) {
  const ProfilePlaces places = profile_places(environment);
  TM_LET(auto credentials, profile_in(places.credentials_file, places.name));
  const std::string section = places.name == "default" ? "default" : "profile " + places.name;
  TM_LET(auto config, profile_in(places.config_file, section));
  if (!credentials) return config;
  if (config) credentials->merge(*config);
  return credentials;
}

// Plain HTTP only where nobody else can listen: this machine, and the addresses that clouds reserve for it.
bool may_be_plain(std::string_view host) {
  if (host.starts_with('[')) return net::is_loopback(host) || host.starts_with("[fd00:ec2::23]");
  const std::string_view name = host.substr(0, host.find(':'));
  return net::is_loopback(name) || name == "169.254.170.2" || name == "169.254.170.23";
}

Result<AwsCredentials> parse_sts(std::string_view text) {
  TM_LET(const auto fields, read_flat_xml(text));
  const std::string at = "AssumeRoleWithWebIdentityResult/Credentials/";
  const auto field = [&](const char* name) {
    const auto it = fields.find(at + name);
    return it == fields.end() ? std::string() : it->second;
  };
  AwsCredentials got{field("AccessKeyId"), field("SecretAccessKey"), field("SessionToken"), {}};
  if (got.access_key.empty() || got.secret_key.empty()) return fail(Errc::corrupt, "no credentials in the answer");
  TM_LET(got.expires, named("Expiration", parse_rfc3339(field("Expiration"))));
  return got;
}

std::string sts_reason(const net::Answer& answer) {
  const auto fields = read_flat_xml(answer.text());
  if (!fields || !fields->contains("Error/Code")) return fmt::format("status {}", answer.status);
  const auto message = fields->find("Error/Message");
  return fields->at("Error/Code") + (message == fields->end() ? "" : ": " + message->second);
}

net::RetryPolicy near_policy() { return {.most_tries = 3, .first_wait = 100ms, .longest_wait = 1s, .budget = 4s}; }

net::Request near_request(std::string method, std::string url) {
  return {.method = std::move(method), .url = std::move(url), .connect_within = 1s, .silence = 2s, .deadline = 5s};
}

}  // namespace

AwsCredentialSource::AwsCredentialSource(Environment environment, std::string region, const std::string& ca_file,
                                         const Clock& clock, std::uint64_t seed)
    : environment_(std::move(environment)),
      region_(std::move(region)),
      clock_(clock),
      client_({.ca_file = ca_file}, clock),
      near_client_({.proxy = ""}, clock),
      gate_({.most_tries = 5, .budget = 1min}, clock, seed),
      near_gate_(near_policy(), clock, seed),
      found_(clock, kFetchBefore) {}

AwsCredentialSource::~AwsCredentialSource() = default;

std::string AwsCredentialSource::profile_region(const Environment& environment) {
  const auto profile = read_profile(environment);
  if (!profile || !*profile || !(*profile)->contains("region")) return {};
  return (*profile)->at("region");
}

std::string AwsCredentialSource::origin() const {
  const auto held = found_.held();
  return held ? held->origin : "nowhere";
}

Result<AwsCredentials> AwsCredentialSource::get(const std::stop_token& stop) {
  TM_LET(Found found, found_.get([&] { return find(stop); }));
  return std::move(found.credentials);
}

void AwsCredentialSource::refused(const AwsCredentials& credentials) {
  found_.drop([&](const Found& held) {
    return held.credentials.access_key == credentials.access_key &&
           held.credentials.session_token == credentials.session_token;
  });
}

Result<AwsCredentialSource::Found> AwsCredentialSource::find(const std::stop_token& stop) {
  TM_LET(auto found, from_environment());
  if (!found) {
    TM_LET(found, from_web_identity(environment_("AWS_WEB_IDENTITY_TOKEN_FILE"), environment_("AWS_ROLE_ARN"),
                                    environment_("AWS_ROLE_SESSION_NAME"), stop));
  }
  if (!found) {
    TM_LET(found, from_profile(stop));
  }
  if (!found) {
    TM_LET(found, from_container(stop));
  }
  if (!found) {
    TM_LET(found, from_instance(stop));
  }
  if (found) return *std::move(found);
  const ProfilePlaces places = profile_places(environment_);
  return std::unexpected(Error{Errc::denied,
                               fmt::format("no AWS credentials: neither in the environment, nor profile '{}' in '{}' "
                                           "or '{}', nor from a container or instance endpoint",
                                           places.name, places.credentials_file, places.config_file),
                               "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"});
}

Result<std::optional<AwsCredentialSource::Found>> AwsCredentialSource::from_environment() const {
  AwsCredentials got{
      environment_("AWS_ACCESS_KEY_ID"), environment_("AWS_SECRET_ACCESS_KEY"), environment_("AWS_SESSION_TOKEN"), {}};
  if (got.access_key.empty() && got.secret_key.empty()) return std::nullopt;
  if (got.access_key.empty() || got.secret_key.empty()) {
    return fail(Errc::denied, "{} is set, but {} is not",
                got.access_key.empty() ? "AWS_SECRET_ACCESS_KEY" : "AWS_ACCESS_KEY_ID",
                got.access_key.empty() ? "AWS_ACCESS_KEY_ID" : "AWS_SECRET_ACCESS_KEY");
  }
  return Found{std::move(got), "environment"};
}

Result<std::optional<AwsCredentialSource::Found>> AwsCredentialSource::from_web_identity(const std::string& token_file,
                                                                                         const std::string& role,
                                                                                         const std::string& session,
                                                                                         const std::stop_token& stop) {
  if (token_file.empty() || role.empty()) return std::nullopt;
  TM_LET(const std::string token, named("web identity token", read_text(token_file)));  // read anew: it is rotated
  std::string endpoint = environment_("AWS_ENDPOINT_URL_STS");
  if (endpoint.empty()) {
    endpoint = region_.empty()
                   ? "https://sts.amazonaws.com"
                   : fmt::format("https://sts.{}.amazonaws.com{}", region_, region_.starts_with("cn-") ? ".cn" : "");
  }
  if (!net::is_private(endpoint)) return fail(Errc::denied, "AWS_ENDPOINT_URL_STS '{}' is not https", endpoint);
  const std::string form = net::print_query({{"Action", "AssumeRoleWithWebIdentity"},
                                             {"Version", "2011-06-15"},
                                             {"RoleArn", role},
                                             {"RoleSessionName", session.empty() ? "tidemark" : session},
                                             {"WebIdentityToken", first_line(token)}});
  net::Caller caller(client_, gate_);
  TM_LET(const net::Answer answer, caller.call({.method = "POST",
                                                .url = endpoint + "/",
                                                .headers = {{"Content-Type", "application/x-www-form-urlencoded"}},
                                                .body = as_bytes(form),
                                                .deadline = 30s},
                                               stop, kMostText));
  if (!answer.ok()) {
    return fail(answer.status >= 500 ? Errc::unavailable : Errc::denied, "assume role '{}' at {}: {}", role, endpoint,
                sts_reason(answer));
  }
  TM_LET(AwsCredentials got, named(endpoint, parse_sts(answer.text())));
  return Found{std::move(got), fmt::format("web identity, role '{}'", role)};
}

Result<std::optional<AwsCredentialSource::Found>> AwsCredentialSource::from_profile(const std::stop_token& stop) {
  const ProfilePlaces places = profile_places(environment_);
  TM_LET(const auto profile, read_profile(environment_));
  const bool asked_for = !environment_("AWS_PROFILE").empty() || !environment_("AWS_DEFAULT_PROFILE").empty();
  if (!profile) {
    if (!asked_for) return std::nullopt;
    return fail(Errc::denied, "profile '{}' is neither in '{}' nor in '{}'", places.name, places.credentials_file,
                places.config_file);
  }
  const auto setting = [&](const char* name) {
    const auto it = profile->find(name);
    return it == profile->end() ? std::string() : it->second;
  };
  if (!setting("aws_access_key_id").empty() && !setting("aws_secret_access_key").empty()) {
    return Found{{setting("aws_access_key_id"), setting("aws_secret_access_key"), setting("aws_session_token"), {}},
                 fmt::format("profile '{}'", places.name)};
  }
  if (!setting("web_identity_token_file").empty()) {
    return from_web_identity(setting("web_identity_token_file"), setting("role_arn"), setting("role_session_name"),
                             stop);
  }
  for (const char* other : {"credential_process", "sso_session", "sso_account_id", "source_profile"}) {
    if (setting(other).empty() || !asked_for) continue;
    return std::unexpected(
        Error{Errc::unsupported,
              fmt::format("profile '{}' gets its credentials by {}, which is not read here", places.name, other),
              fmt::format("eval \"$(aws configure export-credentials --profile {} --format env)\"", places.name)});
  }
  if (asked_for) return fail(Errc::denied, "profile '{}' has no credentials", places.name);
  return std::nullopt;
}

Result<std::optional<AwsCredentialSource::Found>> AwsCredentialSource::from_container(const std::stop_token& stop) {
  std::string url = environment_("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
  if (!url.empty()) {
    url.insert(0, "http://169.254.170.2");
  } else {
    url = environment_("AWS_CONTAINER_CREDENTIALS_FULL_URI");
  }
  if (url.empty()) return std::nullopt;
  TM_LET(const net::Url parts, named("AWS_CONTAINER_CREDENTIALS_FULL_URI", net::parse_url(url)));
  if (parts.scheme == "http" && !may_be_plain(parts.host)) {
    return fail(Errc::denied, "container credentials: '{}' is not this machine and not https", parts.origin());
  }
  net::Request request = near_request("GET", url);
  std::string token = environment_("AWS_CONTAINER_AUTHORIZATION_TOKEN");
  if (const std::string file = environment_("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"); !file.empty()) {
    TM_LET(token, named("container authorization token", read_text(file)));
  }
  if (!token.empty()) request.headers.push_back({"Authorization", first_line(token)});
  net::Caller caller(near_client_, near_gate_);
  TM_LET(const net::Answer answer, named("container credentials", caller.call(request, stop, kMostText)));
  if (!answer.ok()) {
    return fail(answer.status >= 500 ? Errc::unavailable : Errc::denied, "container credentials: status {} from {}",
                answer.status, parts.origin());
  }
  TM_LET(AwsCredentials got, named("container credentials", parse_aws_credentials_json(answer.text())));
  return Found{std::move(got), "container endpoint"};
}

Result<std::optional<AwsCredentialSource::Found>> AwsCredentialSource::from_instance(const std::stop_token& stop) {
  if (environment_("AWS_EC2_METADATA_DISABLED") == "true") return std::nullopt;
  std::string base = environment_("AWS_EC2_METADATA_SERVICE_ENDPOINT");
  if (base.empty()) base = "http://169.254.169.254";
  while (base.ends_with('/')) base.pop_back();
  net::Caller caller(near_client_, near_gate_);
  net::Request ask = near_request("PUT", base + "/latest/api/token");
  ask.headers = {{"X-aws-ec2-metadata-token-ttl-seconds", "21600"}};
  // Where nobody answers is no cloud's machine.
  const Result<net::Answer> token = caller.call(ask, stop, kMostText);
  if (!token && token.error().code != Errc::cancelled) return std::nullopt;
  if (!token) return std::unexpected(token.error());
  if (!token->ok()) return std::nullopt;
  const auto read = [&](const std::string& path) -> Result<net::Answer> {
    net::Request request = near_request("GET", base + path);
    request.headers = {{"X-aws-ec2-metadata-token", first_line(std::string(token->text()))}};
    return named("instance credentials", caller.call(request, stop, kMostText));
  };
  const std::string path = "/latest/meta-data/iam/security-credentials/";
  TM_LET(const net::Answer roles, read(path));
  if (roles.status == 404) return std::nullopt;  // a machine without a role
  if (!roles.ok()) return fail(Errc::unavailable, "instance credentials: status {}", roles.status);
  const std::string role = first_line(std::string(roles.text().substr(0, roles.text().find('\n'))));
  TM_LET(const net::Answer answer, read(path + net::percent_encode(role)));
  if (!answer.ok()) return fail(Errc::unavailable, "instance credentials of role '{}': status {}", role, answer.status);
  TM_LET(AwsCredentials got, named("instance credentials", parse_aws_credentials_json(answer.text())));
  return Found{std::move(got), fmt::format("instance role '{}'", role)};
}

}  // namespace tidemark::store
