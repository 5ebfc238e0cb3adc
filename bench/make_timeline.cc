// Makes a bucket to measure with: one full and many deltas, as a busy Kubernetes cluster would leave them.
//
//   make_timeline DIR --keys 480000 --value-bytes 2600 --revisions 1000000 --deltas 36 [--seed N] [--snapshot FILE]
//   [--objects 1]
//
// Keys look like Kubernetes'. Values are half text that repeats and half hex digits that do not, about what protobuf
// objects with uids and hashes deflate to. Every revision writes 1 key, every eighth 3 in one transaction; every fifth
// change deletes or creates. With --snapshot the full is also written as `etcdctl snapshot save` would (database and
// digest). With --objects 1 values are objects that can be read, as JSON.
#include <cstdio>
#include <cstdlib>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "bolt/bulk_writer.h"
#include "bucket/delta.h"
#include "bucket/name.h"
#include "crypto/sha256.h"
#include "etcd/cluster.h"
#include "etcd/database.h"
#include "etcd/row.h"
#include "io/compress.h"
#include "io/file.h"

namespace tidemark {
namespace {

struct Wanted {
  io::Path dir, snapshot;
  std::uint64_t keys = 20'000, value_bytes = 2'600, revisions = 20'000, deltas = 4, seed = 1;
  std::uint64_t objects = 0;
};

struct Live {
  std::int64_t create = 0, version = 0;
};

class Cluster {
 public:
  explicit Cluster(const Wanted& wanted) : wanted_(wanted), random_(wanted.seed), live_(wanted.keys) {}

  std::string key(std::uint64_t n) const {
    static constexpr const char* kKinds[] = {"pods", "configmaps", "secrets", "events", "leases", "replicasets"};
    return fmt::format("/registry/{}/ns-{:04}/obj-{:08}", kKinds[n % 6], n % 997, n);
  }

  // A fresh value of about value_bytes.
  const std::string& value(std::uint64_t n) {
    if (wanted_.objects != 0) return object(n);
    value_.assign("k8s\0\n\x0f\n\x02v1\x12\x03Pod\x12", 17);
    while (value_.size() < wanted_.value_bytes) {
      fmt::format_to(std::back_inserter(value_),
                     "uid:{:016x}{:016x} f:metadata{{f:labels{{.:{{}},f:app}}}} f:spec{{}} ", random_(), random_());
    }
    return value_;
  }

  const std::string& object(std::uint64_t n) {
    static constexpr const char* kTypes[][2] = {{"v1", "Pod"},
                                                {"v1", "ConfigMap"},
                                                {"v1", "Secret"},
                                                {"v1", "Event"},
                                                {"coordination.k8s.io/v1", "Lease"},
                                                {"apps/v1", "ReplicaSet"}};
    value_ = fmt::format(R"({{"apiVersion":"{}","kind":"{}","metadata":{{"annotations":{{"filled":")", kTypes[n % 6][0],
                         kTypes[n % 6][1]);
    while (value_.size() < wanted_.value_bytes) {
      fmt::format_to(std::back_inserter(value_), "uid:{:016x}{:016x} f:metadata f:labels f:app f:spec ", random_(),
                     random_());
    }
    fmt::format_to(std::back_inserter(value_),
                   R"("}},"labels":{{"app":"app-{}"}},"name":"obj-{:08}","namespace":"ns-{:04}","uid":"{:016x}"}}}})",
                   n % 50, n, n % 997, random_());
    return value_;
  }

  std::uint64_t pick() {  // some keys are written far more often than others
    const double u = static_cast<double>(random_() >> 11) * 0x1p-53;
    return static_cast<std::uint64_t>(u * u * u * static_cast<double>(wanted_.keys)) % wanted_.keys;
  }
  std::mt19937_64& random() { return random_; }
  Live& live(std::uint64_t n) { return live_[n]; }

 private:
  const Wanted& wanted_;
  std::mt19937_64 random_;
  std::vector<Live> live_;
  std::string value_;
};

Result<Revision> write_base(const Wanted& wanted, Cluster& cluster, const io::Path& db) {
  TM_LET(auto file, bolt::BulkWriter::create(db));
  std::vector<std::unique_ptr<bolt::BulkWriter::Segment>> rows;
  rows.push_back(file->segment());
  Revision at{1};
  Buffer row;
  for (std::uint64_t n = 0; n < wanted.keys; n++) {
    at = at.next();
    cluster.live(n) = {.create = at.raw(), .version = 1};
    const std::string key = cluster.key(n);
    row.clear();
    etcd::append_key_value(
        {.key = as_bytes(key), .value = as_bytes(cluster.value(n)), .create = at, .mod = at, .version = 1, .lease = {}},
        row);
    TM_CHECK(rows[0]->append(etcd::encode_row_key({.main = at, .sub = 0, .tombstone = false}).view(), row));
  }
  TM_CHECK(rows[0]->close());
  TM_CHECK(file->add_tree("key", std::move(rows)));
  TM_LET(const etcd::NewCluster members, etcd::plan_cluster(etcd::kDefaultInitialCluster, etcd::kDefaultToken));
  // An empty database to take users and roles from.
  const io::Path none = db.native() + ".none";
  TM_LET(auto empty, bolt::BulkWriter::create(none));
  TM_CHECK(empty->add_tree("key", {}));
  TM_CHECK(empty->finish());
  {
    TM_LET(const bolt::Reader base, bolt::Reader::open(none));
    TM_CHECK(etcd::write_small_buckets(*file, base, {.cluster = members, .compacted = {}, .term = true, .leases = {}}));
  }
  TM_CHECK(io::remove_tree(none));
  TM_CHECK(file->finish());
  return at;
}

