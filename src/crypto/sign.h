// What signing requests to object stores needs: HMAC-SHA-256 (RFC 2104), base64 (RFC 4648, with padding), and MD5
// where a protocol wants a key named by it.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/sha256.h"

namespace tidemark::crypto {

Sha256Digest hmac_sha256(Bytes key, Bytes text);

using Md5Digest = std::array<std::byte, 16>;
Md5Digest md5(Bytes bytes);  // never as a proof of anything

// The same of bytes that come in pieces. Threads: one at a time.
class Md5 {
 public:
  Md5();
  void update(Bytes bytes);
  Md5Digest finish();  // ends the stream; the object starts a new one

 private:
  struct Free {
    void operator()(evp_md_ctx_st* context) const;
  };
  std::unique_ptr<evp_md_ctx_st, Free> context_;
};

std::string to_base64(Bytes bytes);
// Errc::invalid: another character, no padding, or bits left over. Blanks and line breaks are refused too.
Result<Buffer> from_base64(std::string_view text);

}  // namespace tidemark::crypto
