// An ObjectStore in a directory: every object a file of the same name below the root.
//
// A write goes to `.tm-<random>.tmp` in the object's own folder, is fsynced, renamed without replacing and the folder
// fsynced; folders made on the way are fsynced too. So a crash leaves at most such a temporary file, which nobody lists
// and clean_leftovers() removes. Files are 0600, folders 0700. Symbolic links below the root are not objects: they are
// neither listed nor followed. The root itself may be a link. Layout for people: doc/operate/stores.md.
#pragma once

#include <mutex>
#include <set>

#include "io/file.h"
#include "store/object_store.h"

namespace tidemark::store {

class DirStore final : public ObjectStore {
 public:
  enum class Access { read_only, read_write };

  // Errc::not_found: read-only and the directory does not exist. Read-write makes it on the first write; read-only
  // never makes or changes anything, so it works on a read-only mount.
  static Result<std::unique_ptr<DirStore>> open(const io::Path& root, Access access);

  Result<std::unique_ptr<ObjectWriter>> create(std::string_view key) override;
  Result<std::unique_ptr<io::Source>> open(std::string_view key, std::uint64_t offset = 0,
                                           std::uint64_t length = UINT64_MAX) override;
  Result<ObjectInfo> stat(std::string_view key) override;
  Result<std::vector<ObjectInfo>> list(std::string_view prefix) override;
  Status remove(std::string_view key) override;
  bool read_only() const override { return access_ == Access::read_only; }
  std::string url() const override { return "dir:" + root_.native(); }

  // Removes temporary files last written to more than `older_than` before `now`: those of writers that died. Returns
  // how many. Requires: no writer of this store pauses longer than that between two writes.
  Result<std::size_t> clean_leftovers(std::chrono::nanoseconds older_than, Time now);

  const io::Path& root() const { return root_; }

 private:
  DirStore(io::Path root, Access access) : root_(std::move(root)), access_(access) {}
  Status writable(std::string_view key) const;
  // Makes a folder whose name survives a crash: it and all above it up to the root.
  Status make_durable(const io::Path& folder);

  io::Path root_;
  Access access_;
  std::mutex mutex_;
  std::set<io::Path> durable_;  // folders whose names this process has seen fsynced
};

}  // namespace tidemark::store
