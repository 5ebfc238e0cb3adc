// One damaged object in a good bucket: a restore gives the right state, or says which object is bad; never another
// state. Buckets are etcd-backup-restore's in every compression, one with a second full, all with sidecars beside them.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "base/testing/scale.h"
#include "base/testing/source_dir.h"
#include "bucket/testing/bucket_fixtures.h"
#include "catalog/sidecar.h"
#include "etcd/hashkv.h"
#include "io/testing/crash_disk.h"
#include "restore/testing/live_state.h"
#include "store/dir_store.h"
#include "store/testing/mem_store.h"

namespace tidemark::restore {
namespace {

const io::Path kFixtures = io::Path(tidemark::testing::source_dir()) / "testdata" / "etcd-backup-restore";

using Objects = std::map<std::string, Buffer>;

struct Answer {
  Result<Restored> restored = fail(Errc::cancelled, "not run");
  testing::LiveState live;
  std::optional<etcd::HashKvAnswer> hash;  // with history
  std::map<std::int64_t, std::int64_t> leases;
  std::string said;  // the error; or what the plan says about what is missing
  Buffer database;   // only on request
};

struct How {
  Target target;
  bool keep_history = false;
  bool want_database = false;
};

Answer restore(const Objects& objects, const How& how) {
  store::testing::MemStore store;
  for (const auto& [key, body] : objects) EXPECT_TRUE(store.put(key, body));
  const io::TempDir dir = io::testing::scratch();
  const auto origin = store_origin(store);
  EtcdRestore wish;
  wish.data_dir = dir.path() / "data";
  wish.target = how.target;
  wish.keep_history = how.keep_history;
  wish.bump.kind = RevisionBump::Kind::none;
  testing::Listener listener;
  Steps steps;
  Answer answer;
  answer.restored = restore_etcd(wish, *origin, listener, system_clock(), steps, {});
  const io::Path path = wish.data_dir / "member" / "snap" / "db";
  if (!answer.restored) {
    answer.said = answer.restored.error().what + " " + answer.restored.error().hint;
    EXPECT_FALSE(std::filesystem::exists(path));
    return answer;
  }
  for (const Hole& hole : answer.restored->plan.holes) answer.said += hole.reason + "\n";
  const auto database = bolt::Reader::open(path);
  EXPECT_TRUE(database);
  if (!database) return answer;
  if (auto live = testing::live_state(*database, answer.restored->plan.reach)) answer.live = *std::move(live);
  if (how.keep_history) answer.hash = *etcd::hash_kv(*database);
  const auto state = etcd::read_state(*database);
  EXPECT_TRUE(state);
  for (const etcd::LeaseState& lease : state->leases) answer.leases[lease.id.raw()] = lease.granted_ttl_s;
  if (how.want_database) answer.database = *io::read_file(path, 64UL << 20U);
  return answer;
}

struct Bucket {
  std::string name;
  Objects objects;
  std::map<std::pair<std::int64_t, bool>, Answer> truths;  // by revision and whether with history

