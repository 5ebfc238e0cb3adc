// kill -9 of the recorder in front of every single step that it takes, in every situation that has steps of its own.
//
// A run without a kill says which steps a situation has; then the recorder is killed at each of them, in a process of
// its own, and started again. Whatever step it was: nothing acknowledged is lost (etcd has compacted it meanwhile),
// there is no gap, at most one delta and one full are made twice, and the store keeps the contract. A step that no
// situation comes to fails the test, so a step added later is covered or noticed.
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdlib>
#include <set>

#include "base/log.h"
#include "base/testing/scale.h"
#include "base/testing/source_dir.h"
#include "capture/claim.h"
#include "capture/delta.h"
#include "capture/testing/kill_at.h"
#include "capture/testing/recording.h"
#include "catalog/timeline.h"
#include "store/dir_store.h"

namespace tidemark::capture {
namespace {

using namespace std::chrono_literals;
using testing::Cut;
using testing::NamedStore;

// The counters of a process that is killed, seen by the one that looks after it.
class SharedCounters {
 public:
  SharedCounters()
      : counters_(std::construct_at(static_cast<Counters*>(
            ::mmap(nullptr, sizeof(Counters), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)))) {}
  SharedCounters(const SharedCounters&) = delete;
  SharedCounters& operator=(const SharedCounters&) = delete;
  ~SharedCounters() { ::munmap(counters_, sizeof(Counters)); }
  Counters& operator*() const { return *counters_; }
  Counters* operator->() const { return counters_; }

 private:
  Counters* counters_;
};

// A killed process loses nothing that it wrote, fsynced or not: the disk's speed is no part of this test.
io::TempDir fast_directory() {
  auto in_memory = io::TempDir::create("/dev/shm");
  return in_memory ? *std::move(in_memory) : io::TempDir::create().value();
}

// Something happens in the store just before claims are read.
class SurprisingStore final : public NamedStore {
 public:
  using NamedStore::NamedStore;
  Result<std::vector<store::ObjectInfo>> list(std::string_view prefix) override {
    // Those of one revision: readers of the timeline list all of them.
    if (before_claims_are_read && prefix.starts_with("tidemark/claims/0")) before_claims_are_read();
    return NamedStore::list(prefix);
  }
  std::function<void()> before_claims_are_read;
};

// An etcd, a store and a spool.
struct World {
  io::TempDir dir = fast_directory();
  io::Path spool = dir.path() / "spool", journal = dir.path() / "journal";
  etcd::testing::FakeMember etcd;
  std::unique_ptr<store::DirStore> on_disk = open("prod").value();
  SurprisingStore store{*on_disk, on_disk->url()};
  std::uint64_t delta_limit = 1500;
  bool compacts = true;  // etcd forgets what was acknowledged before the recorder comes back
  Revision last;         // lineage 1 goes up to here; 0: up to etcd's revision
  std::size_t gaps = 0;  // that there will be

