// Where the right to a bucket comes from: the places that Amazon's own tools look in, in their order.
//
//   1. AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN
//   2. AWS_WEB_IDENTITY_TOKEN_FILE with AWS_ROLE_ARN: a Kubernetes service account, through the token service (STS)
//   3. the profile AWS_PROFILE (default: "default") of ~/.aws/credentials and ~/.aws/config: keys, or a web identity
//   4. AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or _FULL_URI: ECS, EKS pod identity
//   5. the machine's own role, from 169.254.169.254 (IMDSv2 only)
//
// Temporary ones are fetched again five minutes before they end; while that fails the old ones serve until they end,
// and a failure is told again for half a minute without asking (store/renewed.h).
// Threads: any; one fetches, the others wait for it.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <stop_token>

#include "base/clock.h"
#include "net/http.h"
#include "net/retry.h"
#include "store/environment.h"
#include "store/renewed.h"
#include "store/sigv4.h"

namespace tidemark::store {

class AwsCredentialSource {
 public:
  // `region`: the token service's; empty: its global endpoint. `ca_file`: as for the store.
  AwsCredentialSource(Environment environment, std::string region, const std::string& ca_file, const Clock& clock,
                      std::uint64_t seed);
  ~AwsCredentialSource();

  // Errc::denied: none of the places has any; the message says what was tried.
  Result<AwsCredentials> get(const std::stop_token& stop);
  // The service said that these are no longer good: the next get() fetches, unless somebody has done so already.
  void refused(const AwsCredentials& credentials);

  // Where the last ones came from: "environment", "profile 'prod'", "instance role 'backup'".
  std::string origin() const;
  // The profile's region; empty when it has none.
  static std::string profile_region(const Environment& environment);

 private:
  struct Found {
    AwsCredentials credentials;
    std::string origin;
    std::optional<Time> ends() const { return credentials.expires; }
  };
  Result<std::optional<Found>> from_environment() const;
  Result<std::optional<Found>> from_web_identity(const std::string& token_file, const std::string& role,
                                                 const std::string& session, const std::stop_token& stop);
  Result<std::optional<Found>> from_profile(const std::stop_token& stop);
  Result<std::optional<Found>> from_container(const std::stop_token& stop);
  Result<std::optional<Found>> from_instance(const std::stop_token& stop);
  Result<Found> find(const std::stop_token& stop);

  const Environment environment_;
  const std::string region_;
  const Clock& clock_;
  net::Client client_;       // the token service, by the environment's proxy
  net::Client near_client_;  // container and instance: never through a proxy
  net::RetryGate gate_, near_gate_;
  Renewed<Found> found_;
};

// The sections of an ini file as ~/.aws/config has them; in it a profile's section is "profile NAME". Pure.
using AwsProfile = std::map<std::string, std::string>;
Result<std::optional<AwsProfile>> find_aws_profile(std::string_view text, std::string_view section);

// The JSON of container and instance endpoints.
Result<AwsCredentials> parse_aws_credentials_json(std::string_view text);

}  // namespace tidemark::store
