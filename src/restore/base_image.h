// The full snapshot a restore starts from: spooled, digest checked, opened, its true revisions read.
//
// A plain file is mapped where it is; everything else is inflated into a spool first.
#pragma once

#include <memory>
#include <stop_token>
#include <string>
#include <thread>

#include "bolt/reader.h"
#include "etcd/database.h"
#include "io/file.h"
#include "io/stream.h"
#include "restore/origin.h"
#include "restore/plan.h"

namespace tidemark::restore {

class BaseImage {
 public:
  // Writes `body` (decompressed) to `spool`, which must not exist, and opens it; the file is removed with the object.
  // Errc::corrupt: not a database, or, unless skip_digest, the digest is wrong or missing. Errc::torn: cut short. With
  // skip_digest the whole tree is checked instead.
  static Result<std::unique_ptr<BaseImage>> spool(io::Source& body, const io::Path& spool, std::string_view name,
                                                  bool skip_digest);
  // Opens a plain file in place; it is never written. A thread begins to compute its digest, of the very inode that
  // database() reads, so it does not matter when another file takes the name. Until proven() says ok nothing that comes
  // from it may be put into use.
  static Result<std::unique_ptr<BaseImage>> in_place(const io::Path& file, bool skip_digest);

  // Waits for the digest. Errc::corrupt: it is wrong. Ok at once where opening has proven it.
  const Status& proven();

  ~BaseImage();
  BaseImage(const BaseImage&) = delete;
  BaseImage& operator=(const BaseImage&) = delete;

  const bolt::Reader& database() const { return reader_; }
  const etcd::DatabaseState& state() const { return state_; }
  Facts::Full facts() const { return {state_.revision, std::max(state_.compacted(), Revision(0))}; }
  std::uint64_t size() const { return size_; }

 private:
  static Result<std::unique_ptr<BaseImage>> open(std::shared_ptr<io::MappedFile> file, std::uint64_t length,
                                                 std::string_view name, bool proven, const io::Path& remove_later);
  BaseImage(bolt::Reader reader, etcd::DatabaseState state, std::uint64_t size, io::Path remove_later)
      : reader_(std::move(reader)), state_(std::move(state)), size_(size), remove_(std::move(remove_later)) {}
  bolt::Reader reader_;
  etcd::DatabaseState state_;
  std::uint64_t size_;
  io::Path remove_;
  Status digest_;
  std::jthread hashing_;  // last: it uses the others
};

// The base of a plan as its origin has it: mapped in place when it is a plain file, else spooled to `spool`, whose
// directory is made. Errc::cancelled: asked to stop.
Result<std::unique_ptr<BaseImage>> open_base_image(Origin& from, const catalog::Point& base, const io::Path& spool,
                                                   bool skip_digest, const std::stop_token& stop);

}  // namespace tidemark::restore