  Result<std::unique_ptr<store::DirStore>> open(const std::string& name) const {
    return store::DirStore::open(dir.path() / "store" / name, store::DirStore::Access::read_write);
  }
  RecorderOptions options(Steps& steps) const {
    RecorderOptions o;
    o.spool_dir = spool;
    o.full_schedule = Schedule::parse("0 0 1 1 *").value();
    o.delta_period = 1h;
    o.delta_limit = delta_limit;
    o.retry_first = o.retry_most = 1ms;
    o.watch_wait = 2ms;
    o.gather = 1ms;
    o.drain_within = store.down ? 0s : 20s;
    o.claim_grace = 1ms;
    o.gzip_threads = 1;
    o.open_store = [](const std::string& url) {
      return store::DirStore::open(url.substr(4), store::DirStore::Access::read_write);
    };
    o.steps = &steps;
    return o;
  }
  Status record(Steps& steps, Counters& counters) {
    return Recorder(etcd, store, system_clock(), options(steps), counters).once_delta({});
  }
  void record() {
    Counters counters;
    const auto done = record(unwatched_steps(), counters);
    ASSERT_TRUE(done) << done.error().what;
  }
  void write(int revisions) {
    for (int i = 0; i < revisions; i++) etcd.put("k" + std::to_string(i % 5), std::string(100, 'v'));
  }
  // So many revisions that are acknowledged and in no delta; the segments they are in.
  std::vector<Segment> leave_in_the_spool(int revisions) {
    write(revisions);
    store.down = true;
    Counters counters;
    EXPECT_FALSE(record(unwatched_steps(), counters));
    store.down = false;
    Spill::Options o;
    o.dir = spool / "lineage-000001";
    o.cluster = ClusterId(0xC1);
    return Spill::open(o).value()->sealed();
  }
  void claim(const Segment& segment, std::uint32_t epoch, const std::string& recorder, const std::string& object) {
    Claims claims(store, system_clock(), recorder);
    EXPECT_TRUE(claims.take(segment.facts.span.first, epoch, object).value());
  }
  std::string me() const { return recorder_id(spool).value(); }
};

constexpr const char* kSomebody = "00000000-0000-4000-8000-000000000000";

std::string object_of(const Segment& segment, std::int64_t later = 0) {
  return fmt::format("v2/Incr-{:08}-{:08}-{}.gz", segment.facts.span.first, segment.facts.span.last,
                     *segment.facts.sealed_unix_s + later);
}

void change_file(const io::Path& path, const std::function<void(Buffer&)>& change) {
  Buffer bytes = io::read_file(path, 1UL << 20U).value();
  change(bytes);
  ASSERT_TRUE(io::write_file_durably(path, bytes));
}

struct Situation {
  const char* name;
  void (*prepare)(World&);
};

void nothing_yet(World& w) { w.write(10); }

void deltas_to_come(World& w) {
  w.record();
  w.write(20);
}

void compacted_underneath(World& w) {
  w.record();
  w.leave_in_the_spool(3);
  w.write(10);
  w.etcd.compact(w.etcd.revision());
  w.write(3);
  w.gaps = 1;
}

void left_in_the_spool(World& w) {
  w.record();
  EXPECT_GT(w.leave_in_the_spool(20).size(), 2U);
  w.write(5);
}

void damaged_spool(World& w) {
  w.record();
  const auto segments = w.leave_in_the_spool(30);
  ASSERT_GT(segments.size(), 3U);
  const io::Path folder = segments[0].path.parent_path();
  change_file(segments[0].path, [](Buffer& b) { b.resize(b.size() - 48); });          // its seal
  change_file(segments[2].path, [](Buffer& b) { b[b.size() / 2] ^= std::byte{4}; });  // a frame
  ASSERT_TRUE(io::write_file_durably(folder / "8.segment", as_bytes(std::string(60, '?'))));
  change_file(segments[1].path, [&](Buffer& b) {
    ASSERT_TRUE(io::write_file_durably(folder / "9.segment", Bytes(b).first(52)));   // a header and no event
    ASSERT_TRUE(io::write_file_durably(folder / "99.segment", Bytes(b).first(10)));  // half a header
  });
  w.compacts = false;  // what was damaged is fetched again
}

void another_cluster(World& w) {
  w.record();
  w.leave_in_the_spool(10);
  w.last = w.etcd.revision();
  w.etcd.become(ClusterId(0xC2));
}

void somebody_claimed_and_died(World& w) {
  w.record();
  const auto segments = w.leave_in_the_spool(10);
  w.claim(segments[0], 1, kSomebody, object_of(segments[0], 7));
}

// Our late object was overtaken: somebody else's counts.
void our_stray(World& w) {
  w.record();
  const auto segments = w.leave_in_the_spool(5);
  const Buffer kept = io::read_file(segments[0].path, 1UL << 20U).value();
  w.record();
  const Buffer body = w.store.get(object_of(segments[0])).value();
  ASSERT_TRUE(w.store.put(object_of(segments[0], 7), body));
  w.claim(segments[0], 2, kSomebody, object_of(segments[0], 7));
  ASSERT_TRUE(io::write_file_durably(segments[0].path, kept));
}

// We had taken over, and now the other one's late object comes after all.
void their_late_object(World& w) {
  w.record();
  const auto segments = w.leave_in_the_spool(5);
  const Buffer kept = io::read_file(segments[0].path, 1UL << 20U).value();
  w.record();
  const Buffer body = w.store.get(object_of(segments[0])).value();
  ASSERT_TRUE(w.store.remove(object_of(segments[0])));
  ASSERT_TRUE(w.store.remove(catalog::claim_key(segments[0].facts.span.first, 1)));
  const std::string late = object_of(segments[0], 7);
  w.store.before_claims_are_read = [&store = *w.on_disk, late, body] { (void)store.put(late, body); };
  w.claim(segments[0], 1, kSomebody, object_of(segments[0], 7));
  w.claim(segments[0], 2, w.me(), object_of(segments[0]));
  ASSERT_TRUE(io::write_file_durably(segments[0].path, kept));
}

void damaged_delta(World& w) {
  w.record();
  const auto segments = w.leave_in_the_spool(5);
  w.claim(segments[0], 1, w.me(), object_of(segments[0]));
  ASSERT_TRUE(w.store.put(object_of(segments[0]), as_bytes("not what it was")));
}

// Another recorder had to write down as missing what we have.
void their_gap(World& w) {
  w.record();
  const auto segments = w.leave_in_the_spool(5);
  catalog::GapRecord gap;
  gap.span = {segments[0].facts.span.first.next(), segments[0].facts.span.last.prev()};
  gap.reason = "compacted";
  gap.created = system_clock().now();
  ASSERT_TRUE(w.store.put(catalog::gap_key(gap.span), as_bytes(catalog::print_sidecar(gap))));
}

constexpr Situation kSituations[] = {
    {"NothingYet", nothing_yet},
    {"DeltasToCome", deltas_to_come},
    {"CompactedUnderneath", compacted_underneath},
    {"LeftInTheSpool", left_in_the_spool},
    {"DamagedSpool", damaged_spool},
    {"AnotherCluster", another_cluster},
    {"SomebodyClaimedAndDied", somebody_claimed_and_died},
    {"OurStray", our_stray},
    {"TheirLateObject", their_late_object},
    {"DamagedDelta", damaged_delta},
    {"TheirGap", their_gap},
};

// Every revision of a lineage, in deltas or (so many) recorded gaps; nothing that breaks the contract.
void expect_whole(store::ObjectStore& store, Revision last, std::size_t gaps) {
  const auto lineage = catalog::read_lineage(store);
  ASSERT_TRUE(lineage && *lineage);
  const auto recorded = testing::read_recorded(store);
  const auto holes = read_gaps(store).value();
  EXPECT_EQ(holes.size(), gaps);
  for (Revision at = (*lineage)->first; at <= last; at = at.next()) {
    const bool lost = std::ranges::any_of(holes, [&](const auto& gap) { return gap.span.contains(at); });
    ASSERT_EQ(recorded.contains(at), !lost) << "revision " << at.raw();
  }
  testing::expect_contract(store);
}

void expect_all_is_well(World& w) {
  expect_whole(w.store, w.last.raw() > 0 ? w.last : w.etcd.revision(), w.gaps);
  if (w.last.raw() > 0) expect_whole(*w.open("lineage-2.prod").value(), w.etcd.revision(), 0);
  for (const auto& entry : std::filesystem::recursive_directory_iterator(w.spool)) {
    EXPECT_NE(entry.path().extension(), ".segment") << entry.path();
    EXPECT_FALSE(entry.path().filename().string().starts_with("full.spool")) << entry.path();
  }
}

// Did it die there? False: it came to its end, because threads took another turn this time.
bool record_and_die(World& w, const Cut& cut, Counters& counters) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::setenv("TMPDIR", w.dir.path().c_str(), 1);  // what the killed cannot clean up goes with the world
    testing::KillAt steps(w.journal, cut);
    ::_exit(w.record(steps, counters) ? 0 : 1);
  }
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status) || WEXITSTATUS(status) == 0) << "it failed by itself";
  return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

