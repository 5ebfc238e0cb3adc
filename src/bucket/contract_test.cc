#include "bucket/contract.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "base/rfc3339.h"
#include "base/testing/source_dir.h"
#include "bucket/testing/bucket_fixtures.h"

namespace tidemark::bucket {

namespace {

using testing::Event;

// A store in memory, and a database that is nothing but its revision in 512 bytes.
class Store {
 public:
  Store& full(std::int64_t last, std::int64_t unix_s, std::int64_t true_revision = 0, bool digest = true) {
    std::string db(512, '\0');
    const std::string revision = std::to_string(true_revision == 0 ? last : true_revision);
    db.replace(0, revision.size(), revision);
    Buffer body = testing::with_digest(db);
    if (!digest) body.resize(512);
    return put({Kind::full, {Revision(0), Revision(last)}, unix_s, Compression::none, false}, std::move(body));
  }

  // One event a revision.
  Store& delta(std::int64_t first, std::int64_t last, std::int64_t unix_s) {
    std::vector<Event> events;
    for (std::int64_t r = first; r <= last; r++) events.push_back(event("key", r));
    return delta_of(first, last, unix_s, events);
  }

  Store& delta_of(std::int64_t first, std::int64_t last, std::int64_t unix_s, const std::vector<Event>& events) {
    io::BufferSink to;
    DeltaWriter writer(to);
    for (const Event& e : events) EXPECT_TRUE(writer.add(testing::view_of(e)));
    EXPECT_TRUE(writer.finish());
    return put({Kind::delta, {Revision(first), Revision(last)}, unix_s, Compression::none, false}, to.buffer());
  }

  Store& put(const SnapshotName& name, Buffer body) { return put(v2_key(name), std::move(body)); }
  Store& put(std::string key, Buffer body) {
    objects_[std::move(key)] = std::move(body);
    return *this;
  }
  Buffer& last() { return objects_.rbegin()->second; }

  static Event event(std::string key, std::int64_t mod) {
    return {false, std::move(key), "v", mod, mod, 1, 0, Time(std::chrono::seconds(100))};
  }

  std::vector<std::string> findings() const {
    std::vector<StoredObject> objects;
    for (const auto& [key, body] : objects_) {
      objects.push_back(
          {key, [&body]() -> Result<std::unique_ptr<io::Source>> { return std::make_unique<io::BytesSource>(body); }});
    }
    const io::TempDir scratch = *io::TempDir::create();
    const auto found = check_contract(objects, {[](const io::Path& db) -> Result<Revision> {
                                                  TM_LET(const Buffer bytes, io::read_file(db, 4096));
                                                  return Revision(std::atoll(as_text(bytes).data()));
                                                },
                                                scratch.path()});
    EXPECT_TRUE(found) << found.error().what;
    EXPECT_TRUE(std::filesystem::is_empty(scratch.path()));
    std::vector<std::string> lines;
    for (const Finding& f : *found) {
      std::string line = print_findings(std::span(&f, 1));
      line.pop_back();
      lines.push_back(std::move(line));
    }
    return lines;
  }

