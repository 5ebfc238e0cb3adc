#include "store/dir_store.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "store/open.h"

namespace tidemark::store {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using Access = DirStore::Access;

class DirStoreTest : public ::testing::Test {
 protected:
  io::TempDir dir_ = io::TempDir::create().value();
  io::Path root_ = dir_.path() / "store";

  std::unique_ptr<DirStore> open(Access access = Access::read_write) { return DirStore::open(root_, access).value(); }
  // Writes beside the store's back.
  void write(const io::Path& path, std::string_view text) {
    ASSERT_TRUE(io::make_dirs(path.parent_path()));
    ASSERT_TRUE(io::write_file_durably(path, as_bytes(text)));
  }
  std::vector<std::string> keys(DirStore& store, std::string_view prefix = "") {
    std::vector<std::string> names;
    const auto all = store.list(prefix);
    EXPECT_TRUE(all) << all.error().what;
    if (!all) return names;
    for (const ObjectInfo& object : *all) names.push_back(object.key);
    return names;
  }
  static mode_t mode(const io::Path& path) {
    struct stat st{};
    EXPECT_EQ(::stat(path.c_str(), &st), 0) << path;
    return st.st_mode & 07777U;
  }
};

TEST_F(DirStoreTest, FilesAreForTheirOwnerOnly) {
  const auto store = open();
  EXPECT_FALSE(fs::exists(root_)) << "opening must not make anything";
  ASSERT_TRUE(store->put("v2/a", as_bytes("x")));
  EXPECT_EQ(mode(root_ / "v2/a"), 0600U);
  EXPECT_EQ(mode(root_ / "v2"), 0700U);
  EXPECT_EQ(mode(root_), 0700U);
}

TEST_F(DirStoreTest, ReadOnlyWritesNothing) {
  write(root_ / "v2/a", "x");
  write(root_ / "v2/.tm-dead.tmp", "x");
  const auto store = open(Access::read_only);
  EXPECT_TRUE(store->read_only());
  EXPECT_EQ(store->put("b", {}).error().code, Errc::denied);
  EXPECT_EQ(store->create("v2/b").error().code, Errc::denied);
  EXPECT_EQ(store->remove("v2/a").error().code, Errc::denied);
  EXPECT_EQ(store->clean_leftovers({}, Time::max()).error().code, Errc::denied);
  EXPECT_EQ(as_text(store->get("v2/a").value()), "x");
  EXPECT_EQ(keys(*store), std::vector<std::string>{"v2/a"});
  EXPECT_TRUE(fs::exists(root_ / "v2/.tm-dead.tmp"));
}

TEST_F(DirStoreTest, ReadOnlyNeedsTheDirectory) {
  const auto missing = DirStore::open(root_, Access::read_only);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Errc::not_found);
  EXPECT_THAT(missing.error().what, HasSubstr(root_.native()));
  EXPECT_FALSE(fs::exists(root_));
  write(root_, "a file");
  EXPECT_EQ(DirStore::open(root_, Access::read_write).error().code, Errc::invalid);
  EXPECT_EQ(DirStore::open("", Access::read_write).error().code, Errc::invalid);
}

TEST_F(DirStoreTest, AnEmptyStoreListsNothing) { EXPECT_TRUE(keys(*open()).empty()); }

