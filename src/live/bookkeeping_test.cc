#include "live/bookkeeping.h"

#include <gtest/gtest.h>

#include "live/testing/objects.h"

namespace tidemark::live {
namespace {

using nlohmann::json;

struct BooksRow {
  const char* id;
  const char* object;
  const char* from;
  const char* taken;    // what take_bookkeeping() leaves of metadata, without name and the like
  const char* dropped;  // and drop_bookkeeping()
};

const BooksRow kBooksRows[] = {
    {"deployments.apps shop/web", R"({"annotations":{"deployment.kubernetes.io/revision":"1","a":"b"}})",
     R"({"annotations":{"deployment.kubernetes.io/revision":"4","c":"d"}})",
     R"({"annotations":{"deployment.kubernetes.io/revision":"4","a":"b"}})", R"({"annotations":{"a":"b"}})"},
    {"deployments.apps shop/web", R"({"annotations":{"deployment.kubernetes.io/revision":"1"}})", "{}", "{}", "{}"},
    {"deployments.apps shop/web", "{}", R"({"annotations":{"deployment.kubernetes.io/revision":"4"}})",
     R"({"annotations":{"deployment.kubernetes.io/revision":"4"}})", "{}"},
    // Of another kind the same name is anybody's.
    {"statefulsets.apps shop/db", R"({"annotations":{"deployment.kubernetes.io/revision":"1"}})", "{}",
     R"({"annotations":{"deployment.kubernetes.io/revision":"1"}})",
     R"({"annotations":{"deployment.kubernetes.io/revision":"1"}})"},
    {"configmaps shop/lock", R"({"annotations":{"control-plane.alpha.kubernetes.io/leader":"me"}})",
     R"({"annotations":{"control-plane.alpha.kubernetes.io/leader":"you"}})",
     R"({"annotations":{"control-plane.alpha.kubernetes.io/leader":"you"}})", "{}"},
    {"persistentvolumeclaims shop/data", R"({"finalizers":["kubernetes.io/pvc-protection","x/y"],"labels":{"a":"b"}})",
     R"({"finalizers":["kubernetes.io/pvc-protection"]})",
     R"({"finalizers":["kubernetes.io/pvc-protection"],"labels":{"a":"b"}})", R"({"labels":{"a":"b"}})"},
};

TEST(Bookkeeping, IsTakenAndDropped) {
  for (const BooksRow& row : kBooksRows) {
    const auto made = [&](const char* metadata) {
      return testing::object(row.id, json{{"metadata", json::parse(metadata)}}.dump());
    };
    Found taken = made(row.object);
    Found dropped = made(row.object);
    const json from = made(row.from).object;
    take_bookkeeping(taken.kind, taken.object, from);
    drop_bookkeeping(dropped.kind, dropped.object);
    EXPECT_EQ(taken.object, made(row.taken).object) << row.id << " " << row.object;
    EXPECT_EQ(dropped.object, made(row.dropped).object) << row.id << " " << row.object;
  }
}

TEST(Bookkeeping, OfWhatIsNoObjectNothingIsMade) {
  const auto kind = testing::kind("deployments.apps");
  for (const char* odd : {"null", "[]", "7", R"({"metadata":7})", R"({"metadata":{"annotations":"x"}})"}) {
    json object = json::parse(odd);
    drop_bookkeeping(kind, object);
    EXPECT_EQ(object, json::parse(odd));
  }
}

}  // namespace
}  // namespace tidemark::live
