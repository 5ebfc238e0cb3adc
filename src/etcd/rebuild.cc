#include "etcd/rebuild.h"

#include "etcd/database.h"
#include "etcd/key_set.h"
#include "etcd/row.h"
#include "etcd/row_run.h"

namespace tidemark::etcd {

namespace {

using bolt::Element;
using Segment = bolt::BulkWriter::Segment;

constexpr std::string_view kScheduled = "scheduledCompactRev", kFinished = "finishedCompactRev";

Status add(bolt::BulkWriter& to, std::string_view bucket, std::unique_ptr<Segment> segment) {
  TM_CHECK(segment->close());
  std::vector<std::unique_ptr<Segment>> one;
  one.push_back(std::move(segment));
  return to.add_tree(bucket, std::move(one));
}

Status copy(const bolt::Reader& from, const bolt::Bucket& bucket, Segment& to) {
  return from.for_each(bucket, [&](const Element& element) -> Status {
    if (element.is_bucket) return fail(Errc::unsupported, "{}: a bucket inside a bucket", from.name());
    return to.append(element.key, element.value);
  });
}

// Newest first: what comes later of a key, and is not above the compaction, is superseded. As etcd does, a deletion at
// the very revision stays until the next compaction.
Status copy_compacted(const bolt::Reader& from, const bolt::Bucket& rows, Revision compact, Segment& to,
                      Rebuilt& done) {
  KeySet seen;
  const KeyHasher hasher = KeyHasher::random();
  return from.for_each_backwards(rows, [&](const Element& element) -> Status {
    TM_LET(const RowId id, named(from.name(), decode_row_key(element.key)));
    if (id.main <= compact) {
      bool keep = false;
      if (!element.value.empty()) {  // nothing: the mark of etcd's own revision bump
        TM_LET(const KeyValue kv, named(from.name(), decode_key_value(element.value)));
        keep = seen.insert(hasher(kv.key)) && (!id.tombstone || id.main == compact);
      }
      if (!keep) {
        done.dropped++;
        return {};
      }
    }
    done.rows++;
    return to.prepend(element.key, element.value);
  });
}

// The bucket `meta`, with the compaction in its place among the other keys.
Status copy_meta(const bolt::Reader& from, const bolt::Bucket& bucket, Revision compact, Segment& to) {
  const RowKey revision = encode_row_key({compact, 0, false});
  bool finished = false, scheduled = false;
  const auto put_before = [&](Bytes key) -> Status {
    if (!finished && (key.empty() || compare(as_bytes(kFinished), key) < 0)) {
      TM_CHECK(to.append(as_bytes(kFinished), revision.view()));
      finished = true;
    }
    if (!scheduled && (key.empty() || compare(as_bytes(kScheduled), key) < 0)) {
      TM_CHECK(to.append(as_bytes(kScheduled), revision.view()));
      scheduled = true;
    }
    return {};
  };
  auto copied = from.for_each(bucket, [&](const Element& element) -> Status {
    const std::string_view key = as_text(element.key);
    if (key == kFinished || key == kScheduled) return {};
    TM_CHECK(put_before(element.key));
    return to.append(element.key, element.value);
  });
  return copied ? put_before({}) : std::move(copied);
}

}  // namespace

Result<Rebuilt> rebuild(const bolt::Reader& from, const io::Path& to, std::optional<Revision> compact) {
  TM_LET(const Compaction is, read_compaction(from));
  if (compact && *compact > is.revision)
    return fail(Errc::invalid, "{}: revision {} is in the future, the newest is {}", from.name(), *compact,
                is.revision);
  if (compact && *compact < std::max(is.finished, is.scheduled))
    return fail(Errc::compacted, "{}: compacted at {}, which is above {}", from.name(),
                std::max(is.finished, is.scheduled), *compact);
  Rebuilt done;
  TM_LET(const auto file, bolt::BulkWriter::create(to, bolt::BulkWriter::Cache::bypass));
  TM_LET(const auto names, from.bucket_names());
  for (const std::string& name : names) {
    TM_LET(const bolt::Bucket bucket, from.bucket(name));
    auto segment = file->segment();
    if (name == "key" && compact) {
      TM_CHECK(copy_compacted(from, bucket, *compact, *segment, done));
    } else if (name == "meta" && compact) {
      TM_CHECK(copy_meta(from, bucket, *compact, *segment));
    } else {
      TM_CHECK(copy(from, bucket, *segment));
      if (name == "key") done.rows = segment->rows();
    }
    TM_CHECK(add(*file, name, std::move(segment)));
  }
  TM_LET(done.bytes, file->finish());
  return done;
}

}  // namespace tidemark::etcd
