#include "age/stream.h"

#include <algorithm>
#include <optional>

namespace tidemark::age {
namespace {

crypto::Secret32 payload_key(const FileKey& key, Bytes nonce) { return crypto::hkdf_sha256(key, nonce, "payload"); }

crypto::Nonce12 chunk_nonce(std::uint64_t counter, bool last) {
  crypto::Nonce12 nonce{};
  store_le(nonce.data() + 3, std::byteswap(counter));
  nonce[11] = last ? std::byte{1} : std::byte{0};
  return nonce;
}

std::array<std::byte, kStreamNonce> fresh_nonce() {
  std::array<std::byte, kStreamNonce> nonce{};
  crypto::random_bytes(nonce);
  return nonce;
}

class Nothing final : public io::Source {
 public:
  Result<std::size_t> read(MutableBytes) override { return 0; }
};

class DecryptSource final : public io::Source {
 public:
  DecryptSource(std::unique_ptr<io::Source> from, Buffer already, const crypto::Secret32& key, std::uint64_t offset,
                std::uint64_t length)
      : from_(std::move(from)),
        cipher_(key),
        counter_(offset / kChunk),
        skip_(offset % kChunk),
        left_(length),
        sealed_(std::move(already)),
        text_(kChunk) {}

  Result<std::size_t> read(MutableBytes into) override {
    while (ready_.empty() && !ended_ && left_ > 0) TM_CHECK(next());
    const std::size_t n = std::min<std::uint64_t>({into.size(), ready_.size(), left_});
    std::copy_n(ready_.begin(), n, into.begin());
    ready_ = ready_.subspan(n);
    left_ -= n;
    return n;
  }

 private:
  // One chunk, and a byte behind it: without that byte it is the last.
  Status next() {
    if (behind_) return std::unexpected(*behind_);
    const std::size_t have = sealed_.size();
    sealed_.resize(std::max(have, kSealedChunk + 1));
    TM_LET(const std::size_t more, io::read_full(*from_, MutableBytes(sealed_).subspan(have)));
    sealed_.resize(have + more);
    const bool last = sealed_.size() <= kSealedChunk;
    if (sealed_.empty() && counter_ > 0 && skipped_into_) {  // a part that begins behind the end
      ended_ = true;
      return {};
    }
    TM_CHECK(open(Bytes(sealed_).first(std::min(sealed_.size(), kSealedChunk)), last));
    sealed_.erase(sealed_.begin(),
                  sealed_.begin() + static_cast<std::ptrdiff_t>(std::min(sealed_.size(), kSealedChunk)));
    ready_ = ready_.subspan(std::min(skip_, ready_.size()));
    skip_ = 0;
    ended_ = last && !behind_;
    ++counter_;
    skipped_into_ = false;
    return {};
  }

  Status open(Bytes sealed, bool last) {
    if (sealed.empty()) return fail(Errc::torn, "the file ends where chunk {} must follow", counter_);
    const std::size_t size = sealed.size() < crypto::kTagBytes ? 0 : sealed.size() - crypto::kTagBytes;
    if (cipher_.open(chunk_nonce(counter_, last), sealed, text_)) {
      if (size == 0 && counter_ > 0) return fail(Errc::corrupt, "chunk {} is empty", counter_);
      ready_ = Bytes(text_).first(size);
      return {};
    }
    // The chunk is authentic and is handed out; what is wrong with the file is told behind it.
    if (sealed.size() == kSealedChunk && cipher_.open(chunk_nonce(counter_, !last), sealed, text_)) {
      ready_ = Bytes(text_).first(size);
      behind_ = last ? Error{Errc::torn, fmt::format("the file ends where chunk {} must follow", counter_ + 1), {}}
                     : Error{Errc::corrupt, fmt::format("something follows chunk {}, which is the last", counter_), {}};
      return {};
    }
    return fail(Errc::corrupt, "chunk {} (text from offset {} on) was altered or cut", counter_, counter_ * kChunk);
  }

