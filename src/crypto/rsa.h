// RS256: RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518, 3.3), the signature of JSON Web Tokens; and their base64.
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace tidemark::crypto {

// `private_key`: PEM, PKCS #8 or PKCS #1, without a passphrase. Errc::invalid: no such key, or not RSA. The key's text
// is never in a message.
Result<Buffer> sign_rs256(std::string_view private_key, Bytes text);

// base64 with '-' and '_' and without padding (RFC 7515, 2).
std::string to_base64url(Bytes bytes);

}  // namespace tidemark::crypto