TEST_F(DirStoreTest, LeftoversAreNotListedAndCleanedByAge) {
  const auto store = open();
  ASSERT_TRUE(store->put("v2/a", as_bytes("x")));
  for (const char* name : {".tm-old.tmp", "v2/.tm-old.tmp", "v2/.tm-new.tmp"}) write(root_ / name, "half");
  const Time now = std::chrono::floor<std::chrono::nanoseconds>(store->stat("v2/a")->modified) + std::chrono::hours(9);
  const auto age = [&](const char* name, std::chrono::seconds by) {
    const auto at = std::chrono::floor<std::chrono::seconds>(now - by).time_since_epoch().count();
    const struct timespec times[2] = {{at, 0}, {at, 0}};
    ASSERT_EQ(::utimensat(AT_FDCWD, (root_ / name).c_str(), times, 0), 0);
  };
  age(".tm-old.tmp", std::chrono::minutes(61));
  age("v2/.tm-old.tmp", std::chrono::hours(24));
  age("v2/.tm-new.tmp", std::chrono::minutes(59));
  age("v2/a", std::chrono::hours(48));
  EXPECT_EQ(keys(*store), std::vector<std::string>{"v2/a"});
  EXPECT_EQ(store->clean_leftovers(std::chrono::hours(1), now), 2U);
  EXPECT_FALSE(fs::exists(root_ / ".tm-old.tmp"));
  EXPECT_FALSE(fs::exists(root_ / "v2/.tm-old.tmp"));
  EXPECT_TRUE(fs::exists(root_ / "v2/.tm-new.tmp"));
  EXPECT_TRUE(fs::exists(root_ / "v2/a"));
}

TEST_F(DirStoreTest, LinksBelowTheRootAreNoObjects) {
  write(dir_.path() / "outside/secret", "s");
  write(root_ / "v2/a", "a");
  fs::create_directory_symlink(dir_.path() / "outside", root_ / "out");
  fs::create_symlink(dir_.path() / "outside/secret", root_ / "v2/link");
  fs::create_directory_symlink(root_, root_ / "v2/loop");
  fs::create_symlink("nowhere", root_ / "v2/dangling");
  const auto store = open();
  EXPECT_EQ(keys(*store), std::vector<std::string>{"v2/a"});
  EXPECT_TRUE(keys(*store, "out/").empty());
  EXPECT_TRUE(keys(*store, "v2/loop/v2/").empty());
  for (const char* key : {"out/secret", "v2/link", "v2/loop/v2/a", "v2/dangling"}) {
    EXPECT_EQ(store->open(key).error().code, Errc::not_found) << key;
    EXPECT_EQ(store->stat(key).error().code, Errc::not_found) << key;
    EXPECT_EQ(store->remove(key).error().code, Errc::not_found) << key;
    EXPECT_FALSE(store->put(key, as_bytes("x"))) << key;
  }
  EXPECT_FALSE(store->put("out/new", as_bytes("x")));
  EXPECT_FALSE(fs::exists(dir_.path() / "outside/new"));
  EXPECT_EQ(io::size_of_file(dir_.path() / "outside/secret"), 1U);
}

TEST_F(DirStoreTest, TheRootItselfMayBeALink) {
  write(dir_.path() / "real/v2/a", "a");
  fs::create_directory_symlink(dir_.path() / "real", root_);
  const auto store = open();
  EXPECT_EQ(keys(*store), std::vector<std::string>{"v2/a"});
  EXPECT_TRUE(store->put("v2/b", as_bytes("b")));
}

TEST_F(DirStoreTest, AFileWhereAFolderIsNeeded) {
  write(root_ / "v2", "a file");
  const auto store = open();
  const Status put = store->put("v2/a", as_bytes("x"));
  ASSERT_FALSE(put);
  EXPECT_EQ(put.error().code, Errc::not_found);
  EXPECT_THAT(put.error().what, HasSubstr("is not a directory"));
}

TEST_F(DirStoreTest, OnlyRegularFilesAreObjects) {
  write(root_ / "v2/a", "a");
  ASSERT_EQ(::mkfifo((root_ / "v2/pipe").c_str(), 0600), 0);
  fs::create_directory(root_ / "lost+found");
  write(root_ / "lost+found/orphan", "x");
  const auto store = open();
  EXPECT_EQ(keys(*store), std::vector<std::string>{"v2/a"});
  EXPECT_EQ(store->open("v2/pipe").error().code, Errc::not_found);
}

