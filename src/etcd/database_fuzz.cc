// Laws: whatever the bytes, reading the state, checking the rows both ways and hashing end; a database whose rows are
// sound has a HashKV. The checksum of the first meta page is put right, or most mutations would stop there.
#include <cstdlib>

#include "etcd/database.h"

using namespace tidemark;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto* const begin = reinterpret_cast<const std::byte*>(data);
  Buffer file(begin, begin + size);
  if (size >= bolt::kMetaEnd) store_le(file.data() + 72, bolt::fnv1a_64(Bytes(file).subspan(16, 56)));
  const auto database = bolt::Reader::over(file, "fuzz");
  if (!database) return 0;
  const auto state = etcd::read_state(*database);
  const auto compaction = etcd::read_compaction(*database);
  if (state && compaction && state->revision != compaction->revision) std::abort();
  const auto shape = etcd::check_rows(*database, etcd::RowRules::shape, 10);
  const auto chains = etcd::check_rows(*database, etcd::RowRules::chains, 10);
  if (shape && chains && (shape->rows != chains->rows || (chains->sound() && !shape->sound()))) std::abort();
  const auto hash = etcd::hash_kv(*database);
  if (state && shape && shape->sound() && !hash) std::abort();
  return 0;
}
