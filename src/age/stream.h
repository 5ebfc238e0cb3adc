// What follows the header of an age file: a nonce, then chunks of 64 KiB, each sealed by itself with its number and
// whether it is the last. So a reader may begin anywhere, and a file that was cut at any place is found out.
#pragma once

#include <functional>
#include <memory>

#include "age/header.h"

namespace tidemark::age {

inline constexpr std::size_t kChunk = 64UL << 10U;
inline constexpr std::size_t kSealedChunk = kChunk + crypto::kTagBytes;
inline constexpr std::size_t kStreamNonce = 16;

// Text of `text_bytes` makes a file of this size with a header of that.
constexpr std::uint64_t sealed_size(std::uint64_t text_bytes, std::size_t header_bytes) {
  const std::uint64_t chunks = text_bytes == 0 ? 1 : (text_bytes + kChunk - 1) / kChunk;
  return header_bytes + kStreamNonce + text_bytes + chunks * crypto::kTagBytes;
}
// The other way round. Errc::corrupt: no file has that size.
Result<std::uint64_t> text_size(std::uint64_t file_bytes, std::size_t header_bytes);

// Seals into `to`. Threads: one. Memory: two chunks.
class EncryptSink final : public io::Sink {
 public:
  // `header` must have been made for `key`.
  EncryptSink(io::Sink& to, std::string header, const FileKey& key);
  Status write(Bytes bytes) override;
  Status finish() override;  // the last chunk; then to.finish()

 private:
  Status begin();
  Status seal(bool last);

  io::Sink& to_;
  std::string header_;
  std::array<std::byte, kStreamNonce> nonce_{};
  crypto::ChaChaPoly cipher_;
  std::uint64_t counter_ = 0;
  bool begun_ = false;
  Buffer chunk_, sealed_;
};

// Reads a part of an age file: (offset, length), which may run past its end.
using OpenRange = std::function<Result<std::unique_ptr<io::Source>>(std::uint64_t, std::uint64_t)>;
using Unlock = std::function<Result<FileKey>(const Header&)>;

// The text from `offset` on, at most `length` bytes, which may run past its end. Every byte that is handed out is
// authentic; that nothing is missing is known when the end was read. Errc::torn: the file ends where another chunk must
// follow. Errc::corrupt: a chunk was altered, or cut. Otherwise as parse_header() and `unlock`.
Result<std::unique_ptr<io::Source>> decrypting(const OpenRange& open, const Unlock& unlock, std::uint64_t offset = 0,
                                               std::uint64_t length = UINT64_MAX);

// A whole small file. Errc::corrupt above `limit`.
Result<Buffer> decrypt(Bytes file, std::span<const Identity> identities, std::uint64_t limit = 1UL << 20U);
// Requires: some recipients.
Buffer encrypt(Bytes text, std::span<const Recipient> recipients);

}  // namespace tidemark::age