 private:
  std::map<std::string, Buffer> objects_;
};

Event deleted(std::int64_t mod) { return {true, "key", "", 0, mod, 0, 0, Time(std::chrono::seconds(100))}; }

}  // namespace

TEST(Contract, GoodStores) {
  EXPECT_THAT(Store().findings(), ::testing::IsEmpty());
  EXPECT_THAT(Store().full(10, 200).findings(), ::testing::IsEmpty());
  EXPECT_THAT(Store().full(10, 200).delta(11, 20, 201).delta(21, 21, 202).findings(), ::testing::IsEmpty());
  // A full beside the chain: inside a delta, and exactly at the end of one.
  EXPECT_THAT(Store().full(10, 200).delta(11, 20, 201).full(25, 202).delta(21, 30, 203).full(30, 204).findings(),
              ::testing::IsEmpty());
  EXPECT_THAT(Store().full(10, 200).put("tidemark/seek/Full-00000000-00000010-200.json", {}).findings(),
              ::testing::IsEmpty());
  // The chain's old end lost its base to retention.
  EXPECT_THAT(Store().delta(5, 10, 150).full(10, 200).delta(11, 12, 201).findings(), ::testing::IsEmpty());
}

TEST(Contract, Breaches) {
  const std::string d = "broken v2/Incr-00000011-00000012-201: ";
  Event twice = Store::event("key", 12);
  Event bad_version = Store::event("key", 12);
  bad_version.version = 2;
  Event late = Store::event("key", 12);
  late.time = Time(std::chrono::seconds(202));
  Event early = Store::event("key", 12);
  early.time = Time(std::chrono::seconds(99));
  Event heavy_delete = deleted(12);
  heavy_delete.version = 1;
  const auto e = [](std::int64_t mod) { return Store::event("key", mod); };
  const auto one_delta = [](const std::vector<Event>& events) {
    return Store().full(10, 200).delta_of(11, 12, 201, events);
  };
  Store flipped = Store().delta(11, 12, 201).full(10, 200);
  flipped.last()[20] ^= std::byte{1};
  Store cut = Store().full(10, 200).delta(11, 12, 201);
  cut.last().resize(cut.last().size() - 1);
  Store bad_full = Store().full(10, 200);
  bad_full.last()[100] ^= std::byte{1};
  Store long_full = Store().full(10, 200);
  long_full.last().push_back({});

  const std::pair<Store, std::string> rows[] = {
      {Store().delta(11, 12, 201), "broken the store: there is no full: nothing can be restored"},
      {Store().full(9, 200).delta(11, 12, 201), d + "revisions 10 to 10 are missing before it"},
      {Store().full(10, 200).delta(11, 12, 201).delta(14, 15, 202),
       "broken v2/Incr-00000014-00000015-202: revisions 13 to 13 are missing before it"},
      {Store().full(10, 200).delta(11, 12, 201).delta(14, 15, 203).full(13, 202),
       "warning v2/Incr-00000014-00000015-203: revisions 13 to 13 are only in the full of 13"},
      {Store().full(10, 200).delta(11, 12, 201).delta(12, 15, 202),
       "broken v2/Incr-00000012-00000015-202: overlaps 'v2/Incr-00000011-00000012-201'"},
      {Store().full(10, 200, 11).delta(11, 12, 201), "broken v2/Full-00000000-00000010-200: its true revision is 11"},
      {Store().full(10, 200, 0, false), "broken v2/Full-00000000-00000010-200: there is no digest behind the database"},
      {one_delta({e(11)}), d + "the last event is of revision 11"},
      {one_delta({e(12)}), d + "the first event is of revision 12"},
      {one_delta({e(11), twice, twice}), d + "revision 12 changes a key twice"},
      {one_delta({e(11), bad_version}), d + "revision 12: create 12 and version 2 cannot be"},
      {one_delta({e(11), heavy_delete}), d + "revision 12: a deletion with more than its key"},
      {one_delta({e(11), late}), d + "its last event is later than its name"},
      {one_delta({e(11), early}), "warning v2/Incr-00000011-00000012-201: revision 12: time runs backwards"},
      {Store().full(10, 200).delta_of(11, 13, 201, {e(11), e(13)}),
       "broken v2/Incr-00000011-00000013-201: no event between revisions 11 and 13"},
      {cut, d + "torn: delta: the body ends at byte 296 inside its text or digest"},
      {long_full,
       "broken v2/Full-00000000-00000010-200: torn: full: 545 bytes are neither a database nor a database with its "
       "digest"},
      {Store().full(10, 200).put("v2/Full-00000000-00000010-200.gz.idx", {}),
       "broken v2/Full-00000000-00000010-200.gz.idx: etcd-backup-restore takes it for a snapshot"},
      {Store().full(10, 200).put("tidemark/seg-v2/Full-00000000-00000010-200.zst", {}),
       "broken tidemark/seg-v2/Full-00000000-00000010-200.zst: etcd-backup-restore takes it for a snapshot"},
      {Store().full(10, 200).put("v1/x/Full-0-10-200.zst", {}),
       "broken v1/x/Full-0-10-200.zst: etcd-backup-restore takes it for a snapshot"},
      {Store().full(10, 200).put("v2/tidemark-index", {}),
       "warning v2/tidemark-index: no snapshot, but a key that etcd-backup-restore tries to parse"},
      {Store().full(10, 200).put("tidemark/seg-v2/000", {}),
       "warning tidemark/seg-v2/000: no snapshot, but a key that etcd-backup-restore tries to parse"},
  };
  for (const auto& [store, wanted] : rows) EXPECT_THAT(store.findings(), ::testing::ElementsAre(wanted));
  EXPECT_THAT(bad_full.findings(), ::testing::ElementsAre(::testing::HasSubstr("corrupt: full: the 512 bytes")));
  EXPECT_THAT(flipped.findings(), ::testing::ElementsAre(::testing::HasSubstr("corrupt: delta: ")));
  EXPECT_THAT(one_delta({e(12), e(11)}).findings(), ::testing::Contains(d + "revision 11 follows 12"));
  EXPECT_THAT(Store().full(10, 200).put("v2/Full-0-10-200", Store().full(10, 200).last()).findings(),
              ::testing::Contains("broken v2/Full-0-10-200: the numbers are not padded to 8 digits"));
  EXPECT_THAT(
      Store().full(10, 200).put("v1/Backup-1/Full-00000000-00000010-200", Store().full(10, 200).last()).findings(),
      ::testing::Contains("broken v1/Backup-1/Full-00000000-00000010-200: the v1 layout is only read, never written"));
}

TEST(Contract, WhatIsTooLargeToReplayIsAWarning) {
  std::vector<Event> many;
  for (std::size_t i = 0; i <= kMostOpsOfRevision; i++) many.push_back(Store::event("key" + std::to_string(i), 11));
  EXPECT_THAT(Store().full(10, 200).delta_of(11, 11, 201, many).findings(),
              ::testing::ElementsAre(
                  ::testing::StartsWith("warning v2/Incr-00000011-00000011-201: revision 11 has 10241 changes")));
  Event large = Store::event("key", 11);
  large.value.assign(kMostBytesOfRevision, 'x');
  EXPECT_THAT(Store().full(10, 200).delta_of(11, 11, 201, {large}).findings(),
              ::testing::ElementsAre(::testing::StartsWith("warning ")));
}

// etcd-backup-restore's own bucket keeps its own contract; what was made to break its restore does not.
TEST(Contract, ForeignBuckets) {
  const auto findings = [](const char* folder, std::int64_t true_revision) {
    const io::Path v2 =
        io::Path(tidemark::testing::source_dir()) / "testdata/etcd-backup-restore" / folder / "bucket/v2";
    std::vector<StoredObject> objects;
    for (const auto& entry : std::filesystem::directory_iterator(v2)) {
      objects.push_back(
          {"v2/" + entry.path().filename().string(), [path = entry.path()]() -> Result<std::unique_ptr<io::Source>> {
             TM_LET(auto file, io::FileSource::open(path));
             return std::make_unique<io::FileSource>(std::move(file));
           }});
    }
    const io::TempDir scratch = *io::TempDir::create();
    const auto found = check_contract(
        objects, {[=](const io::Path&) -> Result<Revision> { return Revision(true_revision); }, scratch.path()});
    EXPECT_TRUE(found);
    return print_findings(*found);
  };
  EXPECT_EQ(findings("00-control-gz", 308), "");
  EXPECT_EQ(findings("50-multimember-full", 308), "");
  EXPECT_EQ(findings("51-fextra-tail-65535", 308), "");
  EXPECT_EQ(findings("53-multimember-deltas", 308), "");
  const std::pair<const char*, const char*> rows[] = {
      {"02-issue1043-overlap", "overlaps"},
      {"02-issue1043-duplicate-delta", "overlaps"},
      {"04-issue963-delete-12000-keys-one-revision", "etcd-backup-restore cannot replay it"},
      {"05-full-bitflip", "corrupt: full"},
      {"05-full-without-hash", "no digest"},
      {"06-empty-last-delta", "torn: the compressed object is empty"},
      {"06-truncated-last-delta", "torn: "},
      {"07-missing-first-delta", "missing before it"},
      {"07-missing-middle-delta", "missing before it"},
      {"51-trailing-junk", "bytes that are not gzip follow the last member"},
      {"54-stray-nonparsing", "warning v2/tidemark-index"},
  };
  for (const auto& [folder, wanted] : rows) EXPECT_THAT(findings(folder, 308), ::testing::HasSubstr(wanted)) << folder;
  EXPECT_THAT(findings("01-issue1044-full-ahead-overlap-ok", 368), ::testing::HasSubstr("its true revision is 368"));
}

}  // namespace tidemark::bucket
