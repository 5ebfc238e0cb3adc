// What signing requests to object stores needs: HMAC-SHA-256 (RFC 2104), base64 (RFC 4648, with padding), and MD5
// where a protocol wants a key named by it.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/sha256.h"

namespace tidemark::crypto {

Sha256Digest hmac_sha256(Bytes key, Bytes text);

using Md5Digest = std::array<std::byte, 16>;
Md5Digest md5(Bytes bytes);  // never as a proof of anything

std::string to_base64(Bytes bytes);
// Errc::invalid: another character, no padding, or bits left over. Blanks and line breaks are refused too.
Result<Buffer> from_base64(std::string_view text);

}  // namespace tidemark::crypto