void record_again(World& w) {
  Counters counters;
  testing::KillAt steps(w.journal);
  const auto done = w.record(steps, counters);
  ASSERT_TRUE(done) << done.error().what;
  EXPECT_EQ(counters.left_strays, 0U);
}

class Killed : public ::testing::TestWithParam<Situation> {};

TEST_P(Killed, AtEveryStep) {
  set_log_level(LogLevel::error);
  std::map<std::string, int> steps;
  {
    World w;
    GetParam().prepare(w);
    SharedCounters counters;
    EXPECT_FALSE(record_and_die(w, {}, *counters));
    expect_all_is_well(w);
    steps = testing::read_journal(w.journal);
  }
  ASSERT_GT(steps.size(), 2U);
  int deaths = 0;
  for (const auto& [step, times] : steps) {
    for (int nth = 1; nth <= times; nth++) {
      if (nth > 2 && nth < times && tidemark::testing::scale() == 1) continue;  // in the middle it is as at the second
      SCOPED_TRACE(fmt::format("killed in front of step '{}', time {}", step, nth));
      World w;
      GetParam().prepare(w);
      SharedCounters counters;
      deaths += record_and_die(w, {step, nth}, *counters) ? 1 : 0;
      const Revision acknowledged(counters->acknowledged_revision);
      if (w.compacts && acknowledged > std::max(w.etcd.compacted(), Revision(1))) w.etcd.compact(acknowledged);
      record_again(w);
      expect_all_is_well(w);
      const auto taken = testing::read_journal(w.journal);
      for (const char* work : {"make a delta", "make a full"}) {
        const int needed = steps.contains(work) ? steps.at(work) : 0;
        EXPECT_LE(taken.contains(work) ? taken.at(work) : 0, needed + 1) << work;
      }
      if (HasFailure()) return;
    }
  }
  EXPECT_GT(deaths, 2);
  set_log_level(LogLevel::info);
}

INSTANTIATE_TEST_SUITE_P(All, Killed, ::testing::ValuesIn(kSituations),
                         [](const auto& tested) { return std::string(tested.param.name); });

// Runs the situations once more without a kill: ctest gives each test a process of its own.
TEST(KilledSteps, NoStepIsLeftOut) {
  std::set<std::string> seen;
  for (const Situation& situation : kSituations) {
    World w;
    situation.prepare(w);
    record_again(w);
    for (const auto& [step, times] : testing::read_journal(w.journal)) seen.insert(step);
  }
  const auto all = testing::steps_in_sources(io::Path(tidemark::testing::source_dir()) / "src/capture");
  EXPECT_GT(all.size(), 25U);
  for (const std::string& step : all) EXPECT_TRUE(seen.contains(step)) << "no situation comes to step '" << step << "'";
}

}  // namespace
}  // namespace tidemark::capture
