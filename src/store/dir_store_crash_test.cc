// A store in a directory through a power failure at every moment.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "base/testing/scale.h"
#include "io/testing/crash_disk.h"
#include "store/dir_store.h"

namespace tidemark::store {
namespace {

using io::testing::Crash;
using io::testing::CrashDisk;
using io::testing::DiskImage;

// What was asked of the store, and how many operations of the disk were done when it answered.
struct Asked {
  std::string key, body;
  bool removed = false;
  std::size_t begun = 0, answered = 0;
};

class Diary {
 public:
  Diary(DirStore& store, const CrashDisk& disk) : store_(store), disk_(disk) {}
  void put(const std::string& key, std::size_t parts) {
    Asked asked{.key = key, .body = "", .begun = disk_.operations()};
    auto writer = store_.create(key);
    ASSERT_TRUE(writer) << writer.error().what;
    for (std::size_t i = 0; i < parts; ++i) {
      const std::string part(700, static_cast<char>('a' + i));
      asked.body += part;
      ASSERT_TRUE((*writer)->write(as_bytes(part)));
    }
    ASSERT_TRUE((*writer)->finish());
    const Status done = (*writer)->commit();
    ASSERT_TRUE(done) << done.error().what;
    asked.answered = disk_.operations();
    all.push_back(asked);
  }
  void remove(const std::string& key) {
    Asked asked{.key = key, .body = "", .removed = true, .begun = disk_.operations()};
    ASSERT_TRUE(store_.remove(key));
    asked.answered = disk_.operations();
    all.push_back(asked);
  }

  std::vector<Asked> all;

 private:
  DirStore& store_;
  const CrashDisk& disk_;
};

// What each key may hold after a crash: nullopt is "not there".
std::map<std::string, std::vector<std::optional<std::string>>> allowed(const std::vector<Asked>& all,
                                                                       std::size_t after) {
  std::map<std::string, std::vector<std::optional<std::string>>> rows;
  for (const Asked& asked : all) {
    auto& answers = rows.try_emplace(asked.key, 1, std::nullopt).first->second;
    if (asked.begun >= after) continue;
    if (asked.answered <= after) answers.clear();
    answers.push_back(asked.removed ? std::nullopt : std::optional(asked.body));
  }
  return rows;
}

// The next process: sees only whole objects, and can do all that was to be done.
void look(const std::vector<Asked>& all, const Crash& crash, const DiskImage& image) {
  const io::TempDir dir = io::testing::scratch();
  const io::Path root = dir.path() / "disk";
  const CrashDisk next(root, image);
  const auto store = DirStore::open(root / "store", DirStore::Access::read_write);
  ASSERT_TRUE(store);
  std::set<std::string> listed;
  const auto list = (*store)->list("");
  ASSERT_TRUE(list) << list.error().what;
  for (const ObjectInfo& object : *list) listed.insert(object.key);
  for (const auto& [key, answers] : allowed(all, crash.after)) {
    const auto body = (*store)->get(key);
    std::optional<std::string> found;
    if (body) found = std::string(as_text(*body));
    EXPECT_TRUE(std::ranges::find(answers, found) != answers.end())
        << key << ": " << (found ? std::to_string(found->size()) + " bytes" : "not there") << ", " << crash.text();
    EXPECT_EQ(listed.erase(key), found ? 1U : 0U) << key << ", " << crash.text();
    const Status again = (*store)->put(key, as_bytes("again"));
    EXPECT_EQ(again.has_value(), !found) << key << ", " << crash.text();
  }
  EXPECT_TRUE(listed.empty()) << *listed.begin() << ", " << crash.text();
  const auto cleaned = (*store)->clean_leftovers(std::chrono::seconds(0), Time::max());
  EXPECT_TRUE(cleaned);
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root))
    EXPECT_FALSE(io::is_pending_name(entry.path().filename().native()));
}

TEST(DirStoreCrash, AnObjectIsWholeOrNotThereAndStaysOnceAcknowledged) {
  const auto dir = io::TempDir::create();
  CrashDisk disk(dir->path());
  const auto store = DirStore::open(dir->path() / "store", DirStore::Access::read_write);
  ASSERT_TRUE(store);
  Diary diary(**store, disk);
  diary.put("v2/a", 2);
  diary.put("v2/deep/er/b", 3);
  diary.put("v2/empty", 0);
  diary.put("other/c", 1);
  diary.remove("v2/a");
  diary.put("v2/a", 1);
  diary.remove("other/c");
  EXPECT_EQ(disk.unseen(), "");
  disk.stop();
  int crashes = 0;
  each_crash(disk, 0, ::tidemark::testing::scaled(12), ::tidemark::testing::seed(),
             [&](const Crash& crash, const DiskImage& image) {
               ++crashes;
               look(diary.all, crash, image);
               return !::testing::Test::HasFailure();
             });
  EXPECT_GT(static_cast<std::size_t>(crashes), 2 * disk.operations());  // equal images of one moment come once
}

// A folder whose name another process made and did not live to make durable.
TEST(DirStoreCrash, FoldersOfAWriterThatDied) {
  const auto dir = io::TempDir::create();
  CrashDisk disk(dir->path());
  const io::Path root = dir->path() / "store";
  ASSERT_EQ(std::filesystem::create_directories(root / "v2" / "claims"), true);
  const auto store = DirStore::open(root, DirStore::Access::read_write);
  ASSERT_TRUE(store);
  ASSERT_TRUE((*store)->put("v2/claims/1", as_bytes("mine")));
  const auto left = io::testing::below(disk.after({disk.operations(), Crash::Keeps::nothing, 0}), "store/v2/claims");
  EXPECT_EQ(left, (std::map<std::string, std::string>{{"1", "mine"}}));
}

}  // namespace
}  // namespace tidemark::store
