// Where the right to a bucket of Google's comes from: Application Default Credentials, in Google's order.
//
//   1. the file that GOOGLE_APPLICATION_CREDENTIALS names
//   2. ~/.config/gcloud/application_default_credentials.json (or below CLOUDSDK_CONFIG)
//   3. the metadata server of the machine or pod (GKE workload identity); GCE_METADATA_HOST moves it
//
// A file may be a service account's key, an external account (workload identity federation: the subject token from a
// file or a URL), a user's refresh token, or one of these that impersonates a service account.
// Tokens last an hour at most; a new one is fetched four minutes before the end, and while that fails the old one
// serves until its end; a failure is told again for half a minute without asking (store/renewed.h). Files are read anew
// each time: they are rotated. Threads: any; one fetches, the others wait for it.
#pragma once

#include <stop_token>
#include <string>

#include "base/clock.h"
#include "net/http.h"
#include "net/retry.h"
#include "store/environment.h"
#include "store/google_tokens.h"
#include "store/renewed.h"

namespace tidemark::store {

class GoogleCredentials {
 public:
  // `ca_file`: as for the store. `wait`: how retries wait; empty: really.
  GoogleCredentials(Environment environment, const std::string& ca_file, const Clock& clock, std::uint64_t seed,
                    const net::RetryGate::Wait& wait = {});

  // An access token for "Authorization: Bearer". Errc::denied: none of the places has any (the message says what was
  // tried), or Google refuses them. Errc::unsupported: a kind of file that is not read here.
  Result<std::string> get(const std::stop_token& stop);
  // The store said that this token is no longer good: the next get() fetches, unless somebody has done so already.
  void refused(const std::string& token);

  // Where the last one came from: "service account backup@p.iam.gserviceaccount.com". Never a secret.
  std::string origin() const;

 private:
  Result<GoogleToken> find(const std::stop_token& stop);
  Result<GoogleToken> from_file(const std::string& path, const std::stop_token& stop);
  Result<GoogleToken> from_metadata(const std::stop_token& stop);

  const Environment environment_;
  const Clock& clock_;
  net::Client client_;       // token services, by the environment's proxy
  net::Client near_client_;  // the metadata server: never through a proxy
  net::RetryGate gate_, near_gate_;
  Renewed<GoogleToken> token_;
};

}  // namespace tidemark::store
