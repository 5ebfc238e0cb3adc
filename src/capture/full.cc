#include "capture/full.h"

#include <fcntl.h>
#include <unistd.h>

#include <thread>

#include "base/log.h"
#include "base/rfc3339.h"
#include "bolt/reader.h"
#include "bucket/name.h"
#include "etcd/database.h"
#include "io/compress.h"

namespace tidemark::capture {

namespace {

constexpr std::size_t kDigestSize = 32;
constexpr std::size_t kMemberBytes = 2UL << 20U;
constexpr const char* kSpoolFile = "full.spool";
constexpr const char* kPackedFile = "full.spool.gz";

// A spool file that is gone at the end, whatever happens. It needs no fsync: it is never read by another process.
class SpoolFile {
 public:
  static Result<SpoolFile> create(const io::Path& dir, const char* name) {
    TM_CHECK(io::make_dirs(dir));
    const io::Path path = dir / name;
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

// Both get everything.
class TeeSink final : public io::Sink {
 public:
  TeeSink(io::Sink& first, io::Sink& second) : first_(first), second_(second) {}
  Status write(Bytes bytes) override {
    TM_CHECK(first_.write(bytes));
    return second_.write(bytes);
  }
  Status finish() override {
    TM_CHECK(first_.finish());
    return second_.finish();
  }

 private:
  io::Sink& first_;
  io::Sink& second_;
};

// The member's database as it came, to be checked, and the same compressed, to be published. It is compressed while it
// comes: a member sends with one core, and the other one has the time.
struct Spooled {
  SpoolFile database, packed;
  std::uint64_t bytes = 0, packed_bytes = 0;
  std::vector<io::GzipMember> members{};
};

Result<Spooled> spool_snapshot(etcd::Member& member, const FullOptions& options) {
  options.steps->about_to("make the spool files");
  TM_LET(SpoolFile database, SpoolFile::create(options.spool_dir, kSpoolFile));
  TM_LET(SpoolFile packed, SpoolFile::create(options.spool_dir, kPackedFile));
  Spooled spooled{.database = std::move(database), .packed = std::move(packed)};
  io::FdSink file(spooled.database.fd(), spooled.database.path());
  io::FdSink packed_file(spooled.packed.fd(), spooled.packed.path());
  io::GzipSink gzip(packed_file, kMemberBytes, options.gzip_threads);
  TeeSink both(file, gzip);
  StoppableSink sink(both, options.stop);
  TM_LET(spooled.bytes, named("snapshot", member.snapshot(sink, [](std::uint64_t, std::uint64_t) {})));
  TM_CHECK(gzip.finish());
  spooled.packed_bytes = gzip.compressed_bytes();
  spooled.members = gzip.members();
  return spooled;
}

// The reader that restore will use must be content with it. The witness sees what is sound.
Result<etcd::DatabaseState> check_database(const bolt::Reader& reader, Secrecy& secrecy, Watched& witness) {
  const auto findings = bolt::check_structure(reader, 10);
  if (!findings.empty()) {
    return fail(Errc::corrupt, "the snapshot's tree is damaged: {} ({} findings)", findings.front(), findings.size());
  }
  // Where the database begins is told by where one of its pages is.
  TM_LET(const Bytes root, reader.page_run(reader.meta().root));
  const std::byte* const begin = root.data() - reader.meta().root * reader.meta().page_size;
  const auto look = [&](const etcd::RowId& id, const etcd::KeyValue& kv, Bytes value) {
    if (!id.tombstone) secrecy.look_at(kv);
    witness.saw(id, kv, value, static_cast<std::uint64_t>(value.data() - begin), {});
  };
  TM_LET(const etcd::RowReport rows, etcd::check_rows(reader, etcd::RowRules::shape, 10, look));
  if (!rows.sound()) {
    return fail(Errc::corrupt, "the snapshot's rows are damaged: {}", rows.first_fault());
  }
  return etcd::read_state(reader);
}

// HashKV of the member at the revision of the snapshot, asked for as soon as that is known: the member walks every row
// for it, seconds for a gigabyte, and we check and publish meanwhile. The destructor cancels the question.
class HashInTheBackground {
 public:
  // `reader` is not checked yet: a revision that cannot be read, or is wrong, is for the check to tell.
  HashInTheBackground(etcd::Member& member, const bolt::Reader& reader) {
    const auto state = etcd::read_state(reader);
    if (!state) return;
    asker_ = std::jthread(
        [this, &member, at = state->revision](const std::stop_token& stop) { answer_ = member.hash_kv(at, stop); });
  }
  HashInTheBackground(const HashInTheBackground&) = delete;
  HashInTheBackground& operator=(const HashInTheBackground&) = delete;
  ~HashInTheBackground() = default;
  // Once. Waits for the answer, or for `stop`.
  std::optional<catalog::HashSample> take(const std::stop_token& stop) {
    if (!asker_.joinable()) return std::nullopt;
    const std::stop_callback cancel(stop, [this] { asker_.request_stop(); });
    asker_.join();
    if (answer_) return catalog::HashSample{answer_->hash, answer_->at, answer_->compact};
    log_info("no HashKV sample", "reason=\"{}\"", answer_.error().what);
    return std::nullopt;
  }

 private:
  Result<etcd::HashKv> answer_;
  std::jthread asker_;  // last: it is stopped and awaited first
};

Status publish(const SpoolFile& packed, store::ObjectStore& store, const std::string& key, const FullOptions& options) {
  options.steps->about_to("make a full");
  TM_LET(const auto object, store.create(key));
  TM_LET(io::FileSource file, io::FileSource::open(packed.path()));
  StoppableSink into(*object, options.stop);
  TM_CHECK(io::pump(file, into));
  options.steps->about_to("commit a full");
  return object->commit();
}

std::int64_t unix_ceil(Time t) { return std::chrono::ceil<std::chrono::seconds>(t).time_since_epoch().count(); }

}  // namespace

Result<FullTaken> take_full(etcd::Member& member, store::ObjectStore& store, const Clock& clock,
                            const FullOptions& options) {
  TM_LET(const Spooled spooled, spool_snapshot(member, options));
  const SpoolFile& spool = spooled.database;
  const std::uint64_t size = spooled.bytes;
  options.steps->about_to("check a snapshot");
  if (size % 512 != kDigestSize) {
    return fail(Errc::corrupt, "the snapshot has {} bytes: no database with a digest behind it", size);
  }
  // From here on: the bytes are what the member sent, and nothing is missing.
  std::array<std::byte, kDigestSize> digest{};
  TM_CHECK(io::pread_all(spool.fd(), digest, size - kDigestSize, spool.path()));
  FullTaken taken;
  TM_LET(const bolt::Reader reader, bolt::Reader::open(spool.path(), size - kDigestSize));
  HashInTheBackground hash(member, reader);
  Watched witness(options.witness, bucket::Kind::full, options.spool_dir);
  TM_LET(const etcd::DatabaseState database, check_database(reader, taken.secrecy, witness));
  // From here on: it is a sound database, and its true revision is known.
  taken.revision = database.revision;
  taken.raw_bytes = size;
  taken.stored_bytes = spooled.packed_bytes;
  for (taken.unix_s = std::max(unix_ceil(clock.now()), options.not_before_unix_s);; taken.unix_s++) {
    bucket::SnapshotName name;
    name.kind = bucket::Kind::full;
    name.span = {Revision{}, taken.revision};
    name.unix_s = taken.unix_s;
    taken.key = bucket::v2_key(name);
    const Status put = publish(spooled.packed, store, taken.key, options);
    if (!put && put.error().code == Errc::already_exists) continue;  // one of the same revision in the same second
    TM_CHECK(put);
    break;
  }
  // From here on: it is published. The sidecars make it better, not possible.
  catalog::SeekTable table;
  table.object = taken.key;
  table.members = spooled.members;
  options.steps->about_to("put a full's seek table");
  if (auto seek = store.put(catalog::seek_key(taken.key), as_bytes(catalog::print_sidecar(table))); !seek) {
    log_warning("seek table not written", "object={} reason=\"{}\"", taken.key, seek.error().what);
  }
  options.steps->about_to("put a full's index block");
  taken.index = witness.published(store, {.key = taken.key,
                                          .span = {std::max(database.compacted(), Revision(0)), taken.revision},
                                          .text_bytes = size,
                                          .stored_bytes = taken.stored_bytes,
                                          .members = spooled.members});
  catalog::State state = sample_state(member, taken.key);
  state.hash_kv = hash.take(options.stop);
  state.raw_sha256 = to_hex(digest);
  options.steps->about_to("put a full's state");
  if (auto written = put_state(store, state); !written) {
    log_warning("state not written", "object={} reason=\"{}\"", taken.key, written.error().what);
  }
  return taken;
}

void remove_unfinished_full(const io::Path& spool_dir) {
  for (const char* name : {kSpoolFile, kPackedFile}) ::unlink((spool_dir / name).c_str());
}

catalog::State sample_state(etcd::Member& member, std::string object) {
  catalog::State state;
  state.object = std::move(object);
  if (const auto status = member.status()) {
    state.revision = status->revision;
    state.version = status->version;
    state.storage_version = status->storage_version;
    state.db_size = static_cast<std::uint64_t>(std::max<std::int64_t>(status->db_size, 0));
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