Status write_full(const io::Path& db, io::Sink& to) {
  TM_LET(const io::MappedFile file, io::MappedFile::open(db));
  const crypto::Sha256Digest digest = crypto::sha256(file.bytes());
  TM_CHECK(to.write(file.bytes()));
  TM_CHECK(to.write(digest));
  return to.finish();
}

Status write_delta(const Wanted& wanted, Cluster& cluster, RevisionSpan span, std::int64_t unix_s) {
  bucket::SnapshotName name{.kind = bucket::Kind::delta,
                            .span = span,
                            .unix_s = unix_s,
                            .compression = bucket::Compression::gzip,
                            .final_mark = false};
  TM_LET(io::PendingFile file,
         io::PendingFile::create(wanted.dir / bucket::v2_key(name), io::PendingFile::Existing::refuse));
  io::GzipSink gzip(file, 1UL << 20U, 2);
  bucket::DeltaWriter writer(gzip);
  const std::int64_t revisions = span.last.raw() - span.first.raw() + 1;
  for (Revision at = span.first; at <= span.last; at = at.next()) {
    const Time time(std::chrono::seconds(unix_s - 300) +
                    std::chrono::milliseconds(300'000 * (at.raw() - span.first.raw()) / revisions));
    std::vector<std::uint64_t> touched;
    for (int changes = at.raw() % 8 == 0 ? 3 : 1; changes > 0; changes--) {
      const std::uint64_t n = cluster.pick();
      if (std::find(touched.begin(), touched.end(), n) != touched.end()) continue;
      touched.push_back(n);
      Live& live = cluster.live(n);
      const std::string key = cluster.key(n);
      bucket::DeltaEvent event{.deletion = false,
                               .key = as_bytes(key),
                               .value = {},
                               .create = 0,
                               .mod = at.raw(),
                               .version = 0,
                               .lease = 0,
                               .time = time};
      if (live.version > 0 && cluster.random()() % 10 == 0) {
        event.deletion = true;
        live = {};
      } else {
        if (live.version == 0) live.create = at.raw();
        live.version++;
        event.value = as_bytes(cluster.value(n));
        event.create = live.create;
        event.version = live.version;
      }
      TM_CHECK(writer.add(event));
    }
  }
  TM_CHECK(writer.finish());
  TM_CHECK(gzip.finish());
  return file.commit();
}

Status make(const Wanted& wanted) {
  TM_CHECK(io::make_dirs(wanted.dir / "v2"));
  Cluster cluster(wanted);
  const io::Path db = wanted.dir / "base.tmp";
  TM_LET(Revision at, write_base(wanted, cluster, db));
  std::int64_t unix_s = 1'790'000'000;
  const bucket::SnapshotName full{.kind = bucket::Kind::full,
                                  .span = {Revision{0}, at},
                                  .unix_s = unix_s,
                                  .compression = bucket::Compression::gzip,
                                  .final_mark = false};
  {
    TM_LET(io::PendingFile file,
           io::PendingFile::create(wanted.dir / bucket::v2_key(full), io::PendingFile::Existing::refuse));
    io::GzipSink gzip(file, 1UL << 20U, 2);
    TM_CHECK(write_full(db, gzip));
    TM_CHECK(file.commit());
  }
  if (!wanted.snapshot.empty()) {
    TM_LET(io::PendingFile file, io::PendingFile::create(wanted.snapshot, io::PendingFile::Existing::refuse));
    TM_CHECK(write_full(db, file));
    TM_CHECK(file.commit());
  }
  TM_CHECK(io::remove_tree(db));
  const auto each = static_cast<std::int64_t>(wanted.revisions / wanted.deltas);
  for (std::uint64_t n = 0; n < wanted.deltas; n++) {
    unix_s += 300;
    const RevisionSpan span{at.next(), Revision(at.raw() + each)};
    TM_CHECK(write_delta(wanted, cluster, span, unix_s));
    at = span.last;
    std::printf("delta %llu of %llu up to revision %lld\n", static_cast<unsigned long long>(n + 1),
                static_cast<unsigned long long>(wanted.deltas), static_cast<long long>(at.raw()));
  }
  return {};
}

}  // namespace
}  // namespace tidemark

int main(int argc, char** argv) {
  tidemark::Wanted wanted;
  if (argc < 2) {
    std::fprintf(stderr,
                 "usage: make_timeline DIR [--keys N] [--value-bytes N] [--revisions N] [--deltas N] [--seed N] "
                 "[--snapshot FILE] [--objects 1]\n");
    return 2;
  }
  wanted.dir = argv[1];
  std::map<std::string, std::uint64_t*> numbers = {
      {"--keys", &wanted.keys},           {"--value-bytes", &wanted.value_bytes},
      {"--revisions", &wanted.revisions}, {"--deltas", &wanted.deltas},
      {"--seed", &wanted.seed},           {"--objects", &wanted.objects}};
  for (int i = 2; i + 1 < argc; i += 2) {
    if (numbers.contains(argv[i])) *numbers[argv[i]] = std::strtoull(argv[i + 1], nullptr, 10);
    if (std::string(argv[i]) == "--snapshot") wanted.snapshot = argv[i + 1];
  }
  if (const auto done = tidemark::make(wanted); !done) {
    std::fprintf(stderr, "make_timeline: %s\n", done.error().what.c_str());
    return 1;
  }
  return 0;
}
