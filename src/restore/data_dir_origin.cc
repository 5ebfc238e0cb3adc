#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <filesystem>

#include "bolt/reader.h"
#include "etcd/data_dir.h"
#include "etcd/database.h"
#include "etcd/wal.h"
#include "restore/origin.h"

namespace tidemark::restore {
namespace {

class DataDirOrigin final : public Origin {
 public:
  DataDirOrigin(etcd::DataDir dir, io::Fd lock, catalog::Point point, std::vector<std::string> left_out)
      : dir_(std::move(dir)), lock_(std::move(lock)), point_(std::move(point)), left_out_(std::move(left_out)) {}
  Result<catalog::Timeline> timeline() override {
    catalog::Timeline timeline;
    timeline.fulls.push_back(point_);
    return timeline;
  }
  Result<std::unique_ptr<io::Source>> body(const catalog::Point&) override {
    TM_LET(auto file, io::FileSource::open(dir_.database()));
    return std::make_unique<io::FileSource>(std::move(file));
  }
  std::optional<io::Path> plain_file(const catalog::Point&) override { return dir_.database(); }
  bool without_digest() const override { return true; }
  std::vector<std::string> left_out() const override { return left_out_; }
  std::string url() const override { return "etcd:" + dir_.root.string(); }

 private:
  etcd::DataDir dir_;
  io::Fd lock_;  // bbolt's own, shared: an etcd that is started meanwhile waits until we have read
  catalog::Point point_;
  std::vector<std::string> left_out_;
};

// What the log holds and the database does not. A broken log is said, and is no obstacle to reading the rows.
std::vector<std::string> behind_the_database(const etcd::DataDir& dir, std::uint64_t applied) {
  std::uint64_t changes = 0;
  std::vector<std::uint64_t> indexes;  // of entries that change something, behind what was applied
  const auto each = [&](const etcd::RaftEntry& entry) -> Status {
    while (!indexes.empty() && indexes.back() >= entry.index) indexes.pop_back();
    const bool change = entry.kind == etcd::RaftEntry::Kind::normal && !entry.payload.empty();
    if (change && entry.index > applied) indexes.push_back(entry.index);
    return {};
  };
  const auto log = etcd::read_wal(dir.wal(), each);
  if (!log)
    return {
        fmt::format("the log cannot be read, so what it holds beyond the database is unknown: {}", log.error().what)};
  for (const std::uint64_t index : indexes) changes += index <= log->state.commit ? 1 : 0;
  std::vector<std::string> left_out;
  if (changes > 0) {
    left_out.push_back(
        fmt::format("{} committed requests are in the log only (entries {} to {}) and are not included; "
                    "etcd itself, started once on a copy, applies them",
                    changes, indexes.front(), log->state.commit));
  }
  if (indexes.size() > changes) {
    left_out.push_back(
        fmt::format("{} requests at the end of the log are not known to be committed and are not included",
                    indexes.size() - changes));
  }
  return left_out;
}

}  // namespace

Result<std::unique_ptr<Origin>> data_dir_origin(const io::Path& root) {
  const etcd::DataDir dir{root};
  struct stat about{};
  if (::stat(dir.database().c_str(), &about) != 0) return sys_fail("open", dir.database().string());
  TM_LET(const bool held, etcd::held_by_etcd(dir));
  if (held) {
    return hinted(Result<std::unique_ptr<Origin>>(fail(Errc::conflict, "an etcd is running on '{}'", root.string())),
                  "stop it, or take a snapshot of it: etcdctl snapshot save");
  }
  TM_LET(io::Fd lock, io::open_file(dir.database(), O_RDONLY));
  if (::flock(lock.get(), LOCK_SH | LOCK_NB) != 0) return sys_fail("lock", dir.database().string());
  TM_LET(const auto database, bolt::Reader::open(dir.database()));
  TM_LET(const auto state, etcd::read_state(database));
  catalog::Point point;
  point.key = "member/snap/db";
  point.size = static_cast<std::uint64_t>(about.st_size);
  point.name.kind = bucket::Kind::full;
  point.name.span = {Revision(0), state.revision};
  point.name.unix_s = about.st_mtim.tv_sec;
  point.name.compression = bucket::Compression::none;
  return std::make_unique<DataDirOrigin>(dir, std::move(lock), std::move(point),
                                         behind_the_database(dir, state.consistent_index.value_or(0)));
}

}  // namespace tidemark::restore
