// Where the right to a storage account comes from. The first of these that the environment names is taken:
//
//   1. AZURE_STORAGE_CONNECTION_STRING: an account key or a shared access signature (SAS)
//   2. AZURE_STORAGE_KEY, with AZURE_STORAGE_ACCOUNT being the URL's account or not set
//   3. AZURE_STORAGE_SAS_TOKEN
//   4. AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_SECRET: an application's secret
//   5. AZURE_FEDERATED_TOKEN_FILE with AZURE_TENANT_ID, AZURE_CLIENT_ID: Kubernetes' workload identity
//   6. IDENTITY_ENDPOINT with IDENTITY_HEADER: App Service, Container Apps
//   7. the machine's managed identity, from 169.254.169.254; AZURE_CLIENT_ID picks one of several
//
// AZURE_AUTHORITY_HOST (default https://login.microsoftonline.com) gives out the tokens of 4 and 5.
// Tokens are fetched again five minutes before they end; while that fails the old ones serve until they end, and a
// failure is told again for half a minute without asking (store/renewed.h).
// Secrets are never in a message. Threads: any; one fetches, the others wait for it.
#pragma once

#include <optional>
#include <stop_token>

#include "base/clock.h"
#include "net/caller.h"
#include "net/url.h"
#include "store/environment.h"
#include "store/renewed.h"

namespace tidemark::store {

struct AzureToken {
  std::string value;
  Time expires;
};

class AzureCredentialSource {
 public:
  AzureCredentialSource(Environment environment, std::string account, const std::string& ca_file, const Clock& clock,
                        std::uint64_t seed);

  // Adds what proves the right: a signature, a token, or the SAS to the query. To be called last, once a try.
  // Errc::denied: none of the places has anything; the message says what was tried.
  Status authorize(net::Request& request, const std::stop_token& stop);
  // The service says that the token is no longer good: the next call fetches another. False: it was no token.
  bool refused();
  // Where it came from: "AZURE_STORAGE_KEY", "workload identity", …
  std::string origin() const;

 private:
  struct Found {
    std::string origin;
    Buffer key{};       // of the account
    std::string sas{};  // without '?'
    std::optional<AzureToken> token{};
    std::optional<Time> ends() const { return token ? std::optional(token->expires) : std::nullopt; }
  };
  Result<Found> find(const std::stop_token& stop);
  Result<std::optional<Found>> from_environment() const;
  Result<std::optional<Found>> from_application(const std::stop_token& stop);
  Result<std::optional<Found>> from_app_service(const std::stop_token& stop);
  Result<Found> from_machine(const std::stop_token& stop);
  Result<AzureToken> ask_authority(net::Query form, const std::stop_token& stop);

  const Environment environment_;
  const std::string account_;
  const Clock& clock_;
  net::Client client_;       // the authority, by the environment's proxy
  net::Client near_client_;  // the machine's own endpoints: never through a proxy
  net::RetryGate gate_, near_gate_;
  Renewed<Found> found_;
};

// {"access_token": …, "expires_in" | "expires_on": …}, numbers or decimal texts. Errc::corrupt.
Result<AzureToken> parse_azure_token(std::string_view json, Time now);

}  // namespace tidemark::store
