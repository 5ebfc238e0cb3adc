#include "capture/full.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/log.h"
#include "base/rfc3339.h"
#include "bolt/reader.h"
#include "bucket/name.h"
#include "etcd/database.h"
#include "io/compress.h"

namespace tidemark::capture {

namespace {

constexpr std::size_t kDigestSize = 32;
constexpr std::size_t kMemberBytes = 4UL << 20U;
constexpr const char* kSpoolFile = "full.spool";

// A spool file that is gone at the end, whatever happens. It needs no fsync: it is never read by another process.
class SpoolFile {
 public:
  static Result<SpoolFile> create(const io::Path& dir) {
    TM_CHECK(io::make_dirs(dir));
    const io::Path path = dir / kSpoolFile;
    ::unlink(path.c_str());
    TM_LET(io::Fd fd, io::open_file(path, O_RDWR | O_CREAT | O_EXCL));
    return SpoolFile(std::move(fd), path);
  }
  SpoolFile(SpoolFile&& other) noexcept : fd_(std::move(other.fd_)), path_(std::exchange(other.path_, {})) {}
  SpoolFile& operator=(SpoolFile&&) = delete;
  ~SpoolFile() {
    if (!path_.empty()) ::unlink(path_.c_str());
  }
  int fd() const { return fd_.get(); }
  const io::Path& path() const { return path_; }

 private:
  SpoolFile(io::Fd fd, io::Path path) : fd_(std::move(fd)), path_(std::move(path)) {}
  io::Fd fd_;
  io::Path path_;
};

Status not_stopped(const std::stop_token& stop) {
  if (stop.stop_requested()) return fail(Errc::cancelled, "full stopped on request");
  return {};
}

// Let bytes through until somebody asks to stop.
class StoppableSink final : public io::Sink {
 public:
  StoppableSink(io::Sink& next, const std::stop_token& stop) : next_(next), stop_(stop) {}
  Status write(Bytes bytes) override {
    TM_CHECK(not_stopped(stop_));
    return next_.write(bytes);
  }
  Status finish() override { return next_.finish(); }

 private:
  io::Sink& next_;
  const std::stop_token& stop_;
};

class StoppableSource final : public io::Source {
 public:
  StoppableSource(io::Source& next, const std::stop_token& stop) : next_(next), stop_(stop) {}
  Result<std::size_t> read(MutableBytes into) override {
    TM_CHECK(not_stopped(stop_));
    return next_.read(into);
  }