// Also covers that the refused write leaves no temporary file behind.
TEST_F(DirStoreTest, FullDiskIsNoSpace) {
  ASSERT_TRUE(io::make_dirs(root_));
  ASSERT_EQ(::mount("none", root_.c_str(), "tmpfs", 0, "size=64k"), 0) << "needs the right to mount a tmpfs";
  {
    const auto store = open();
    const Status put = store->put("v2/big", Buffer(1 << 20));
    EXPECT_FALSE(put);
    if (!put) {
      EXPECT_EQ(put.error().code, Errc::no_space);
      EXPECT_THAT(put.error().what, HasSubstr((root_ / "v2").native()));
    }
    EXPECT_TRUE(fs::is_empty(root_ / "v2"));
    EXPECT_TRUE(store->put("v2/small", as_bytes("x"))) << "the refused write must give its space back";
  }
  EXPECT_EQ(::mount("none", root_.c_str(), "tmpfs", MS_REMOUNT | MS_RDONLY, nullptr), 0);
  {
    const auto store = open();
    EXPECT_EQ(store->put("v2/more", as_bytes("x")).error().code, Errc::denied);
    EXPECT_EQ(keys(*open(Access::read_only)), std::vector<std::string>{"v2/small"});
  }
  EXPECT_EQ(::umount(root_.c_str()), 0);
}

TEST_F(DirStoreTest, LeftoversAreCleanedThroughTheInterface) {
  write(root_ / "v2/.tm-dead.tmp", "x");
  const std::unique_ptr<ObjectStore> store = open_store(root_.native(), false).value();
  EXPECT_EQ(clean_leftovers(*store, {}, Time::max()), 1U);
  EXPECT_EQ(clean_leftovers(*store, {}, Time::max()), 0U);
}

TEST_F(DirStoreTest, OpenStoreByUrl) {
  ASSERT_TRUE(io::make_dirs(root_));
  for (const std::string& url :
       {root_.native(), "dir:" + root_.native(), "dir:" + root_.native() + "/", "dir:" + root_.native() + "/x/.."}) {
    const auto store = open_store(url, true);
    ASSERT_TRUE(store) << url << ": " << store.error().what;
    EXPECT_EQ((*store)->url(), "dir:" + root_.native());
  }
}

TEST(OpenStore, OtherUrlsAreRefusedByName) {
  struct Row {
    const char* url;
    Errc code;
    const char* text;
  };
  const Row rows[] = {
      {"s3://", Errc::invalid, "no name of a bucket"},
      {"s3:bucket", Errc::invalid, "s3://bucket/prefix"},
      {"gs://B/prefix", Errc::invalid, "no name of a bucket"},
      {"az://account", Errc::invalid, "no container given"},
      {"file:/x/snapshot.db", Errc::unsupported, "not a store"},
      {"etcd:/var/lib/etcd", Errc::unsupported, "not a store"},
      {"ftp://host/x", Errc::invalid, "unknown scheme 'ftp:'"},
      {"dir:", Errc::invalid, "no path"},
      {"", Errc::invalid, "no path"},
      {"/does/not/exist", Errc::not_found, "/does/not/exist"},
      {"./does:not/exist", Errc::not_found, "does:not/exist"},
  };
  for (const Row& row : rows) {
    const auto store = open_store(row.url, true);
    ASSERT_FALSE(store) << row.url;
    EXPECT_EQ(store.error().code, row.code) << row.url;
    EXPECT_THAT(store.error().what, HasSubstr(row.text)) << row.url;
  }
}

TEST(OpenStore, Schemes) {
  for (const auto& [url, scheme] : std::vector<std::pair<std::string, std::string>>{
           {"dir:/x", "dir"}, {"s3://b", "s3"}, {"/x", ""}, {"x", ""}, {"./a:b", ""}, {"/a:b", ""}, {"", ""}}) {
    EXPECT_EQ(url_scheme(url), scheme) << url;
  }
}

}  // namespace
}  // namespace tidemark::store
