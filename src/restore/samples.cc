#include "restore/samples.h"

#include "etcd/hashkv.h"

namespace tidemark::restore {

Result<SampleAnswer> compare_sample(const bolt::Reader& database, Revision database_compacted,
                                    const catalog::HashSample& sample) {
  // Rows that a later compaction removed here were hashed there.
  if (database_compacted > sample.compact_revision || sample.revision < sample.compact_revision) return SampleAnswer{};
  const auto answer = etcd::hash_kv(database, sample.revision, sample.compact_revision);
  if (!answer) {
    const Errc code = answer.error().code;
    if (code == Errc::invalid || code == Errc::compacted) return SampleAnswer{};
    return std::unexpected(answer.error());
  }
  return SampleAnswer{answer->hash == sample.hash ? Likeness::same : Likeness::different, answer->hash};
}

}  // namespace tidemark::restore
