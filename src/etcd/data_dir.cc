#include "etcd/data_dir.h"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>

#include "etcd/wal.h"

namespace tidemark::etcd {

namespace {

// bbolt holds the database with flock(2).
Result<bool> flocked(const io::Path& path) {
  TM_LET(const io::Fd fd, io::open_file(path, O_RDONLY));
  if (::flock(fd.get(), LOCK_SH | LOCK_NB) == 0) return false;  // closing lets go of it
  if (errno == EWOULDBLOCK) return true;
  return sys_fail("test the lock of", path.native());
}

// etcd holds its segments with open-file-description locks, which can be asked for without taking them.
Result<bool> ofd_locked(const io::Path& path) {
  TM_LET(const io::Fd fd, io::open_file(path, O_RDONLY));
  struct flock lock{};
  lock.l_type = F_RDLCK;
  lock.l_whence = SEEK_SET;
  if (::fcntl(fd.get(), F_OFD_GETLK, &lock) != 0) return sys_fail("test the lock of", path.native());
  return lock.l_type != F_UNLCK;
}

Result<bool> missing_is_free(Result<bool> held) {
  if (!held && held.error().code == Errc::not_found) return false;
  return held;
}

}  // namespace

Status make_data_dir(const DataDir& dir) {
  std::error_code error;
  const bool exists = std::filesystem::exists(dir.root, error);
  if (!error && exists && !std::filesystem::is_empty(dir.root, error) && !error)
    return fail(Errc::already_exists, "{} is not empty", dir.root.native());
  if (error) return sys_fail("look into", dir.root.native(), error.value());
  TM_CHECK(io::make_dirs(dir.snap()));
  return io::make_dirs(dir.wal());
}

Result<bool> held_by_etcd(const DataDir& dir) {
  TM_LET(const bool database, missing_is_free(flocked(dir.database())));
  if (database) return true;
  std::error_code error;
  for (std::filesystem::directory_iterator it(dir.wal(), error), end; !error && it != end; it.increment(error)) {
    if (!parse_wal_file_name(it->path().filename().native())) continue;
    TM_LET(const bool segment, missing_is_free(ofd_locked(it->path())));
    if (segment) return true;
  }
  if (error && error != std::errc::no_such_file_or_directory)
    return sys_fail("list", dir.wal().native(), error.value());
  return false;
}

}  // namespace tidemark::etcd
