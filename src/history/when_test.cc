#include "history/when.h"

#include <gtest/gtest.h>

#include "restore/testing/attempt.h"

namespace tidemark::history {
namespace {

using restore::testing::Bucket;
using restore::testing::Made;

constexpr Time kNow{std::chrono::seconds(1795250000)};

Made change(const std::string& key, std::int64_t mod, bool deletion = false) {
  return {.key = "/registry/" + key,
          .value = "never opened",
          .deletion = deletion,
          .create = mod,
          .mod = mod,
          .version = 1,
          .time = Time(std::chrono::seconds(1795247000 + mod))};
}

class WhenOfAChain : public ::testing::Test {
 protected:
  WhenOfAChain() {
    bucket_.add_delta({change("configmaps/shop/web", 309), change("configmaps/bank/web", 310),
                       change("configmaps/shop/web", 311, true), change("namespaces/shop", 312)},
                      1795247313);
    bucket_.add_delta({change("configmaps/shop/web", 313), change("configmaps/shop/web", 314, true),
                       change("configmaps/shop/stays", 315), change("configmaps/bank/web", 316, true),
                       change("namespaces/shop", 317, true), change("configmaps/shop/once", 318),
                       change("configmaps/shop/once", 319, true)},
                      1795247320);
  }
  Result<restore::Target> when(std::string_view text, const WhenScope& scope) {
    const io::TempDir scratch = io::TempDir::create().value();
    const auto origin = restore::store_origin(bucket_.store);
    return resolve_when(text, kNow, *origin, scope, {.scratch = scratch.path(), .stop = {}, .progress = {}});
  }
  Bucket bucket_;
};

TEST_F(WhenOfAChain, BeforeTheLastDeletion) {
  struct Row {
    const char* text;
    WhenScope scope;
    const char* target;
  };
  const WhenScope shop{.ns = "shop"}, anywhere{.any_namespace = true};
  const Row rows[] = {
      {"before:delete:cm/web", shop, "rev:313"},  // of two deletions the last
      {"before:delete:configmaps/web", {.ns = "bank"}, "rev:315"},
      {"before:delete:ns/shop", shop, "rev:316"},
      {"before:delete:ns/shop", anywhere, "rev:316"},
      {"before:delete:ConfigMap/once", anywhere, "rev:318"},
      {"latest", shop, "latest"},
      {"rev:7", anywhere, "rev:7"},
  };
  for (const Row& row : rows) {
    const auto target = when(row.text, row.scope);
    ASSERT_TRUE(target) << row.text << ": " << target.error().what;
    EXPECT_EQ(restore::print_target(*target), row.target) << row.text;
  }
}

TEST_F(WhenOfAChain, SaysWhatIsPossible) {
  struct Row {
    const char* text;
    WhenScope scope;
    Errc code;
    const char* says;
    const char* hint;
  };
  const WhenScope shop{.ns = "shop"}, anywhere{.any_namespace = true};
  const Row rows[] = {
      {"before:delete:cm/none", shop, Errc::not_found, "no version of cm/none in namespace shop up to revision 319",
       "-n NAMESPACE"},
      {"before:delete:cm/none", anywhere, Errc::not_found, "no version of cm/none up to revision 319", ""},
      {"before:delete:cm/stays", shop, Errc::not_found, "cm/stays in namespace shop was not deleted", "latest"},
      {"before:delete:cm/web", anywhere, Errc::invalid, "315 in bank, 313 in shop", "rev:315"},
      {"before:delete:gadgets/web", shop, Errc::not_found, "there was no kind 'gadgets'", ""},
      {"before:delete:all/web", shop, Errc::invalid, "one kind expected", ""},
      {"before:delete:cm,secrets/web", shop, Errc::invalid, "one kind expected", ""},
      {"before:delete:web", shop, Errc::invalid, "before:delete:KIND/NAME expected", "before:delete:deploy/web"},
      {"before:delete:cm/", shop, Errc::invalid, "KIND/NAME", ""},
      {"before:delete:/web", shop, Errc::invalid, "KIND/NAME", ""},
      {"before:delete:cm/shop/web", shop, Errc::invalid, "KIND/NAME", ""},
      {"before:create:cm/web", shop, Errc::invalid, "KIND/NAME", ""},
      {"pin:release", shop, Errc::unsupported, "keeps no pins", "rev:1234"},
      {"yesterday", shop, Errc::invalid, "is not a moment", ""},
  };
  for (const Row& row : rows) {
    const auto target = when(row.text, row.scope);
    ASSERT_FALSE(target) << row.text;
    EXPECT_EQ(target.error().code, row.code) << row.text << ": " << target.error().what;
    EXPECT_NE(target.error().what.find(row.says), std::string::npos) << row.text << ": " << target.error().what;
    EXPECT_NE(target.error().hint.find(row.hint), std::string::npos) << row.text << ": " << target.error().hint;
  }
  for (const char* good : {"before:delete:cm/web", "latest", "-2h"}) EXPECT_TRUE(check_when(good, kNow)) << good;
  for (const char* bad : {"before:delete:web", "before:", "pin:x", "2096-11-21T10:00:01Z"}) {
    EXPECT_FALSE(check_when(bad, kNow)) << bad;
  }
}

}  // namespace
}  // namespace tidemark::history
