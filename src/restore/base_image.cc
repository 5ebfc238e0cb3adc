#include "restore/base_image.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "bucket/full.h"

namespace tidemark::restore {
namespace {

constexpr std::uint64_t kDigest = 32;
constexpr std::uint64_t kBlock = 512;
constexpr std::size_t kWindow = 256UL * 1024;  // stays in the core's cache

Status check_digest(const io::Path& file, std::uint64_t length, const std::stop_token& stop) {
  TM_LET(io::FileSource source, io::FileSource::open(file));
  Buffer window(kWindow);
  crypto::Sha256 hash;
  for (std::uint64_t left = length; left > 0;) {
    if (stop.stop_requested()) return fail(Errc::cancelled, "stopped");
    const MutableBytes piece = MutableBytes(window).first(std::min<std::uint64_t>(left, kWindow));
    TM_LET(const std::size_t got, io::read_full(source, piece));
    if (got < piece.size()) return fail(Errc::torn, "ends {} bytes before its digest", left - got);
    hash.update(piece);
    left -= got;
  }
  crypto::Sha256Digest said{};
  TM_LET(const std::size_t got, io::read_full(source, said));
  const crypto::Sha256Digest is = hash.finish();
  if (got == said.size() && is == said) return {};
  return fail(Errc::corrupt, "full: the {} bytes of the database have sha256 {}, the body says {}", length, to_hex(is),
              to_hex(Bytes(said).first(got)));
}

Status no_digest(std::string_view name) {
  return hinted(Status(fail(Errc::corrupt, "{}: the SHA-256 at the end is missing", name)),
                "--skip-digest takes it without proof that it is whole");
}

// The length of the database in a body of `size` bytes, whatever its digest says.
Result<std::uint64_t> unproven_length(std::uint64_t size, std::string_view name) {
  const std::uint64_t rest = size % kBlock;
  if (size <= kDigest || (rest != 0 && rest != kDigest)) {
    return fail(Errc::torn, "{}: {} bytes are neither a database nor one with a digest: it was cut short", name, size);
  }
  return size - rest;
}

Result<std::uint64_t> spool_unproven(io::Source& body, const io::Path& spool, std::string_view name) {
  TM_LET(const io::Fd fd, io::open_file(spool, O_CREAT | O_EXCL | O_WRONLY));
  io::FdSink sink(fd.get(), spool);
  TM_LET(const std::uint64_t size, named(name, io::pump(body, sink)));
  return unproven_length(size, name);
}

}  // namespace

Result<std::unique_ptr<BaseImage>> BaseImage::open(const io::Path& file, std::uint64_t length, std::string_view name,
                                                   bool proven, const io::Path& remove_later) {
  TM_LET(auto reader, named(name, bolt::Reader::open(file, length)));
  if (!proven) {
    // Nothing else vouches for the pages.
    const auto findings = bolt::check_structure(reader, 1);
    if (!findings.empty()) return fail(Errc::corrupt, "{}: {}", name, findings.front());
  }
  TM_LET(auto state, named(name, etcd::read_state(reader)));
  return std::unique_ptr<BaseImage>(new BaseImage(std::move(reader), std::move(state), length, remove_later));
}

Result<std::unique_ptr<BaseImage>> BaseImage::spool(io::Source& body, const io::Path& spool, std::string_view name,
                                                    bool skip_digest) {
  auto opened = [&]() -> Result<std::unique_ptr<BaseImage>> {
    if (skip_digest) {
      TM_LET(const std::uint64_t length, spool_unproven(body, spool, name));
      return open(spool, length, name, false, spool);
    }
    TM_LET(const bucket::FullBody full, named(name, bucket::spool_full(body, spool)));
    if (!full.has_digest) return std::unexpected(no_digest(name).error());
    return open(spool, full.db_bytes, name, true, spool);
  }();
  if (!opened) ::unlink(spool.c_str());
  return opened;
}

Result<std::unique_ptr<BaseImage>> BaseImage::in_place(const io::Path& file, bool skip_digest) {
  const std::string name = file.string();
  if (skip_digest) {
    TM_LET(const std::uint64_t size, io::size_of_file(file));
    TM_LET(const std::uint64_t length, unproven_length(size, name));
    return open(file, length, name, false, {});
  }
  TM_LET(const std::uint64_t size, io::size_of_file(file));
  TM_LET(const std::uint64_t length, unproven_length(size, name));
  if (length == size) return std::unexpected(no_digest(name).error());
  auto opened = open(file, length, name, true, {});
  if (!opened) {
    // A wrong digest says more than the damage that was met first.
    TM_CHECK(named(name, check_digest(file, length, {})));
    return std::unexpected(std::move(opened).error());
  }
  std::unique_ptr<BaseImage> image = *std::move(opened);
  image->hashing_ = std::jthread([self = image.get(), file, length, name](const std::stop_token& stop) {
    self->digest_ = named(name, check_digest(file, length, stop));
  });
  return image;
}

const Status& BaseImage::proven() {
  if (hashing_.joinable()) hashing_.join();
  return digest_;
}

BaseImage::~BaseImage() {
  if (!remove_.empty()) ::unlink(remove_.c_str());
}

}  // namespace tidemark::restore
