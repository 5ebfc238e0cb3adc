#include "bucket/full.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "io/read_ahead.h"

namespace tidemark::bucket {

namespace {

constexpr std::size_t kDigestBytes = sizeof(crypto::Sha256Digest);
constexpr std::uint64_t kBlock = 512;

// Hashes and writes everything but the last 32 bytes given so far.
class AllButDigest {
 public:
  explicit AllButDigest(io::Sink& to) : to_(to) {}

  Status take(Bytes piece) {
    // Pieces are large and a held-back tail is 32 bytes: it goes out by itself, the piece without a copy.
    const std::size_t together = held_.size() + piece.size();
    const std::size_t out = together < kDigestBytes ? 0 : together - kDigestBytes;
    const std::size_t of_held = std::min(out, held_.size());
    TM_CHECK(pass(Bytes(held_).first(of_held)));
    held_.erase(held_.begin(), held_.begin() + static_cast<std::ptrdiff_t>(of_held));
    const std::size_t of_piece = out - of_held;
    TM_CHECK(pass(piece.first(of_piece)));
    held_.insert(held_.end(), piece.begin() + static_cast<std::ptrdiff_t>(of_piece), piece.end());
    return {};
  }

  Status pass(Bytes bytes) {
    if (bytes.empty()) return {};
    hash_.update(bytes);
    passed_ += bytes.size();
    return to_.write(bytes);
  }

  const Buffer& held() const { return held_; }
  std::uint64_t passed() const { return passed_; }
  crypto::Sha256Digest digest() { return hash_.finish(); }

 private:
  io::Sink& to_;
  crypto::Sha256 hash_;
  Buffer held_;
  std::uint64_t passed_ = 0;
};

}  // namespace

Result<FullBody> split_full(io::Source& body, io::Sink& to) {
  io::ReadAhead pieces(body);
  AllButDigest split(to);
  for (;;) {
    TM_LET(const Bytes piece, pieces.next());
    if (piece.empty()) break;
    TM_CHECK(split.take(piece));
  }
  const std::uint64_t total = split.passed() + split.held().size();
  if (total == 0) return fail(Errc::torn, "full: the body is empty");
  FullBody full;
  full.has_digest = total % kBlock == kDigestBytes;
  if (!full.has_digest) {
    if (total % kBlock != 0) {
      return fail(Errc::torn, "full: {} bytes are neither a database nor a database with its digest", total);
    }
    TM_CHECK(split.pass(split.held()));
  }
  full.db_bytes = split.passed();
  if (full.db_bytes == 0) return fail(Errc::torn, "full: a digest without a database");
  full.digest = split.digest();
  if (full.has_digest && !std::ranges::equal(full.digest, split.held())) {
    return fail(Errc::corrupt, "full: the {} bytes of the database have sha256 {}, the body says {}", full.db_bytes,
                to_hex(full.digest), to_hex(split.held()));
  }
  return full;
}

Result<FullBody> spool_full(io::Source& body, const io::Path& to) {
  TM_LET(const io::Fd fd, io::open_file(to, O_WRONLY | O_CREAT | O_EXCL));
  io::FdSink sink(fd.get(), to);
  auto full = split_full(body, sink);
  if (!full) ::unlink(to.c_str());
  return full;
}

}  // namespace tidemark::bucket
