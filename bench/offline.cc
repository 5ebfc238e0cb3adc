// What the library does with one database file while no etcd runs, each as a process of its own to be measured:
//
//   offline status FILE          revision, compaction, number of rows and live keys (etcdutl snapshot status)
//   offline hashkv FILE          HashKV at the newest revision (etcdutl hashkv)
//   offline check FILE           every page and every row's history (etcdutl has nothing like it)
//   offline rebuild FILE TO      without free pages (etcdutl defrag)
//   offline compact FILE TO      and without what a compaction at the newest revision removes
#include <cstdio>
#include <string>

#include "bolt/reader.h"
#include "etcd/database.h"
#include "etcd/hashkv.h"
#include "etcd/key_set.h"
#include "etcd/rebuild.h"
#include "etcd/row.h"

namespace tidemark {
namespace {

Status status(const bolt::Reader& database) {
  TM_LET(const etcd::DatabaseState state, etcd::read_state(database));
  TM_LET(const bolt::Bucket rows, database.bucket("key"));
  std::uint64_t count = 0, live = 0;
  etcd::KeySet seen;
  const auto hasher = etcd::KeyHasher::random();
  TM_CHECK(database.for_each_backwards(rows, [&](const bolt::Element& row) -> Status {
    TM_LET(const etcd::RowId id, etcd::decode_row_key(row.key));
    TM_LET(const etcd::KeyValue kv, etcd::decode_key_value(row.value));
    count++;
    if (seen.insert(hasher(kv.key)) && !id.tombstone) live++;
    return {};
  }));
  fmt::print("revision {}, compacted {}, {} rows, {} live keys\n", state.revision, state.compacted(), count, live);
  return {};
}

Status hash(const bolt::Reader& database) {
  TM_LET(const etcd::HashKvAnswer answer, etcd::hash_kv(database));
  fmt::print("hash {} at {} compacted {}\n", answer.hash, answer.at, answer.compact);
  return {};
}

Status check(const bolt::Reader& database) {
  const auto pages = bolt::check_structure(database);
  TM_LET(const etcd::RowReport rows, etcd::check_rows(database, etcd::RowRules::chains));
  fmt::print("{} faults of pages, {} rows, {}\n", pages.size(), rows.rows, rows.sound() ? "sound" : "not sound");
  return {};
}

Status rebuild(const bolt::Reader& database, const io::Path& to, bool compact) {
  TM_LET(const etcd::Compaction is, etcd::read_compaction(database));
  TM_LET(const etcd::Rebuilt done, etcd::rebuild(database, to, compact ? std::optional(is.revision) : std::nullopt));
  fmt::print("{} rows kept, {} dropped, {} bytes\n", done.rows, done.dropped, done.bytes);
  return {};
}

Status run(const std::string& what, const io::Path& file, const io::Path& to) {
  TM_LET(const std::uint64_t size, io::size_of_file(file));
  TM_LET(const bolt::Reader database, bolt::Reader::open(file, size - size % 512));
  if (what == "status") return status(database);
  if (what == "hashkv") return hash(database);
  if (what == "check") return check(database);
  if (what == "rebuild" || what == "compact") return rebuild(database, to, what == "compact");
  return fail(Errc::invalid, "'{}': status, hashkv, check, rebuild or compact", what);
}

}  // namespace
}  // namespace tidemark

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: offline status|hashkv|check|rebuild|compact FILE [TO]\n");
    return 2;
  }
  if (const auto done = tidemark::run(argv[1], argv[2], argc > 3 ? argv[3] : ""); !done) {
    std::fprintf(stderr, "offline: %s\n", done.error().what.c_str());
    return 1;
  }
  return 0;
}
