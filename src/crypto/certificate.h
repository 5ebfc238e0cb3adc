// A certificate for one server of ours and the authority that signed it, both made on the spot by OpenSSL: P-256,
// X.509 version 3. The authority's key is forgotten, so it can never sign another. Threads: any.
#pragma once

#include <chrono>
#include <span>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "crypto/sealed.h"

namespace tidemark::crypto {

struct ServerIdentity {
  std::string authority;    // PEM: what clients trust
  std::string certificate;  // PEM
  Secret key;               // PEM
};

// `names`: what clients call the server: names and addresses, without ports. Good from some minutes before `now`.
// Errc::invalid: no names, or one that is no name and no address.
Result<ServerIdentity> make_server_identity(std::span<const std::string> names, Time now, std::chrono::days good_for);

// As if all of them were compared, whatever the first difference is: for secrets that somebody guesses at.
bool equal_in_constant_time(std::string_view a, std::string_view b);

}  // namespace tidemark::crypto
