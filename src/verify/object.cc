#include "verify/object.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "bolt/reader.h"
#include "bucket/delta.h"
#include "bucket/full.h"
#include "etcd/database.h"
#include "etcd/hashkv.h"
#include "restore/delta_scan.h"
#include "restore/replay.h"
#include "verify/object_sources.h"

namespace tidemark::verify {
namespace {

using catalog::ProofLevel;

constexpr std::size_t kMostFindings = 10;  // of one check of one object
constexpr RevisionSpan kAllRevisions{Revision(1), Revision(INT64_MAX)};

io::Codec codec_of(bucket::Compression compression) {
  switch (compression) {
    case bucket::Compression::none: return io::Codec::none;
    case bucket::Compression::gzip: return io::Codec::gzip;
    case bucket::Compression::lzw: return io::Codec::lzw;
    case bucket::Compression::zlib: return io::Codec::zlib;
  }
  return io::Codec::none;
}

// Remembers that writing failed, which is never the fault of what was read.
class SpoolSink final : public io::Sink {
 public:
  SpoolSink(int fd, const io::Path& path) : file_(fd, path) {}
  Status write(Bytes bytes) override {
    auto written = file_.write(bytes);
    if (!written) failed_ = written.error();
    return written;
  }
  Status finish() override { return {}; }
  const std::optional<Error>& failed() const { return failed_; }

 private:
  io::FdSink file_;
  std::optional<Error> failed_;
};

class NoSink final : public io::Sink {
 public:
  Status write(Bytes) override { return {}; }
  Status finish() override { return {}; }
};

// What this object is guilty of itself; a disk that cannot read it any more counts.
bool is_finding(Errc code) { return restore::is_objects_fault(code) || code == Errc::io; }

class ObjectReader {
 public:
  ObjectReader(const Reading& reading, const catalog::Point& point, restore::Facts& facts)
      : reading_(reading), point_(point), facts_(facts) {}

  Result<ObjectCheck> run() {
    TM_CHECK(read_sidecars());
    const auto read = point_.name.kind == bucket::Kind::full ? read_full() : read_delta();
    if (!read) {
      if (in_scratch_) return std::unexpected(scratch_failure(reading_.scratch, read.error()));
      if (!is_finding(read.error().code)) return std::unexpected(read.error());
      bad(reached_, read.error().what);
    }
    return std::move(check_);
  }

 private:
  // A restore cannot use it.
  void bad(ProofLevel level, const std::string& reason) {
    facts_.bad.try_emplace(point_.key, reason);
    less(level, reason);
  }
  // A restore gets something else than the name says, and copes.
  void less(ProofLevel level, const std::string& reason) {
    check_.sound = false;
    add(point_.key, level, reason);
  }
  void add(const std::string& object, ProofLevel level, const std::string& reason) {
    check_.findings.push_back({object, level, reason});
  }
  bool asked_for(ProofLevel level) const { return reading_.level >= level; }

  template <class T>
  Result<std::optional<T>> sidecar(const std::string& key, Result<T> (*parse)(std::string_view)) {
    const auto text = reading_.store.get(key, catalog::kMaxSidecarBytes);
    if (!text && text.error().code == Errc::not_found) return std::nullopt;
    if (!text && !is_finding(text.error().code)) return std::unexpected(text.error());
    auto parsed = text ? parse(as_text(*text)) : std::unexpected(text.error());
    if (parsed && parsed->object == point_.key) return *std::move(parsed);
    // They help a restore, none needs them: the object itself stays what it is.
    add(key, ProofLevel::digest, parsed ? "it is about " + parsed->object : parsed.error().what);
    return std::nullopt;
  }

  Status read_sidecars() {
    TM_LET(state_, sidecar(catalog::state_key(point_.key), catalog::parse_state));
    TM_LET(seek_, sidecar(catalog::seek_key(point_.key), catalog::parse_seek_table));
    if (state_) check_.recorded = state_->hash_kv;
    return {};
  }

  Result<std::unique_ptr<io::Source>> open_body() {
    TM_LET(auto object, reading_.store.open(point_.key));
    watched_ = std::make_unique<WatchedSource>(std::move(object),
                                               seek_ ? std::move(seek_->members) : std::vector<io::GzipMember>{},
                                               reading_.progress, reading_.stop);
    return io::decompressing(codec_of(point_.name.compression), std::make_unique<BorrowedSource>(*watched_));
  }

  void check_seek_table() {
    if (!seek_) return;
    if (const auto offset = watched_->wrong_member()) {
      add(catalog::seek_key(point_.key), ProofLevel::digest,
          fmt::format("it says that a gzip member begins at {}, and none does", *offset));
    }
  }

  // ---- fulls

  Status read_full() {
    TM_LET(const auto body, open_body());
    if (!asked_for(ProofLevel::structure)) {
      NoSink nowhere;
      TM_LET(const bucket::FullBody full, bucket::split_full(*body, nowhere));
      check_full_digest(full);
      return {};
    }
    const io::Path spool = reading_.scratch / "full.db";
    auto done = check_full(*body, spool);
    ::unlink(spool.c_str());
    return done;
  }