  std::unique_ptr<io::Source> from_;
  crypto::ChaChaPoly cipher_;
  std::uint64_t counter_;
  std::size_t skip_;
  std::uint64_t left_;
  Buffer sealed_;  // read and not opened yet: at the front the next chunk
  Buffer text_;
  Bytes ready_;
  bool ended_ = false;
  std::optional<Error> behind_;
  bool skipped_into_ = true;  // nothing was read yet
};

struct Opened {
  Header header;
  std::unique_ptr<io::Source> rest;
  Buffer already;  // read from `rest`, behind the header
};

Result<Opened> read_header(std::unique_ptr<io::Source> from) {
  constexpr std::size_t kFirst = 2304;  // holds most headers with their nonce
  Buffer begin;
  for (std::size_t want = kFirst;; want *= 2) {
    const std::size_t have = begin.size();
    begin.resize(want);
    TM_LET(const std::size_t more, io::read_full(*from, MutableBytes(begin).subspan(have)));
    begin.resize(have + more);
    auto header = parse_header(begin);
    if (!header && header.error().code == Errc::torn && begin.size() == want && want < kMaxHeader) continue;
    if (!header) return std::unexpected(header.error());
    begin.erase(begin.begin(), begin.begin() + static_cast<std::ptrdiff_t>(header->size));
    return Opened{*std::move(header), std::move(from), std::move(begin)};
  }
}

}  // namespace

Result<std::uint64_t> text_size(std::uint64_t file_bytes, std::size_t header_bytes) {
  if (file_bytes < sealed_size(0, header_bytes))
    return fail(Errc::corrupt, "{} bytes are too few for an age file", file_bytes);
  const std::uint64_t sealed = file_bytes - header_bytes - kStreamNonce;
  const std::uint64_t chunks = (sealed + kSealedChunk - 1) / kSealedChunk;
  const std::uint64_t tail = sealed - (chunks - 1) * kSealedChunk;
  if (tail < crypto::kTagBytes || (tail == crypto::kTagBytes && chunks > 1)) {
    return fail(Errc::corrupt, "no age file has {} bytes with a header of {}", file_bytes, header_bytes);
  }
  return sealed - chunks * crypto::kTagBytes;
}

EncryptSink::EncryptSink(io::Sink& to, std::string header, const FileKey& key)
    : to_(to), header_(std::move(header)), nonce_(fresh_nonce()), cipher_(payload_key(key, nonce_)) {
  chunk_.reserve(kChunk);
}

Status EncryptSink::begin() {
  if (begun_) return {};
  begun_ = true;
  TM_CHECK(to_.write(as_bytes(header_)));
  return to_.write(nonce_);
}

Status EncryptSink::seal(bool last) {
  sealed_.resize(chunk_.size() + crypto::kTagBytes);
  cipher_.seal(chunk_nonce(counter_++, last), chunk_, sealed_);
  chunk_.clear();
  return to_.write(sealed_);
}

Status EncryptSink::write(Bytes bytes) {
  TM_CHECK(begin());
  while (!bytes.empty()) {
    // A full chunk waits for what follows: only then it is known not to be the last.
    if (chunk_.size() == kChunk) TM_CHECK(seal(false));
    const std::size_t n = std::min(bytes.size(), kChunk - chunk_.size());
    chunk_.insert(chunk_.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(n));
    bytes = bytes.subspan(n);
  }
  return {};
}

Status EncryptSink::finish() {
  TM_CHECK(begin());
  TM_CHECK(seal(true));
  return to_.finish();
}

Result<std::unique_ptr<io::Source>> decrypting(const OpenRange& open, const Unlock& unlock, std::uint64_t offset,
                                               std::uint64_t length) {
  constexpr std::uint64_t kFarthest = std::uint64_t{1} << 60U;
  const bool whole = offset < kChunk;  // goes on behind the header in one read
  const std::uint64_t text_end = length > kFarthest || offset > kFarthest ? UINT64_MAX : offset + length;
  // A bounded read needs the chunk of its last byte, and a byte behind that.
  const auto sealed_end = [&](std::size_t header_bytes) {
    if (text_end == UINT64_MAX) return UINT64_MAX;
    return header_bytes + kStreamNonce + (text_end / kChunk + 1) * kSealedChunk + 1;
  };
  TM_LET(auto from, open(0, whole ? sealed_end(kMaxHeader) : kMaxHeader + kStreamNonce));
  TM_LET(Opened opened, read_header(std::move(from)));
  TM_LET(const FileKey key, unlock(opened.header));
  if (opened.already.size() < kStreamNonce) {
    const std::size_t have = opened.already.size();
    opened.already.resize(kStreamNonce);
    TM_LET(const std::size_t more, io::read_full(*opened.rest, MutableBytes(opened.already).subspan(have)));
    if (have + more < kStreamNonce) return fail(Errc::torn, "the file ends in its nonce");
  }
  const crypto::Secret32 payload = payload_key(key, Bytes(opened.already).first(kStreamNonce));
  opened.already.erase(opened.already.begin(), opened.already.begin() + kStreamNonce);
  if (offset > kFarthest) return std::make_unique<Nothing>();
  if (whole) {
    return std::make_unique<DecryptSource>(std::move(opened.rest), std::move(opened.already), payload, offset, length);
  }
  const std::uint64_t at = opened.header.size + kStreamNonce + offset / kChunk * kSealedChunk;
  const std::uint64_t end = sealed_end(opened.header.size);
  TM_LET(auto part, open(at, end == UINT64_MAX ? end : end - at));
  return std::make_unique<DecryptSource>(std::move(part), Buffer(), payload, offset, length);
}

Result<Buffer> decrypt(Bytes file, std::span<const Identity> identities, std::uint64_t limit) {
  const OpenRange open = [&](std::uint64_t offset, std::uint64_t length) -> Result<std::unique_ptr<io::Source>> {
    Bytes part = file.subspan(std::min<std::uint64_t>(offset, file.size()));
    part = part.first(std::min<std::uint64_t>(length, part.size()));
    return std::make_unique<io::BytesSource>(part);
  };
  TM_LET(const auto text, decrypting(open, [&](const Header& header) { return unlock(header, identities); }));
  return io::read_all(*text, limit);
}

Buffer encrypt(Bytes text, std::span<const Recipient> recipients) {
  FileKey key;
  crypto::random_bytes(key);
  io::BufferSink file;
  EncryptSink sink(file, print_header(key, recipients, {}), key);
  crypto::wipe(key);
  // Nothing fails between memory and memory.
  (void)sink.write(text);
  (void)sink.finish();
  return std::move(file.buffer());
}

}  // namespace tidemark::age
