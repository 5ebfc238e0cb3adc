// The disk that forgets must itself be right: what each call leaves behind a crash, and that nothing goes past it.
#include "io/testing/crash_disk.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <set>
#include <thread>

#include "base/testing/scale.h"

namespace tidemark::io::testing {
namespace {

using enum Crash::Keeps;
using Files = std::map<std::string, std::string>;

class Disks : public ::testing::Test {
 protected:
  Path at(const char* name) const { return dir_.path() / name; }
  int make(const char* name, std::string_view text, bool sync) const {
    const int fd = ::open(at(name).c_str(), O_RDWR | O_CREAT | O_TRUNC, 0600);
    EXPECT_TRUE(write_all(fd, as_bytes(text), name));
    if (sync) {
      EXPECT_EQ(::fsync(fd), 0);
    }
    return fd;
  }
  void file(const char* name, std::string_view text, bool sync) const { ::close(make(name, text, sync)); }
  void sync_dir(const char* name = "") const { ASSERT_TRUE(fsync_dir(dir_.path() / name)); }
  static Files left(const CrashDisk& disk, Crash::Keeps keeps, std::uint64_t seed = 0) {
    return below(disk.after({disk.operations(), keeps, seed}), "");
  }
  TempDir dir_ = TempDir::create().value();
};

TEST_F(Disks, ANameIsSafeOnceItsDirectoryIs) {
  const CrashDisk disk(dir_.path());
  file("a", "text", true);
  EXPECT_EQ(left(disk, nothing), Files{});
  EXPECT_EQ(left(disk, names), (Files{{"a", "text"}}));
  EXPECT_EQ(left(disk, everything), (Files{{"a", "text"}}));
  sync_dir();
  EXPECT_EQ(left(disk, nothing), (Files{{"a", "text"}}));
  EXPECT_EQ(disk.unseen(), "");
  EXPECT_EQ(disk.operation(0), "add ./a");
  EXPECT_EQ(disk.operation(1), "write a");
  EXPECT_EQ(disk.operation(3), "fsync .");
}

TEST_F(Disks, BytesAreSafeOnceTheFileIs) {
  file("a", "before", true);
  const CrashDisk disk(dir_.path());
  const int fd = ::open(at("a").c_str(), O_WRONLY);
  ASSERT_EQ(::pwrite(fd, "AFTER!!", 7, 2), 7);
  EXPECT_EQ(left(disk, nothing), (Files{{"a", "before"}}));
  EXPECT_EQ(left(disk, sizes), (Files{{"a", std::string("before\0\0\0", 9)}}));
  EXPECT_EQ(left(disk, data), (Files{{"a", "beAFTER!!"}}));
  ASSERT_EQ(::fdatasync(fd), 0);
  EXPECT_EQ(left(disk, nothing), (Files{{"a", "beAFTER!!"}}));
  ASSERT_EQ(::ftruncate(fd, 1), 0);
  EXPECT_EQ(left(disk, names), (Files{{"a", "beAFTER!!"}}));
  EXPECT_EQ(left(disk, everything), (Files{{"a", "b"}}));
  ::close(fd);
  EXPECT_EQ(disk.unseen(), "");
}

TEST_F(Disks, ARenameWithoutFsyncMayBeEitherName) {
  const CrashDisk disk(dir_.path());
  file("new", "new", false);
  file("old", "old", true);
  sync_dir();
  ASSERT_TRUE(rename_path(at("new"), at("old")));
  EXPECT_EQ(left(disk, nothing), (Files{{"new", ""}, {"old", "old"}}));
  EXPECT_EQ(left(disk, names), (Files{{"old", ""}})) << "the old bytes are gone and the new ones never came";
  EXPECT_EQ(left(disk, everything), (Files{{"old", "new"}}));
  std::set<Files> seen;
  for (std::uint64_t seed = 0; seed < 100; ++seed) seen.insert(left(disk, some, seed));
  EXPECT_EQ(seen.size(), 6U) << "renamed or not; empty, in zeros or written";
}

TEST_F(Disks, ARenameBetweenDirectoriesNeedsBoth) {
  ASSERT_TRUE(make_dirs(at("a")));
  ASSERT_TRUE(make_dirs(at("b")));
  file("a/x", "x", true);
  for (const bool exchange : {false, true}) {
    if (exchange) file("b/y", "y", true);
    const CrashDisk disk(dir_.path());
    const auto before = left(disk, nothing);
    ASSERT_EQ(::renameat2(AT_FDCWD, at("a/x").c_str(), AT_FDCWD, at("b/y").c_str(), exchange ? RENAME_EXCHANGE : 0), 0);
    const auto after = left(disk, everything);
    EXPECT_NE(before, after);
    sync_dir("b");
    EXPECT_EQ(left(disk, nothing), before);
    sync_dir("a");
    EXPECT_EQ(left(disk, nothing), after);
    EXPECT_EQ(disk.unseen(), "");
    file("a/x", "x", true);
  }
}

TEST_F(Disks, WhatIsBelowALostDirectoryIsLost) {
  const CrashDisk disk(dir_.path());
  ASSERT_EQ(::mkdir(at("d").c_str(), 0700), 0);
  file("d/x", "x", true);
  sync_dir("d");
  EXPECT_EQ(left(disk, nothing), Files{});
  sync_dir();
  EXPECT_EQ(left(disk, nothing), (Files{{"d", "(directory)"}, {"d/x", "x"}}));
}

TEST_F(Disks, ADirectoryGoesAfterWhatWasInIt) {
  ASSERT_TRUE(make_dirs(at("d/e")));
  file("d/x", "x", true);
  file("d/e/y", "y", true);
  const CrashDisk disk(dir_.path());
  ASSERT_TRUE(remove_tree(at("d")));
  EXPECT_EQ(disk.unseen(), "");
  EXPECT_EQ(left(disk, nothing).size(), 4U);
  EXPECT_EQ(left(disk, names), Files{});
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    const auto files = left(disk, some, seed);
    EXPECT_TRUE(files.contains("d") || files.empty());
    EXPECT_TRUE(files.contains("d/e") || !files.contains("d/e/y"));
  }
}

TEST_F(Disks, TornWritesBreakAtSectors) {
  const CrashDisk disk(dir_.path());
  const std::string text(1300, 'x');
  const int fd = make("a", "", true);
  sync_dir();
  ASSERT_EQ(::pwrite(fd, text.data(), text.size(), 100), 1300);
  std::set<std::string> seen;
  for (std::uint64_t seed = 0; seed < 400; ++seed) seen.insert(left(disk, some, seed).at("a"));
  for (const std::string& bytes : seen) {
    for (std::size_t i = 101; i < bytes.size(); ++i) {
      if (i % 512 != 0) {
        EXPECT_EQ(bytes[i], bytes[i - 1]) << "inside a sector";
      }
    }
  }
  EXPECT_EQ(seen.size(), 9U) << "none, or any of three sectors";
  ::close(fd);
}

TEST_F(Disks, SeesWhatTheStandardLibraryDoes) {
  file("a", std::string(100'000, 'a'), true);
  const CrashDisk disk(dir_.path());
  std::filesystem::copy_file(at("a"), at("b"));
  std::filesystem::create_directories(at("c/d/e"));
  std::filesystem::rename(at("b"), at("c/d/b"));
  std::filesystem::resize_file(at("c/d/b"), 10);
  std::filesystem::create_hard_link(at("c/d/b"), at("l"));
  std::filesystem::remove(at("a"));
  std::filesystem::remove(at("c/d/e"));
  EXPECT_EQ(disk.unseen(), "");
  std::filesystem::remove_all(at("c"));
  EXPECT_EQ(disk.unseen(), "");
  EXPECT_EQ(left(disk, everything), (Files{{"l", std::string(10, 'a')}}));
}

TEST_F(Disks, SeesWritesPastTheCacheAndFilesWithoutNames) {
  const CrashDisk disk(dir_.path());
  const int fd = ::open(at("a").c_str(), O_RDWR | O_CREAT | O_DIRECT, 0600);
  if (fd >= 0) {  // tmpfs refuses it, and then there is nothing to see
    void* const page = std::aligned_alloc(4096, 4096);
    std::fill_n(static_cast<char*>(page), 4096, 'p');
    EXPECT_EQ(::pwrite(fd, page, 4096, 4096), 4096);
    std::free(page);
    ::close(fd);
  } else {
    std::filesystem::remove(at("a"));
  }
  const int nameless = ::open(dir_.path().c_str(), O_TMPFILE | O_RDWR, 0600);
  EXPECT_EQ(::write(nameless, "x", 1), 1);
  ::close(nameless);
  EXPECT_EQ(disk.unseen(), "");
}

TEST_F(Disks, TellsWhatWentPastIt) {
  CrashDisk disk(dir_.path());
  file("a", "text", true);
  EXPECT_EQ(disk.unseen(), "");
  disk.stop();
  file("a", "changed", true);
  EXPECT_EQ(disk.unseen(), "'a' is different");
  file("b", "more", true);
  std::filesystem::remove(at("a"));
  EXPECT_EQ(disk.unseen(), "'a' is not there");
  const CrashDisk again(dir_.path());
  {
    std::ofstream(at("c")) << "by the C library's own streams";
  }
  EXPECT_EQ(again.unseen(), "'c' came from nowhere");
}

TEST_F(Disks, OtherFilesAndDescriptorsAreNotTaken) {
  const TempDir elsewhere = *TempDir::create();
  const CrashDisk disk(dir_.path());
  file("a", "text", true);
  const std::size_t before = disk.operations();
  ASSERT_TRUE(write_file_durably(elsewhere.path() / "x", as_bytes("x")));
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  ASSERT_EQ(::write(ends[1], "x", 1), 1);
  ::close(ends[0]);
  ::close(ends[1]);
  EXPECT_EQ(disk.operations(), before);
}

TEST_F(Disks, AnImageIsPutDownWithItsInodes) {
  const auto inode_of = [](const Path& path) {
    struct stat about{};
    EXPECT_EQ(::lstat(path.c_str(), &about), 0);
    return about.st_ino;
  };
  DiskImage image;
  Inode directory = 0;
  {
    const CrashDisk disk(dir_.path());
    ASSERT_TRUE(make_dirs(at("d")));
    file("d/x", "x", true);
    ASSERT_EQ(::link(at("d/x").c_str(), at("d/y").c_str()), 0);
    directory = inode_of(at("d"));
    ASSERT_TRUE(rename_path(at("d"), at("e")));
    EXPECT_EQ(inode_of(at("e")), directory);
    image = disk.after({disk.operations(), everything, 0});
  }
  const CrashDisk again(dir_.path() / "again", image);
  EXPECT_EQ(inode_of(at("again/e")), directory);
  EXPECT_EQ(inode_of(at("again/e/x")), inode_of(at("again/e/y")));
  EXPECT_EQ(again.unseen(), "");
  EXPECT_EQ(again.after({0, nothing, 0}), image);
}

TEST_F(Disks, ThreadsWriteAsTheyLike) {
  const CrashDisk disk(dir_.path());
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([this, t] {
        for (int i = 0; i < 50; ++i) {
          const Path path = dir_.path() / fmt::format("{}-{}", t, i);
          EXPECT_TRUE(write_file_durably(path, as_bytes("text")));
        }
      });
    }
  }
  EXPECT_EQ(disk.unseen(), "");
  EXPECT_EQ(left(disk, nothing).size(), 200U);
}

// ---- what io/file.h promises

TEST_F(Disks, APendingFileIsOldOrNewAtEveryCut) {
  for (const auto existing : {PendingFile::Existing::replace, PendingFile::Existing::refuse}) {
    const bool replace = existing == PendingFile::Existing::replace;
    std::filesystem::remove(at("final"));
    if (replace) file("final", "old", true);
    CrashDisk disk(dir_.path());
    auto pending = PendingFile::create(at("final"), existing);
    ASSERT_TRUE(pending);
    for (const char* part : {"one ", "two ", "three"}) ASSERT_TRUE(pending->write(as_bytes(part)));
    ASSERT_TRUE(pending->commit());
    disk.stop();
    std::set<std::string> seen;
    each_crash(disk, 0, ::tidemark::testing::scaled(20), ::tidemark::testing::seed(),
               [&](const Crash& crash, const DiskImage& image) {
                 const auto files = below(image, "");
                 const std::string text = files.contains("final") ? files.at("final") : "(none)";
                 seen.insert(text);
                 if (crash.after == disk.operations()) {
                   EXPECT_EQ(text, "one two three") << crash.text();
                 }
                 for (const auto& [name, bytes] : files) EXPECT_TRUE(name == "final" || is_pending_name(name));
                 return true;
               });
    EXPECT_EQ(seen, (std::set<std::string>{"one two three", replace ? "old" : "(none)"}));
  }
}

TEST_F(Disks, MakeDirsIsSafeWhenItReturns) {
  CrashDisk disk(dir_.path());
  ASSERT_TRUE(make_dirs(at("a/b/c")));
  EXPECT_EQ(left(disk, nothing).size(), 3U);
}

}  // namespace
}  // namespace tidemark::io::testing
