#include "capture/testing/recorded.h"

#include <gtest/gtest.h>

#include "bolt/reader.h"
#include "bucket/contract.h"
#include "bucket/delta.h"
#include "catalog/timeline.h"
#include "etcd/database.h"
#include "io/compress.h"
#include "io/file.h"

namespace tidemark::capture::testing {

Recorded read_recorded(store::ObjectStore& store) {
  Recorded recorded;
  const auto timeline = catalog::read_timeline(store);
  EXPECT_TRUE(timeline) << timeline.error().what;
  if (!timeline) return recorded;
  for (const catalog::Gap& gap : timeline->gaps) {
    EXPECT_NE(gap.reason, "no object covers it") << gap.span.first.raw() << "-" << gap.span.last.raw();
  }
  Revision reached{};
  for (const catalog::Point& delta : timeline->deltas) {
    if (delta.stray) continue;
    EXPECT_GT(delta.name.span.first, reached) << delta.key << " overlaps";
    reached = delta.name.span.last;
    auto stored = store.open(delta.key);
    EXPECT_TRUE(stored) << delta.key;
    if (!stored) continue;
    auto text = io::decompressing(io::Codec::gzip, std::move(*stored));
    EXPECT_TRUE(text);
    const auto read = bucket::read_delta(**text, [&](const bucket::DeltaEvent& event) -> Status {
      EXPECT_TRUE(delta.name.span.contains(Revision(event.mod))) << delta.key;
      const std::string key(as_text(event.key));
      recorded[Revision(event.mod)].push_back(event.deletion ? "del " + key
                                                             : "put " + key + "=" + std::string(as_text(event.value)));
      return {};
    });
    EXPECT_TRUE(read) << delta.key << ": " << read.error().what;
  }
  return recorded;
}

void expect_contract(store::ObjectStore& store) {
  const auto dir = io::TempDir::create();
  ASSERT_TRUE(dir);
  std::vector<bucket::StoredObject> objects;
  for (const std::string& key : keys(store, "")) {
    objects.push_back({key, [&store, key] { return store.open(key); }});
  }
  bucket::ContractCheck check;
  check.scratch = dir->path();
  check.true_revision = [](const io::Path& db) -> Result<Revision> {
    TM_LET(const bolt::Reader reader, bolt::Reader::open(db));
    TM_LET(const etcd::DatabaseState state, etcd::read_state(reader));
    return state.revision;
  };
  const auto findings = bucket::check_contract(objects, check);
  ASSERT_TRUE(findings) << findings.error().what;
  for (const bucket::Finding& finding : *findings) {
    EXPECT_NE(finding.weight, bucket::Finding::Weight::broken) << finding.key << ": " << finding.text;
  }
}

std::vector<std::string> keys(store::ObjectStore& store, std::string_view prefix) {
  std::vector<std::string> names;
  const auto objects = store.list(prefix);
  EXPECT_TRUE(objects);
  if (!objects) return names;
  for (const auto& object : *objects) names.push_back(object.key);
  return names;
}

}  // namespace tidemark::capture::testing
