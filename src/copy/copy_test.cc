// Plans, their order, and copies that are cut at every call.
#include "copy/copy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "catalog/chain.h"
#include "catalog/lineage.h"
#include "catalog/sidecar.h"
#include "crypto/sha256.h"
#include "store/testing/faulty_store.h"
#include "store/testing/mem_store.h"

namespace tidemark::copy {
namespace {

using catalog::Claim;
using catalog::Lineage;
using catalog::read_timeline;
using store::testing::FaultyStore;
using store::testing::MemStore;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Keys = std::vector<std::string>;

const std::string kF308 = "v2/Full-00000000-00000308-1000.gz";
const std::string kD309 = "v2/Incr-00000309-00000434-1300.gz";
const std::string kD435 = "v2/Incr-00000435-00000560-1600.gz";
const std::string kD435Stray = "v2/Incr-00000435-00000500-1590.gz";
const std::string kD561 = "v2/Incr-00000561-00000686-1900.gz";
const std::string kF900 = "v2/Full-00000000-00000900-2200.gz";
const std::string kD901 = "v2/Incr-00000901-00000950-2500.gz";
const std::string kF900State = "tidemark/state/Full-00000000-00000900-2200.gz.json";
const std::string kF900Seek = "tidemark/seek/Full-00000000-00000900-2200.gz.json";
const std::string kProof = "tidemark/proofs/Incr-00000309-00000434-1300.gz/000001795246-digest-sound.json";

Lineage lineage(std::uint64_t cluster) {
  return {ClusterId(cluster), MemberId(1), Revision(308), Time(std::chrono::seconds(1000)), 1};
}

void put(store::ObjectStore& store, std::string_view key, std::string_view body) {
  ASSERT_TRUE(store.put(key, as_bytes(body))) << key;
}

void put_claim(store::ObjectStore& store, std::int64_t start, std::uint32_t epoch, const std::string& object) {
  put(store, catalog::claim_key(Revision(start), epoch),
      catalog::print_sidecar(Claim{Revision(start), epoch, "recorder", object, {}}));
}

// Two chains with a recorded gap between them, a stray, sidecars, and what no program of today knows.
void fill(store::ObjectStore& store) {
  for (const std::string& key : {kF308, kD309, kD435, kD435Stray, kD561, kF900, kD901}) put(store, key, "of " + key);
  put(store, std::string(catalog::kLineageKey), catalog::print_sidecar(lineage(7)));
  put_claim(store, 309, 1, kD309);
  put_claim(store, 435, 1, kD435Stray);
  put_claim(store, 435, 2, kD435);
  put(store, catalog::gap_key({Revision(687), Revision(900)}),
      catalog::print_sidecar(catalog::GapRecord{{Revision(687), Revision(900)}, "compacted underneath", {}}));
  put(store, kF900State, "{}");
  put(store, kF900Seek, "{}");
  put(store, catalog::index_key(kF900), "index");
  put(store, kProof, "{}");
  put(store, "tidemark/later/thing.json", "{}");
  put(store, "tidemark/undo/000001/begin", "{}");  // stays where it was made
  put(store, "v2/Full-junk", "x");
  put(store, "elsewhere/file", "x");
}

class Silent final : public Audience {
 public:
  void progress(std::string_view step, std::string_view, std::uint64_t done, std::uint64_t all) override {
    EXPECT_LE(done, all);
    if (step == "copy") copied = done;
  }
  std::uint64_t copied = 0;
};

Result<Report> copy(store::ObjectStore& from, store::ObjectStore& to, const Selection& selection = {},
                    Compare compare = Compare::bytes, const std::stop_token& stop = {}) {
  Silent silent;
  TM_LET(const Plan plan, make_plan(from, selection));
  TM_CHECK(check_target(from, plan, to));
  return copy_plan(from, plan, to, compare, silent, stop);
}

Keys keys_of(const Plan& plan) {
  Keys keys;
  for (const Item& item : plan.items) keys.push_back(item.key);
  return keys;
}

Keys keys_of(store::ObjectStore& store) {
  Keys keys;
  const auto objects = store.list("");
  EXPECT_TRUE(objects);
  for (const auto& object : *objects) keys.push_back(object.key);
  return keys;
}

TEST(CopyPlan, EachObjectComesBehindWhatItNeeds) {
  MemStore store;
  fill(store);
  const auto plan = make_plan(store, {});
  ASSERT_TRUE(plan) << plan.error().what;
  EXPECT_THAT(keys_of(*plan),
              ElementsAre("tidemark/lineage.json", kF308, catalog::claim_key(Revision(309), 1), kProof, kD309,
                          catalog::claim_key(Revision(435), 1), catalog::claim_key(Revision(435), 2), kD435, kD561,
                          catalog::gap_key({Revision(687), Revision(900)}), kF900Seek, kF900State, kF900,
                          catalog::index_key(kF900), kD901, kD435Stray, "tidemark/later/thing.json"));
  EXPECT_THAT(plan->left_out, ElementsAre(HasSubstr("v2/Full-junk: ")));
  std::uint64_t bytes = 0;
  for (const std::string& key : keys_of(*plan)) bytes += store.stat(key)->size;
  EXPECT_EQ(plan->bytes(), bytes);
}

struct SelectionRow {
  const char* name;
  Selection selection;
  Keys points;  // of v2/
};

TEST(CopyPlan, TakesWhatIsAskedForAndWhatThatNeeds) {
  MemStore store;
  fill(store);
  const auto since = [](std::int64_t unix_s) { return Selection{{}, {}, Time(std::chrono::seconds(unix_s))}; };
  const auto from = [](std::int64_t revision) { return Selection{{}, Revision(revision), {}}; };
  const SelectionRow rows[] = {
      {"a full is alone", {{kF308}, {}, {}}, {kF308}},
      {"a delta with its chain", {{kD435}, {}, {}}, {kF308, kD309, kD435}},
      {"the newest", {{kD901}, {}, {}}, {kF900, kD901}},
      {"two", {{kD309, kF900}, {}, {}}, {kF308, kD309, kF900}},
      {"a stray with what leads to it", {{kD435Stray}, {}, {}}, {kF308, kD309, kD435Stray}},
      {"since the last full", since(2200), {kF900, kD901}},
      {"since the last delta", since(2500), {kF900, kD901}},
      {"since within the first chain", since(1700), {kF308, kD309, kD435, kD561, kF900, kD901}},
      {"from a revision in a delta", from(920), {kF900, kD901}},
      {"from a revision in the gap", from(800), {kF900, kD901}},
      {"from a revision of the first chain", from(600), {kF308, kD309, kD435, kD561, kF900, kD901}},
  };
  for (const SelectionRow& row : rows) {
    const auto plan = make_plan(store, row.selection);
    ASSERT_TRUE(plan) << row.name;
    Keys points;
    for (const Item& item : plan->items) {
      if (item.kind == "full" || item.kind == "delta") points.push_back(item.key);
    }
    EXPECT_EQ(points, row.points) << row.name;
    EXPECT_EQ(plan->items.front().key, catalog::kLineageKey) << row.name;
    EXPECT_THAT(keys_of(*plan), ::testing::Not(::testing::Contains("tidemark/later/thing.json"))) << row.name;
  }
  EXPECT_EQ(make_plan(store, {{"v2/none"}, {}, {}}).error().code, Errc::not_found);
  EXPECT_EQ(make_plan(store, since(9999)).error().code, Errc::not_found);
  EXPECT_EQ(make_plan(store, from(951)).error().code, Errc::not_found);
  MemStore empty;
  EXPECT_EQ(make_plan(empty, {}).error().code, Errc::not_found);
}

TEST(CopyPlan, SidecarsFollowTheirPoints) {
  MemStore store;
  fill(store);
  const auto plan = make_plan(store, {{kD309}, {}, {}});
  ASSERT_TRUE(plan);
  EXPECT_THAT(keys_of(*plan),
              ElementsAre("tidemark/lineage.json", kF308, catalog::claim_key(Revision(309), 1), kProof, kD309));
}

TEST(Copy, TwiceIsOnce) {
  MemStore from, to;
  fill(from);
  const auto first = copy(from, to);
  ASSERT_TRUE(first) << first.error().what;
  EXPECT_TRUE(first->complete());
  EXPECT_EQ(first->count(Outcome::copied), 17U);
  for (const CopiedItem& item : first->items) {
    EXPECT_EQ(to.get(item.item.key).value(), from.get(item.item.key).value());
    EXPECT_EQ(item.sha256, to_hex(crypto::sha256(*from.get(item.item.key))));
  }
  EXPECT_FALSE(to.stat("elsewhere/file"));
  EXPECT_FALSE(to.stat("v2/Full-junk"));
  for (const Compare compare : {Compare::bytes, Compare::sizes}) {
    const auto again = copy(from, to, {}, compare);
    ASSERT_TRUE(again);
    EXPECT_TRUE(again->complete());
    EXPECT_EQ(again->count(Outcome::present), 17U);
    EXPECT_EQ(again->copied_bytes, 0U);
  }
}

TEST(Copy, WhatIsThereWithOtherBytesStays) {
  MemStore from, to;
  fill(from);
  put(to, std::string(catalog::kLineageKey), catalog::print_sidecar(lineage(7)));
  put(to, kD309, "shorter");
  std::string same_size = "of " + kD435;
  same_size.back() ^= 1;
  put(to, kD435, same_size);
  const auto report = copy(from, to);
  ASSERT_TRUE(report);
  EXPECT_FALSE(report->complete());
  EXPECT_EQ(report->count(Outcome::differs), 2U);
  EXPECT_EQ(report->count(Outcome::copied), 14U);
  EXPECT_EQ(as_text(*to.get(kD309)), "shorter");
  EXPECT_EQ(as_text(*to.get(kD435)), same_size);
  const auto by_size = copy(from, to, {}, Compare::sizes);
  ASSERT_TRUE(by_size);
  EXPECT_EQ(by_size->count(Outcome::differs), 1U) << "sizes alone do not tell the other one";
}

TEST(Copy, ForeignHistoriesAreRefusedBeforeAnythingIsWritten) {
  MemStore from;
  fill(from);
  MemStore bare;  // the same bucket as another program would have written it
  for (const std::string& key : {kF308, kD309}) put(bare, key, "of " + key);
  struct Row {
    const char* name;
    store::ObjectStore& from;
    std::function<void(MemStore&)> target;
    bool refused;
  };
  const Row rows[] = {
      {"empty", from, [](MemStore&) {}, false},
      {"the same", from, [](MemStore& s) { fill(s); }, false},
      {"another cluster", from,
       [](MemStore& s) { put(s, std::string(catalog::kLineageKey), catalog::print_sidecar(lineage(8))); }, true},
      {"another recording of the same cluster", from,
       [](MemStore& s) {
         Lineage other = lineage(7);
         other.first = Revision(309);
         put(s, std::string(catalog::kLineageKey), catalog::print_sidecar(other));
       },
       true},
      {"only snapshots of others", from, [](MemStore& s) { put(s, "v2/Full-00000000-00000310-1.gz", "x"); }, true},
      {"copied by hand without its sidecars", from, [](MemStore& s) { put(s, kF308, "of " + kF308); }, false},
      {"no lineage on either side, nothing in common", bare,
       [](MemStore& s) { put(s, "v2/Full-00000000-00000310-1.gz", "x"); }, true},
      {"no lineage on either side, one in common", bare,
       [](MemStore& s) {
         put(s, "v2/Full-00000000-00000200-1.gz", "x");
         put(s, kF308, "of " + kF308);
       },
       false},
      {"the source does not know whose it is", bare,
       [](MemStore& s) { put(s, std::string(catalog::kLineageKey), catalog::print_sidecar(lineage(7))); }, true},
      {"a lineage that cannot be read", from, [](MemStore& s) { put(s, std::string(catalog::kLineageKey), "{"); },
       true},
  };
  for (const Row& row : rows) {
    MemStore to;
    row.target(to);
    const Keys before = keys_of(to);
    const auto report = copy(row.from, to);
    EXPECT_EQ(report.has_value(), !row.refused) << row.name;
    if (row.refused) {
      EXPECT_EQ(keys_of(to), before) << row.name;
    } else {
      EXPECT_TRUE(report->complete()) << row.name;
    }
  }
}

// What must hold of a copy that was cut, whenever that was.
void check_cut(MemStore& from, MemStore& to, const std::string& where) {
  for (const std::string& key : keys_of(to)) {
    ASSERT_EQ(to.get(key).value(), from.get(key).value()) << where << ": " << key;
  }
  const auto timeline = read_timeline(to);
  ASSERT_TRUE(timeline) << where;
  EXPECT_THAT(timeline->damaged, IsEmpty()) << where;
  const auto whole = read_timeline(from);
  // Every delta that is there and counts in the source continues a full that is there.
  for (const catalog::Point& p : whole->deltas) {
    if (p.stray) continue;
    for (const catalog::Point& there : timeline->deltas) {
      if (there.key != p.key) continue;
      EXPECT_FALSE(there.stray) << where << ": " << p.key;
      EXPECT_FALSE(catalog::chain_to(*timeline, there).empty()) << where << ": " << p.key;
    }
  }
  const bool any = !timeline->fulls.empty() || !timeline->deltas.empty();
  EXPECT_EQ(any, timeline->latest().has_value()) << where << ": something is there but nothing restores";
  if (any) {
    EXPECT_TRUE(to.stat(catalog::kLineageKey)) << where;
  }
}

enum class Side { source, target };

void cut_everywhere(Side side, FaultyStore::When when, Errc code) {
  bool fired = true;
  int n = 1;
  for (; fired; ++n) {
    const std::string where =
        fmt::format("{} of call {}, {}", side == Side::source ? "source" : "target", n, errc_name(code));
    MemStore from, to;
    fill(from);
    FaultyStore faulty_from(from), faulty_to(to);
    (side == Side::source ? faulty_from : faulty_to).fail_call(n, code, when);
    const auto cut = copy(faulty_from, faulty_to);
    fired = (side == Side::source ? faulty_from : faulty_to).fired();
    EXPECT_EQ(fired, !cut || !cut->complete()) << where;
    check_cut(from, to, where);
    const auto again = copy(from, to);
    ASSERT_TRUE(again) << where << ": " << again.error().what;
    EXPECT_TRUE(again->complete()) << where;
    check_cut(from, to, where + ", again");
    EXPECT_EQ(keys_of(to).size(), 17U) << where;
  }
  EXPECT_GT(n, 40) << "the loop went through the calls";
}

TEST(Copy, CutAtEveryCallItCompletesWhenRunAgain) {
  for (const auto when : {FaultyStore::When::before, FaultyStore::When::after}) {
    cut_everywhere(Side::target, when, Errc::unavailable);
    cut_everywhere(Side::target, when, Errc::no_space);
    cut_everywhere(Side::source, when, Errc::unavailable);
  }
}

TEST(Copy, WhatTheSourceLostIsNamedAndTheRestGoes) {
  MemStore from, to;
  fill(from);
  FaultyStore faulty(from);
  const auto plan = make_plan(faulty, {});
  ASSERT_TRUE(plan);
  ASSERT_TRUE(from.remove(kF308));
  Silent silent;
  const auto report = copy_plan(faulty, *plan, to, Compare::bytes, silent, {});
  ASSERT_TRUE(report);
  EXPECT_FALSE(report->stopped);
  EXPECT_EQ(report->count(Outcome::missing), 1U);
  EXPECT_EQ(report->count(Outcome::copied), 16U);
  EXPECT_THAT(report->items[1].reason, HasSubstr(kF308));
}

// A target that does not keep what it was given.
class Lying final : public store::ObjectStore {
 public:
  explicit Lying(MemStore& inner) : inner_(inner) {}
  Result<std::unique_ptr<store::ObjectWriter>> create(std::string_view key) override { return inner_.create(key); }
  Status put(std::string_view key, Bytes body) override { return inner_.put(key, body); }
  Result<std::unique_ptr<io::Source>> open(std::string_view key, std::uint64_t offset, std::uint64_t length) override {
    if (key == kD309) {
      TM_LET(Buffer body, inner_.get(key));
      if (!body.empty()) body.back() ^= std::byte{1};
      inner_.overwrite(key, body);
    }
    return inner_.open(key, offset, length);
  }
  Result<store::ObjectInfo> stat(std::string_view key) override { return inner_.stat(key); }
  Result<std::vector<store::ObjectInfo>> list(std::string_view prefix) override { return inner_.list(prefix); }
  Status remove(std::string_view key) override { return inner_.remove(key); }
  bool read_only() const override { return false; }
  std::string url() const override { return "lying:"; }

 private:
  MemStore& inner_;
};

TEST(Copy, AnObjectThatComesBackWrongIsTakenAwayAgain) {
  MemStore from, inner;
  fill(from);
  Lying to(inner);
  const auto report = copy(from, to);
  ASSERT_TRUE(report);
  ASSERT_TRUE(report->stopped);
  EXPECT_EQ(report->stopped->code, Errc::io);
  EXPECT_THAT(report->stopped->what, HasSubstr("v2/Incr-00000309-00000434-1300.gz: lying: returned other bytes"));
  EXPECT_FALSE(inner.stat(kD309));
  EXPECT_TRUE(inner.stat(kF308));
}

TEST(Copy, StopsWhenAsked) {
  MemStore from, to;
  fill(from);
  std::stop_source stop;
  stop.request_stop();
  const auto report = copy(from, to, {}, Compare::bytes, stop.get_token());
  ASSERT_TRUE(report);
  ASSERT_TRUE(report->stopped);
  EXPECT_EQ(report->stopped->code, Errc::cancelled);
  EXPECT_THAT(keys_of(to), IsEmpty());
}

}  // namespace
}  // namespace tidemark::copy
