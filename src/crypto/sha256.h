// SHA-256 (FIPS 180-4) by OpenSSL, which picks the CPU's SHA instructions at run time.
#pragma once

#include <array>
#include <memory>

#include "base/bytes.h"

struct evp_md_ctx_st;

namespace tidemark::crypto {

using Sha256Digest = std::array<std::byte, 32>;
using Sha1Digest = std::array<std::byte, 20>;

// Streaming digest. Threads: one at a time.
class Sha256 {
 public:
  Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  ~Sha256();
  void update(Bytes bytes);
  Sha256Digest finish();        // ends the stream; the object starts a new one
  Sha256Digest so_far() const;  // the digest of what was given, without ending the stream

 private:
  struct Free {
    void operator()(evp_md_ctx_st* context) const;
  };
  std::unique_ptr<evp_md_ctx_st, Free> context_;
};

Sha256Digest sha256(Bytes bytes);
Sha1Digest sha1(Bytes bytes);  // only for etcd's member and cluster ids, which are defined by it

}  // namespace tidemark::crypto
