// From one credential to an access token: what Google's token services are asked, one function a kind. Private to
// store/.
//
// Each takes the JSON of a credentials file. Errc::denied: the service refuses; Errc::invalid: a field is missing or
// wrong; Errc::unavailable, timeout: it could not be asked. No secret is ever in a message.
// Threads: any.
#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "net/caller.h"

namespace tidemark::store {

struct GoogleToken {
  std::string text;
  Time expires;
  std::string origin;  // "service account x@y"
  std::optional<Time> ends() const { return expires; }
};

struct TokenCalls {
  net::Caller& far;   // token services
  net::Caller& near;  // this machine's own addresses, never through a proxy
  const Clock& clock;
  std::stop_token stop;
};

// Any of the kinds, by its "type". `json` comes from `path`, which messages name.
Result<GoogleToken> token_from_file(std::string_view json, std::string_view path, const TokenCalls& calls);

// The signed JWT that a service account's key is exchanged with (RFC 7523). Pure.
struct ServiceAccountKey {
  std::string email, key_id, private_key, token_uri;
};
Result<std::string> make_assertion(const ServiceAccountKey& key, std::string_view scope, Time now);

// {"access_token": …, "expires_in": 3599}. Errc::corrupt: it is not that.
Result<GoogleToken> parse_token_answer(std::string_view json, Time now);

}  // namespace tidemark::store