  Status check_full(io::Source& body, const io::Path& spool) {
    TM_CHECK(scratch(check_space()));
    TM_LET(const io::Fd fd, scratch(io::open_file(spool, O_RDWR | O_CREAT | O_EXCL)));
    SpoolSink sink(fd.get(), spool);
    const auto full = bucket::split_full(body, sink);
    if (sink.failed()) TM_CHECK(scratch(Status(std::unexpected(*sink.failed()))));
    if (!full) return std::unexpected(full.error());
    check_full_digest(*full);
    reached_ = ProofLevel::structure;
    TM_LET(io::MappedFile mapped, scratch(io::MappedFile::open(spool)));
    return check_database(std::make_shared<io::MappedFile>(std::move(mapped)), full->db_bytes);
  }

  // What fails here is the fault of the place we work in.
  template <class T>
  Result<T> scratch(Result<T> done) {
    in_scratch_ = !done;
    return done;
  }

  // How large it will be is known when it was recorded, otherwise only that it is not smaller than it is now.
  Status check_space() const {
    const std::uint64_t need = std::max(point_.size, state_ ? state_->db_size : 0);
    TM_LET(const std::uint64_t have, io::free_space(reading_.scratch));
    if (have >= need) return {};
    return fail(Errc::no_space, "{} free, and {} needs {}", human_size(have), point_.key, human_size(need));
  }

  void check_full_digest(const bucket::FullBody& full) {
    check_seek_table();
    if (!full.has_digest) bad(ProofLevel::digest, "the SHA-256 at the end is missing: nothing proves these bytes");
    if (state_ && !state_->raw_sha256.empty() && state_->raw_sha256 != to_hex(full.digest)) {
      bad(ProofLevel::digest,
          fmt::format("its SHA-256 is {}, when it was recorded it was {}", to_hex(full.digest), state_->raw_sha256));
    }
  }

  Status check_database(std::shared_ptr<io::MappedFile> spool, std::uint64_t length) {
    TM_LET(const auto database, bolt::Reader::over(std::move(spool), length));
    for (const std::string& what : bolt::check_structure(database, kMostFindings)) bad(ProofLevel::structure, what);
    TM_LET(const auto rows, etcd::check_rows(database, etcd::RowRules::chains, kMostFindings));
    for (const etcd::RowFinding& finding : rows.findings) {
      if (finding.fatal) bad(ProofLevel::structure, finding.text);
    }
    TM_LET(const auto state, etcd::read_state(database));
    facts_.fulls[point_.key] = {state.revision, std::max(state.compacted(), Revision(0))};
    if (state.revision < point_.name.span.last) {
      less(ProofLevel::structure,
           fmt::format("its name says revision {}, it ends at {}", point_.name.span.last, state.revision));
    }
    if (!asked_for(ProofLevel::replay) || !check_.sound) return {};
    TM_LET(const auto hash, etcd::hash_kv(database, state.revision, state.compacted()));
    check_.own_rows = catalog::HashSample{hash.hash, state.revision, state.compacted()};
    return {};
  }

  // ---- deltas

  Status read_delta() {
    TM_LET(const auto body, open_body());
    if (!asked_for(ProofLevel::structure)) {
      TM_CHECK(bucket::read_delta(*body, [](const bucket::DeltaEvent&) -> Status { return {}; }));
      check_seek_table();
      return {};
    }
    bool each_failed = false;
    const auto nothing = [](const etcd::RowId&, const etcd::KeyValue&) -> Status { return {}; };
    TM_LET(const auto scan, restore::scan_delta(*body, kAllRevisions, nothing, each_failed, reading_.stop));
    check_seek_table();
    reached_ = ProofLevel::structure;
    facts_.deltas[point_.key] = scan.held;
    if (scan.resumes_after_hole != Revision(0)) {
      less(ProofLevel::structure, fmt::format("revisions {} to {} are missing inside it", scan.held.last.next(),
                                              scan.resumes_after_hole.prev()));
    } else if (scan.held.first > point_.name.span.first || scan.held.last < point_.name.span.last) {
      less(ProofLevel::structure, fmt::format("its name says revisions {}..{}, it holds {}..{}", point_.name.span.first,
                                              point_.name.span.last, scan.held.first, scan.held.last));
    }
    return {};
  }

  const Reading& reading_;
  const catalog::Point& point_;
  restore::Facts& facts_;
  ObjectCheck check_;
  ProofLevel reached_ = ProofLevel::digest;  // what is being checked now
  bool in_scratch_ = false;                  // the failure that ends the check is the scratch directory's
  std::optional<catalog::State> state_;
  std::optional<catalog::SeekTable> seek_;
  std::unique_ptr<WatchedSource> watched_;
};

}  // namespace

Error scratch_failure(const io::Path& scratch, const Error& why) {
  return {.code = why.code == Errc::no_space ? Errc::no_space : Errc::io,
          .what = fmt::format("scratch directory '{}': {}", scratch.string(), why.what),
          .hint = "--scratch names another place; --level digest needs none"};
}

Result<ObjectCheck> check_object(const Reading& reading, const catalog::Point& point, restore::Facts& facts) {
  return ObjectReader(reading, point, facts).run();
}

}  // namespace tidemark::verify
