#include "restore/base_image.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "bucket/full.h"

namespace tidemark::restore {
namespace {

constexpr std::uint64_t kDigest = 32;
constexpr std::uint64_t kBlock = 512;
constexpr std::size_t kWindow = 1UL << 20U;

// Of a database of `length` bytes and the digest behind it. From the mapping and not by name: what is proven must be
// what is read.
Status check_digest(const io::MappedFile& file, std::uint64_t length, const std::stop_token& stop) {
  const Bytes all = file.bytes();
  crypto::Sha256 hash;
  std::uint64_t touched = 0;
  for (std::uint64_t at = 0; at < length;) {
    if (stop.stop_requested()) return fail(Errc::cancelled, "stopped");
    const Bytes piece = all.subspan(at, std::min<std::uint64_t>(length - at, kWindow));
    hash.update(piece);
    at += piece.size();
    touched += piece.size();
    if (touched < bolt::Reader::kForgetEvery) continue;
    touched = 0;
    file.forget_pages();
  }
  const Bytes said = all.subspan(length, kDigest);
  const crypto::Sha256Digest is = hash.finish();
  if (std::ranges::equal(is, said)) return {};
  return fail(Errc::corrupt, "full: the {} bytes of the database have sha256 {}, the body says {}", length, to_hex(is),
              to_hex(said));
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

Result<std::shared_ptr<io::MappedFile>> map_whole(const io::Path& file) {
  TM_LET(io::MappedFile mapped, io::MappedFile::open(file));
  return std::make_shared<io::MappedFile>(std::move(mapped));
}

Result<std::uint64_t> spool_unproven(io::Source& body, const io::Path& spool, std::string_view name) {
  TM_LET(const io::Fd fd, io::open_file(spool, O_CREAT | O_EXCL | O_WRONLY));
  io::FdSink sink(fd.get(), spool);
  TM_LET(const std::uint64_t size, named(name, io::pump(body, sink)));
  return unproven_length(size, name);
}

// Ends when somebody asks to stop.
class StoppableSource final : public io::Source {
 public:
  StoppableSource(io::Source& from, const std::stop_token& stop) : from_(from), stop_(stop) {}
  Result<std::size_t> read(MutableBytes into) override {
    if (stop_.stop_requested()) return fail(Errc::cancelled, "stopped");
    return from_.read(into);
  }

 private:
  io::Source& from_;
  const std::stop_token& stop_;
};

}  // namespace

Result<std::unique_ptr<BaseImage>> BaseImage::open(std::shared_ptr<io::MappedFile> file, std::uint64_t length,
                                                   std::string_view name, bool proven, const io::Path& remove_later) {
  TM_LET(auto reader, named(name, bolt::Reader::over(std::move(file), length)));
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
      TM_LET(auto file, map_whole(spool));
      return open(std::move(file), length, name, false, spool);
    }
    TM_LET(const bucket::FullBody full, named(name, bucket::spool_full(body, spool)));
    if (!full.has_digest) return std::unexpected(no_digest(name).error());
    TM_LET(auto file, map_whole(spool));
    return open(std::move(file), full.db_bytes, name, true, spool);
  }();
  if (!opened) ::unlink(spool.c_str());
  return opened;
}

Result<std::unique_ptr<BaseImage>> BaseImage::in_place(const io::Path& file, bool skip_digest) {
  const std::string name = file.string();
  TM_LET(const auto mapped, map_whole(file));
  const std::uint64_t size = mapped->bytes().size();
  TM_LET(const std::uint64_t length, unproven_length(size, name));
  if (skip_digest) return open(mapped, length, name, false, {});
  if (length == size) return std::unexpected(no_digest(name).error());
  auto opened = open(mapped, length, name, true, {});
  if (!opened) {
    // A wrong digest says more than the damage that was met first.
    TM_CHECK(named(name, check_digest(*mapped, length, {})));
    return std::unexpected(std::move(opened).error());
  }
  std::unique_ptr<BaseImage> image = *std::move(opened);
  image->hashing_ = std::jthread([self = image.get(), mapped, length, name](const std::stop_token& stop) {
    self->digest_ = named(name, check_digest(*mapped, length, stop));
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

Result<std::unique_ptr<BaseImage>> open_base_image(Origin& from, const catalog::Point& base, const io::Path& spool,
                                                   bool skip_digest, const std::stop_token& stop) {
  if (const auto file = from.plain_file(base)) return BaseImage::in_place(*file, skip_digest);
  TM_LET(const auto body, from.body(base));
  TM_CHECK(io::make_dirs(spool.parent_path()));
  StoppableSource stoppable(*body, stop);
  return BaseImage::spool(stoppable, spool, base.key, skip_digest);
}

}  // namespace tidemark::restore
