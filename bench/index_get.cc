// What one object at any moment costs by the history index: of a directory that make_timeline has made.
//
//   index_get DIR CACHE [--gets N] [--keys N] [--seed N] [--walk]
//
// Each get has an index, a plan and a moment of its own, as a process of its own would. Blocks that are missing are
// made first and told by themselves: run it twice, so that the second run's memory is that of the gets alone. --walk
// reads everything instead, for comparison.
#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "history/moment.h"
#include "store/dir_store.h"
#include "store/metered_store.h"

namespace tidemark {
namespace {

struct Wanted {
  io::Path dir, cache;
  std::uint64_t gets = 200, keys = 20'000, seed = 1;
  bool walk = false;
};

std::string key_of(std::uint64_t n) {  // make_timeline's
  static constexpr const char* kKinds[] = {"pods", "configmaps", "secrets", "events", "leases", "replicasets"};
  return fmt::format("/registry/{}/ns-{:04}/obj-{:08}", kKinds[n % 6], n % 997, n);
}

double milliseconds(Ticks from) {
  return std::chrono::duration<double, std::milli>(system_clock().ticks() - from).count();
}

struct Cost {
  double ms = 0;
  std::uint64_t made = 0, ranges = 0;
  bool found = false;
};

Result<Cost> get(store::ObjectStore& store, const Wanted& wanted, const io::Path& scratch,
                 const restore::Target& target, const std::string& key) {
  const Ticks begin = system_clock().ticks();
  std::unique_ptr<history::Index> index;
  const auto walked = restore::store_origin(store);
  if (!wanted.walk) {
    TM_LET(index, history::Index::open(
                      store, {.cache = {.dir = wanted.cache}, .scratch = scratch, .stop = {}, .progress = {}}));
  }
  restore::Origin& origin = index ? index->origin() : *walked;
  TM_LET(const auto moment,
         history::Moment::open(origin, target, {.scratch = scratch, .stop = {}, .progress = {}, .index = index.get()}));
  TM_LET(const history::Rows rows, moment->below(history::Asked{.prefixes = {}, .keys = {key}}));
  return Cost{milliseconds(begin), index ? index->tally().made : 0, index ? index->tally().ranges : 0, !rows.empty()};
}

Status run(const Wanted& wanted) {
  TM_LET(auto inner, store::DirStore::open(wanted.dir, store::DirStore::Access::read_only));
  store::StoreTally tally;
  store::MeteredStore store(std::move(inner), system_clock(), tally);
  TM_LET(const io::TempDir scratch, io::TempDir::create());
  TM_LET(const catalog::Timeline timeline, catalog::read_timeline(store));
  if (timeline.fulls.empty()) return fail(Errc::not_found, "there is no full in {}", store.url());
  const std::int64_t first = timeline.fulls.front().name.span.last.raw(), last = timeline.latest()->raw();
  TM_LET(const Cost making, get(store, wanted, scratch.path(), restore::Target::newest(), key_of(0)));
  if (making.made > 0) fmt::print("made {} blocks in {:.1f} s\n", making.made, making.ms / 1000);

  std::mt19937_64 random(wanted.seed);
  std::vector<double> times;
  std::uint64_t found = 0, ranges = 0;
  const std::uint64_t read_before = tally.of(store::StoreCall::get).bytes;
  for (std::uint64_t i = 0; i < wanted.gets; i++) {
    const Revision at(first + static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(last - first + 1)));
    TM_LET(const Cost cost,
           get(store, wanted, scratch.path(), restore::Target::at(at), key_of(random() % wanted.keys)));
    times.push_back(cost.ms);
    found += cost.found ? 1 : 0;
    ranges = std::max(ranges, cost.ranges);
  }
  if (times.empty()) return {};
  std::ranges::sort(times);
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const double cpu = static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000 +
                     static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1000;
  fmt::print(
      "{} gets ({} found), {} deltas, revisions {} to {}: median {:.1f} ms, 99th {:.1f}, most {:.1f}; CPU {:.1f} ms "
      "each; "
      "at most {} ranges, {:.0f} KiB read each; peak {} MiB\n",
      times.size(), found, timeline.deltas.size(), first, last, times[times.size() / 2], times[times.size() * 99 / 100],
      times.back(), cpu / static_cast<double>(times.size() + 1), ranges,
      static_cast<double>(tally.of(store::StoreCall::get).bytes - read_before) / 1024 /
          static_cast<double>(times.size()),
      usage.ru_maxrss / 1024);
  return {};
}

}  // namespace
}  // namespace tidemark

int main(int argc, char** argv) {
  tidemark::Wanted wanted;
  if (argc < 3) {
    std::fprintf(stderr, "usage: index_get DIR CACHE [--gets N] [--keys N] [--seed N] [--walk]\n");
    return 2;
  }
  wanted.dir = argv[1];
  wanted.cache = argv[2];
  for (int i = 3; i < argc; i++) {
    const std::string flag = argv[i];
    if (flag == "--walk") wanted.walk = true;
    if (i + 1 >= argc) continue;
    if (flag == "--gets") wanted.gets = std::strtoull(argv[i + 1], nullptr, 10);
    if (flag == "--keys") wanted.keys = std::strtoull(argv[i + 1], nullptr, 10);
    if (flag == "--seed") wanted.seed = std::strtoull(argv[i + 1], nullptr, 10);
  }
  if (const auto done = tidemark::run(wanted); !done) {
    std::fprintf(stderr, "index_get: %s\n", done.error().what.c_str());
    return 1;
  }
  return 0;
}