 private:
  io::Source& next_;
  const std::stop_token& stop_;
};

// The reader that restore will use must be content with it.
Result<Revision> check_database(const io::Path& path, std::uint64_t db_bytes, Secrecy& secrecy) {
  TM_LET(const bolt::Reader reader, bolt::Reader::open(path, db_bytes));
  const auto findings = bolt::check_structure(reader, 10);
  if (!findings.empty()) {
    return fail(Errc::corrupt, "the snapshot's tree is damaged: {} ({} findings)", findings.front(), findings.size());
  }
  TM_LET(const etcd::RowReport rows,
         etcd::check_rows(reader, etcd::RowRules::shape, 10, [&](const etcd::KeyValue& kv) { secrecy.look_at(kv); }));
  if (!rows.sound()) {
    return fail(Errc::corrupt, "the snapshot's rows are damaged: {}", rows.first_fault());
  }
  TM_LET(const etcd::DatabaseState state, etcd::read_state(reader));
  return state.revision;
}

Result<std::vector<io::GzipMember>> publish(const io::Path& spool, store::ObjectStore& store, const std::string& key,
                                            const FullOptions& options, std::uint64_t& stored_bytes) {
  options.steps->about_to("make a full");
  TM_LET(const auto object, store.create(key));
  io::GzipSink gzip(*object, kMemberBytes, options.gzip_threads);
  TM_LET(io::FileSource file, io::FileSource::open(spool));
  StoppableSource from(file, options.stop);
  TM_CHECK(gzip.take(from));
  TM_CHECK(gzip.finish());
  options.steps->about_to("commit a full");
  if (auto committed = object->commit(); !committed) return std::unexpected(std::move(committed).error());
  stored_bytes = gzip.compressed_bytes();
  return gzip.members();
}

std::int64_t unix_ceil(Time t) { return std::chrono::ceil<std::chrono::seconds>(t).time_since_epoch().count(); }

}  // namespace

Result<FullTaken> take_full(etcd::Member& member, store::ObjectStore& store, const Clock& clock,
                            const FullOptions& options) {
  options.steps->about_to("make the spool file");
  TM_LET(const SpoolFile spool, SpoolFile::create(options.spool_dir));
  io::FdSink file(spool.fd(), spool.path());
  StoppableSink sink(file, options.stop);
  TM_LET(const std::uint64_t size, named("snapshot", member.snapshot(sink, [](std::uint64_t, std::uint64_t) {})));
  options.steps->about_to("check a snapshot");
  if (size % 512 != kDigestSize) {
    return fail(Errc::corrupt, "the snapshot has {} bytes: no database with a digest behind it", size);
  }
  // From here on: the bytes are what the member sent, and nothing is missing.
  std::array<std::byte, kDigestSize> digest{};
  TM_CHECK(io::pread_all(spool.fd(), digest, size - kDigestSize, spool.path()));
  FullTaken taken;
  TM_LET(const Revision revision, check_database(spool.path(), size - kDigestSize, taken.secrecy));
  // From here on: it is a sound database, and its true revision is known.
  taken.revision = revision;
  taken.raw_bytes = size;
  std::vector<io::GzipMember> members;
  for (taken.unix_s = std::max(unix_ceil(clock.now()), options.not_before_unix_s);; taken.unix_s++) {
    bucket::SnapshotName name;
    name.kind = bucket::Kind::full;
    name.span = {Revision{}, revision};
    name.unix_s = taken.unix_s;
    taken.key = bucket::v2_key(name);
    auto put = publish(spool.path(), store, taken.key, options, taken.stored_bytes);
    if (!put && put.error().code == Errc::already_exists) continue;  // one of the same revision in the same second
    TM_LET(members, std::move(put));
    break;
  }
  // From here on: it is published. The sidecars make it better, not possible.
  catalog::SeekTable table;
  table.object = taken.key;
  table.members = std::move(members);
  options.steps->about_to("put a full's seek table");
  if (auto seek = store.put(catalog::seek_key(taken.key), as_bytes(catalog::print_sidecar(table))); !seek) {
    log_warning("seek table not written", "object={} reason=\"{}\"", taken.key, seek.error().what);
  }
  catalog::State state = sample_state(member, taken.key, revision);
  state.raw_sha256 = to_hex(digest);
  options.steps->about_to("put a full's state");
  if (auto written = put_state(store, state); !written) {
    log_warning("state not written", "object={} reason=\"{}\"", taken.key, written.error().what);
  }
  return taken;
}

void remove_unfinished_full(const io::Path& spool_dir) { ::unlink((spool_dir / kSpoolFile).c_str()); }

catalog::State sample_state(etcd::Member& member, std::string object, std::optional<Revision> hash_at) {
  catalog::State state;
  state.object = std::move(object);
  if (const auto status = member.status()) {
    state.revision = status->revision;
    state.version = status->version;
    state.storage_version = status->storage_version;
    state.db_size = static_cast<std::uint64_t>(std::max<std::int64_t>(status->db_size, 0));
  }
  if (hash_at) {
    if (const auto hash = member.hash_kv(*hash_at)) {
      state.hash_kv = catalog::HashSample{hash->hash, hash->at, hash->compact};
    } else {
      log_info("no HashKV sample", "revision={} reason=\"{}\"", *hash_at, hash.error().what);
    }
  }
  if (const auto leases = member.leases()) {
    for (const etcd::LeaseState& lease : *leases) {
      state.leases.push_back({lease.id, lease.granted_ttl_s, lease.remaining_ttl_s});
    }
  }
  if (const auto members = member.members()) {
    for (const etcd::ClusterMember& m : *members) {
      state.members.push_back({m.id, m.name, m.peer_urls, m.client_urls, m.is_learner});
    }
  }
  return state;
}

Status put_state(store::ObjectStore& store, const catalog::State& state) {
  auto written = store.put(catalog::state_key(state.object), as_bytes(catalog::print_sidecar(state)));
  if (!written && written.error().code == Errc::already_exists) return {};
  return written;
}

}  // namespace tidemark::capture