  const Answer& truth(Revision at, bool keep_history) {
    const auto [found, fresh] = truths.try_emplace({at.raw(), keep_history});
    if (fresh) found->second = restore(objects, {Target::at(at), keep_history});
    return found->second;
  }
};

// What Tidemark writes beside objects.
void add_sidecars(Objects& objects) {
  const auto add = [&](const std::string& key, const std::string& text) {
    const Bytes bytes = as_bytes(text);
    objects[key] = Buffer(bytes.begin(), bytes.end());
  };
  const Time created{std::chrono::seconds(1'795'246'362)};
  add(std::string(catalog::kLineageKey),
      catalog::print_sidecar(catalog::Lineage{ClusterId(77), MemberId(5), Revision(1), created, 1}));
  std::vector<bucket::SnapshotName> deltas;
  for (const auto& [key, body] : Objects(objects)) {
    const auto name = bucket::parse_key(key);
    if (!name) continue;
    catalog::State state;
    state.object = key;
    state.revision = name->span.last;
    state.version = "3.5.21";
    for (std::int64_t id = 1; id < 4; ++id) state.leases.push_back({LeaseId(id), 60 * id, 30});
    add(catalog::state_key(key), catalog::print_sidecar(state));
    catalog::SeekTable table;
    table.object = key;
    table.members = {{0, 0}};
    add(catalog::seek_key(key), catalog::print_sidecar(table));
    if (name->kind != bucket::Kind::delta) continue;
    add(catalog::claim_key(name->span.first, 1),
        catalog::print_sidecar(catalog::Claim{name->span.first, 1, "a-recorder", key, created}));
  }
}

Bucket load(const std::string& fixture) {
  Bucket bucket{.name = fixture, .objects = {}, .truths = {}};
  const auto store = store::DirStore::open(kFixtures / fixture / "bucket", store::DirStore::Access::read_only);
  EXPECT_TRUE(store);
  const auto list = (*store)->list("");
  EXPECT_TRUE(list);
  for (const store::ObjectInfo& object : *list) bucket.objects[object.key] = *(*store)->get(object.key);
  return bucket;
}

std::vector<Bucket> buckets() {
  std::vector<Bucket> all;
  for (const char* fixture : {"00-control-gz", "09-suffix-Z", "09-suffix-zlib", "09-suffix-none", "10-source-etcd-3.6",
                              "50-multimember-full", "53-multimember-deltas", "03-lease-ids-in-delta"})
    all.push_back(load(fixture));
  // A second full in the middle of the chain, so that there is something to fall back from.
  Bucket two = load("00-control-gz");
  two.name = "two fulls";
  const Buffer full = restore(two.objects, {Target::at(Revision(560)), true, true}).database;
  two.objects["v2/Full-00000000-00000560-1795246369"] = bucket::testing::with_digest(as_text(full));
  all.push_back(std::move(two));
  for (Bucket& bucket : all) add_sidecars(bucket.objects);
  return all;
}

// Does one thing to one object (or to two), and says what.
std::string damage(Objects& objects, std::vector<std::string>& keys, std::mt19937_64& random) {
  const auto any = [&](bool snapshot) {
    for (;;) {
      const auto it = std::next(objects.begin(), static_cast<std::ptrdiff_t>(random() % objects.size()));
      if (!snapshot || bucket::parse_key(it->first)) return it;
    }
  };
  const auto victim = any(random() % 3 != 0);
  Buffer& body = victim->second;
  keys = {victim->first};
  if (body.empty()) return "nothing";
  const std::size_t at = random() % body.size();
  switch (random() % 6) {
    case 0:
      body[at] ^= static_cast<std::byte>(1U << random() % 8);
      return fmt::format("a bit of byte {} of {} flipped", at, victim->first);
    case 1: body[at] = static_cast<std::byte>(random()); return fmt::format("byte {} of {} changed", at, victim->first);
    case 2: body.resize(at); return fmt::format("{} cut at {}", victim->first, at);
    case 3:
      for (std::size_t i = at / 512 * 512; i < std::min(body.size(), at / 512 * 512 + 512); ++i) body[i] = std::byte{0};
      return fmt::format("sector {} of {} in zeros", at / 512, victim->first);
    case 4: {
      const Buffer copy(body.begin() + static_cast<std::ptrdiff_t>(at), body.end());
      body.insert(body.end(), copy.begin(), copy.end());
      return fmt::format("the end of {} from {} on twice", victim->first, at);
    }
    default: {
      const auto other = any(bucket::parse_key(victim->first).has_value());
      keys.push_back(other->first);
      std::swap(body, other->second);
      return fmt::format("{} and {} exchanged", victim->first, other->first);
    }
  }
}

void expect_right_or_told(Bucket& bucket, const Objects& damaged, const std::vector<std::string>& keys, const How& how,
                          const std::string& what) {
  const Answer is = restore(damaged, how);
  const auto names_it = [&] {
    return std::ranges::any_of(keys, [&](const std::string& key) {
      return is.said.find(key.substr(key.rfind('/') + 1)) != std::string::npos;
    });
  };
  if (!is.restored) {
    EXPECT_TRUE(names_it()) << bucket.name << ": " << what << ": " << is.said;
    return;
  }
  const Plan& plan = is.restored->plan;
  if (how.target.kind == Target::Kind::revision) {
    ASSERT_EQ(plan.reach, how.target.revision) << bucket.name << ": " << what;
  } else if (how.target.kind == Target::Kind::time) {
    const Answer should = restore(bucket.objects, how);
    ASSERT_TRUE(should.restored) << bucket.name << ": " << what << ": " << should.said;
    ASSERT_EQ(plan.reach, should.restored->plan.reach) << bucket.name << ": " << what;
  } else if (plan.reach != bucket.truth(plan.reach, false).restored->plan.newest) {
    EXPECT_FALSE(plan.complete()) << bucket.name << ": " << what;
    EXPECT_TRUE(names_it()) << bucket.name << ": " << what << ": " << is.said;
  }
  const Answer& truth = bucket.truth(plan.reach, how.keep_history);
  ASSERT_TRUE(truth.restored) << truth.said;
  EXPECT_EQ(testing::difference(is.live, truth.live), "") << bucket.name << ": " << what;
  // Another base keeps another part of the history, and the leases of its own moment.
  if (plan.base.key != truth.restored->plan.base.key) return;
  EXPECT_EQ(is.hash.has_value(), truth.hash.has_value());
  if (is.hash && truth.hash) {
    EXPECT_EQ(is.hash->hash, truth.hash->hash) << bucket.name << ": " << what;
  }
  std::vector<std::int64_t> leases, should;
  for (const auto& [id, ttl] : is.leases) leases.push_back(id);
  for (const auto& [id, ttl] : truth.leases) should.push_back(id);
  EXPECT_EQ(leases, should) << bucket.name << ": " << what;
}

TEST(Damage, TheRightStateOrTheNameOfTheObject) {
  std::mt19937_64 random(::tidemark::testing::seed());
  std::vector<Bucket> all = buckets();
  for (int round = 0; round < ::tidemark::testing::scaled(150) && !HasFailure(); ++round) {
    Bucket& bucket = all[random() % all.size()];
    Objects damaged = bucket.objects;
    std::vector<std::string> keys;
    const std::string what = damage(damaged, keys, random);
    How how;
    how.keep_history = random() % 2 == 0;
    std::vector<bucket::SnapshotName> names;
    for (const auto& [key, body] : bucket.objects)
      if (const auto name = bucket::parse_key(key)) names.push_back(*name);
    const bucket::SnapshotName& aim = names[random() % names.size()];
    if (random() % 3 == 0) how.target = Target::at(aim.span.last);
    if (random() % 3 == 0 && aim.kind == bucket::Kind::delta)
      how.target = Target::at(Time(std::chrono::seconds(aim.unix_s + 1 - static_cast<std::int64_t>(random() % 4))));
    expect_right_or_told(bucket, damaged, keys, how, what);
  }
}

}  // namespace
}  // namespace tidemark::restore
