// The same questions to a server that has the history index and to one that has not: the answers are the same, byte for
// byte, and by the index nothing is read that was not asked for.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "base/testing/scale.h"
#include "history/testing/chain.h"
#include "net/url.h"
#include "serve/testing/past_api.h"

namespace tidemark::serve {
namespace {

using history::testing::Chain;
using history::testing::IndexedStore;
using nlohmann::json;
using testing::PastApi;
using testing::RecordedReply;

constexpr const char* kAsTable = "application/json;as=Table;v=v1;g=meta.k8s.io";

// One store, and both ways to show it. `cache_bytes`: by the index; what a walk has read stays.
struct Both {
  explicit Both(const Chain& chain, std::optional<std::uint64_t> cache_bytes = {}) : indexed(chain) {
    store = store::DirStore::open(indexed.root(), store::DirStore::Access::read_only).value();
    origin = restore::store_origin(*store);
    by_walk = PastApi::over(*origin, nullptr);
    by_index = PastApi::over(indexed.index().origin(), &indexed.index(), cache_bytes);
  }
  IndexedStore indexed;
  std::unique_ptr<store::ObjectStore> store;
  std::unique_ptr<restore::Origin> origin;
  std::unique_ptr<PastApi> by_walk, by_index;

  // What both answer.
  RecordedReply same(const std::string& target, const char* accept = "application/json") {
    RecordedReply walked = by_walk->get(target, accept), looked_up = by_index->get(target, accept);
    EXPECT_EQ(walked.code, looked_up.code) << target;
    EXPECT_EQ(walked.headers, looked_up.headers) << target;
    EXPECT_EQ(walked.body, looked_up.body) << target;
    EXPECT_EQ(walked.ended, looked_up.ended) << target;
    return looked_up;
  }
};

// Of a list's pages: all of them.
void same_pages(Both& both, const std::string& target) {
  std::string token;
  do {
    const RecordedReply page =
        both.same(target + "?limit=2" + (token.empty() ? "" : "&continue=" + net::percent_encode(token)));
    if (page.code != 200) return;
    token = page.json().at("metadata").value("continue", "");
  } while (!token.empty());
}

void ask_everything(Both& both, const std::string& at, std::mt19937_64& random) {
  std::vector<std::string> targets;
  for (const char* kind : {"pods", "configmaps"}) {
    for (const char* ns : {"", "namespaces/ns-0/", "namespaces/ns-3/", "namespaces/ns-9/", "namespaces/ns/"}) {
      const std::string list = at + "/api/v1/" + ns + kind;
      for (const char* more : {"", "?labelSelector=odd%3D1", "?labelSelector=%21odd",
                               "?fieldSelector=metadata.name%3Da", "?watch=1&timeoutSeconds=1"}) {
        targets.push_back(list + more);
      }
      if (*ns == '\0') continue;
      for (const char* name : {"a", "a0", "aa3", "a%2Fb", "none"}) {
        targets.push_back(list + "/" + name);
        targets.push_back(list + "/" + name + "?watch=1&timeoutSeconds=1");
      }
    }
  }
  targets.push_back(at + "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.example.com");
  targets.push_back(at + "/apis");
  // In any order: what is there already must not change an answer.
  std::ranges::shuffle(targets, random);
  std::set<std::string> names;
  for (const std::string& target : targets) {
    const RecordedReply reply = both.same(target);
    if (reply.code != 200 || target.find("watch") != std::string::npos) continue;
    for (const json& item : reply.json().value("items", json::array())) {
      names.insert(fmt::format("{}/api/v1/namespaces/{}/{}/{}", at, item["metadata"]["namespace"].get<std::string>(),
                               item["kind"] == "Pod" ? "pods" : "configmaps",
                               item["metadata"]["name"].get<std::string>()));
    }
  }
  for (const std::string& name : names) {
    EXPECT_EQ(both.same(name).code, 200);
    both.same(name, kAsTable);
  }
  for (const char* list : {"/api/v1/pods", "/api/v1/namespaces/ns-1/configmaps"}) {
    both.same(at + list, kAsTable);
    same_pages(both, at + list);
  }
}

TEST(PastByIndex, AnswersAsTheWalkDoes) {
  std::mt19937_64 random(tidemark::testing::seed());
  for (int round = 0; round < tidemark::testing::scaled(4); round++) {
    SCOPED_TRACE(round);
    // Values that nobody can read, and objects; a cache that holds everything, and one that holds next to nothing.
    Chain chain(random(), {.objects = round % 4 != 0});
    Both both(chain, round % 2 == 0 ? std::nullopt : std::optional<std::uint64_t>(4000));
    ASSERT_TRUE(both.by_walk && both.by_index);
    ask_everything(both, "", random);
    ask_everything(both, fmt::format("/at/rev:{}", chain.some_revision()), random);
    if (round % 2 == 1) {
      EXPECT_LE(both.by_index->counters().cache_bytes, 2 * 4000U);
    }
  }
}

// Whatever becomes of the cache's files.
TEST(PastByIndex, ADamagedCacheChangesNoAnswer) {
  std::mt19937_64 random(tidemark::testing::seed());
  Chain chain(random(), {.objects = true});
  Both both(chain, /*cache_bytes=*/0);
  ASSERT_TRUE(both.by_walk && both.by_index);
  for (int i = 0; i < tidemark::testing::scaled(5); i++) {
    both.indexed.damage_cache(random);
    both.same("/api/v1/namespaces/ns-0/pods/a");
    both.same("/api/v1/configmaps");
    both.same(fmt::format("/at/rev:{}/api/v1/pods", chain.some_revision()));
  }
}

TEST(PastByIndex, ReadsOnlyWhatIsAskedFor) {
  Chain chain(tidemark::testing::seed(), {.revisions = 200, .keys = 60, .objects = true});
  Both both(chain);
  ASSERT_TRUE(both.by_walk && both.by_index);
  const Counters& counters = both.by_index->counters();
  EXPECT_EQ(counters.cache_bytes, 0U);
  const json all = both.same("/api/v1/configmaps").json().at("items");
  ASSERT_GT(all.size(), 5U) << "too few for a difference";
  const std::uint64_t kind = counters.cache_bytes;

  // A server that was asked for one object has that, and the other one the kind.
  both.by_index = PastApi::over(both.indexed.index().origin(), &both.indexed.index());
  both.by_walk = PastApi::over(*both.origin, nullptr);
  const Counters& fresh = both.by_index->counters();
  const json& metadata = all.front().at("metadata");
  const std::string ns = metadata["namespace"], name = metadata["name"];
  const std::string one = "/api/v1/namespaces/" + ns + "/configmaps/" + name;
  EXPECT_EQ(both.same(one).code, 200);
  EXPECT_EQ(fresh.reads, 1U);
  EXPECT_LT(fresh.cache_bytes, kind);
  EXPECT_EQ(both.by_walk->counters().cache_bytes, kind);
  both.same(one + "?watch=1&timeoutSeconds=1");  // of the namespace, whose warnings it shows
  EXPECT_EQ(fresh.reads, 2U);
  both.same("/api/v1/namespaces/" + ns + "/configmaps");
  both.same(one + "/none");
  both.same(one);
  EXPECT_EQ(fresh.reads, 2U);  // it was there
  both.same("/api/v1/configmaps");
  EXPECT_EQ(fresh.reads, 3U);
  for (const json& object : all) {
    both.same("/api/v1/namespaces/" + object["metadata"]["namespace"].get<std::string>() + "/configmaps/" +
              object["metadata"]["name"].get<std::string>());
  }
  EXPECT_EQ(fresh.reads, 3U);
  EXPECT_EQ(both.by_walk->counters().reads, 1U);
}

}  // namespace
}  // namespace tidemark::serve
