#include "io/file.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <set>
#include <string>

namespace tidemark::io {
namespace {

using Existing = PendingFile::Existing;

class Files : public ::testing::Test {
 protected:
  static TempDir make_dir() { return TempDir::create().value(); }
  std::set<std::string> names() const {
    std::set<std::string> found;
    for (const auto& entry : std::filesystem::directory_iterator(dir_.path())) found.insert(entry.path().filename());
    return found;
  }
  std::string text_of(const Path& path) const { return std::string(as_text(read_file(path, 1U << 20U).value())); }
  TempDir dir_ = make_dir();
  const Path path_ = dir_.path() / "final";
};

// Every write past so many bytes of a file fails with EFBIG.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const struct rlimit now{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &now);
    handler_ = ::signal(SIGXFSZ, SIG_IGN);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    ::signal(SIGXFSZ, handler_);
  }

 private:
  struct rlimit before_{};
  sighandler_t handler_ = nullptr;
};

TEST_F(Files, PendingIsInvisibleUntilCommit) {
  {
    auto file = PendingFile::create(path_, Existing::refuse).value();
    ASSERT_TRUE(file.write(as_bytes("half ")));
    ASSERT_EQ(names().size(), 1U);
    EXPECT_TRUE(is_pending_name(*names().begin()));
    ASSERT_TRUE(file.write(as_bytes("and half")));
    ASSERT_TRUE(file.commit());
  }
  EXPECT_EQ(names(), std::set<std::string>{"final"});
  EXPECT_EQ(text_of(path_), "half and half");
  struct stat st{};
  ASSERT_EQ(::stat(path_.c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 0777U, 0600U);
}

TEST_F(Files, WithoutCommitNothingIsLeft) {
  {
    auto file = PendingFile::create(path_, Existing::replace).value();
    ASSERT_TRUE(file.write(as_bytes("lost")));
    const PendingFile moved = std::move(file);  // the one moved from must not remove anything, nor twice
    EXPECT_EQ(names().size(), 1U);
  }
  EXPECT_TRUE(names().empty());
}

TEST_F(Files, RefuseLeavesTheOtherOneAlone) {
  ASSERT_TRUE(write_file_durably(path_, as_bytes("first")));
  {
    auto file = PendingFile::create(path_, Existing::refuse).value();
    ASSERT_TRUE(file.write(as_bytes("second")));
    const Status committed = file.commit();
    ASSERT_FALSE(committed);
    EXPECT_EQ(committed.error().code, Errc::already_exists);
    EXPECT_THAT(committed.error().what, ::testing::HasSubstr(path_.native()));
  }
  EXPECT_EQ(text_of(path_), "first");
  EXPECT_EQ(names(), std::set<std::string>{"final"});
}

TEST_F(Files, OfTwoWritersExactlyOneWins) {
  auto first = PendingFile::create(path_, Existing::refuse).value();
  auto second = PendingFile::create(path_, Existing::refuse).value();
  ASSERT_TRUE(first.write(as_bytes("first")) && second.write(as_bytes("second")));
  EXPECT_TRUE(second.commit());
  EXPECT_EQ(first.commit().error().code, Errc::already_exists);
  EXPECT_EQ(text_of(path_), "second");
}

TEST_F(Files, ReplaceReplacesWhole) {
  ASSERT_TRUE(write_file_durably(path_, as_bytes("a longer first text")));
  const MappedFile old = MappedFile::open(path_).value();
  ASSERT_TRUE(write_file_durably(path_, as_bytes("second")));
  EXPECT_EQ(text_of(path_), "second");
  EXPECT_EQ(as_text(old.bytes()), "a longer first text");  // whoever has it open keeps the old one
}

TEST_F(Files, CreateNeedsItsDirectory) {
  const auto file = PendingFile::create(dir_.path() / "no" / "file", Existing::replace);
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().code, Errc::not_found);
}

TEST_F(Files, CommitOntoADirectoryFailsAndCleansUp) {
  ASSERT_TRUE(make_dirs(path_));
  for (const Existing existing : {Existing::replace, Existing::refuse}) {
    auto file = PendingFile::create(path_, existing).value();
    EXPECT_FALSE(file.commit());
  }
  EXPECT_EQ(names(), std::set<std::string>{"final"});
}

TEST_F(Files, AWriteThatIsCutShortIsAFailureAndLeavesNothing) {
  {
    auto file = PendingFile::create(path_, Existing::replace).value();
    const FileSizeLimit limit(10);
    ASSERT_TRUE(file.write(as_bytes("0123456789")));
    const Status more = file.write(as_bytes("0"));
    ASSERT_FALSE(more);
    EXPECT_EQ(more.error().code, Errc::io);
  }
  EXPECT_TRUE(names().empty());
  {
    // The kernel takes the part that fits; the rest must not be forgotten.
    const Fd fd = open_file(path_, O_CREAT | O_WRONLY).value();
    const FileSizeLimit limit(10);
    EXPECT_FALSE(write_all(fd.get(), as_bytes("0123456789ab"), path_));
    EXPECT_FALSE(pwrite_all(fd.get(), as_bytes("0123"), 8, path_));
  }
  EXPECT_EQ(size_of_file(path_).value(), 10U);
}

TEST_F(Files, AFullDiskHasItsOwnCode) {
  const Fd full = open_file("/dev/full", O_WRONLY).value();
  const Status written = write_all(full.get(), as_bytes("x"), "/dev/full");
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, Errc::no_space);
  EXPECT_EQ(written.error().what, "write '/dev/full': No space left on device");
  FdSink sink(full.get(), "/dev/full");
  EXPECT_EQ(sink.write(as_bytes("x")).error().code, Errc::no_space);
}

TEST_F(Files, PreadTellsATornFile) {
  ASSERT_TRUE(write_file_durably(path_, as_bytes("0123456789")));
  const Fd fd = open_file(path_, O_RDONLY).value();
  struct Row {
    std::uint64_t offset;
    std::size_t size;
    bool ok;
  };
  const Row rows[] = {{0, 10, true}, {9, 1, true},   {10, 0, true},   {0, 11, false},
                      {9, 2, false}, {10, 1, false}, {1000, 1, false}};
  for (const Row& row : rows) {
    Buffer into(row.size);
    const Status got = pread_all(fd.get(), into, row.offset, path_);
    ASSERT_EQ(got.has_value(), row.ok) << row.offset << "+" << row.size;
    if (!got) {
      EXPECT_EQ(got.error().code, Errc::torn);
    }
  }
  Buffer three(3);
  EXPECT_EQ(pread_all(fd.get(), three, 8, path_).error().what,
            "'" + path_.native() + "' ends at byte 10, 1 bytes short");
}

TEST_F(Files, PwriteIsByOffset) {
  const Fd fd = open_file(path_, O_CREAT | O_RDWR).value();
  ASSERT_TRUE(pwrite_all(fd.get(), as_bytes("world"), 6, path_));
  ASSERT_TRUE(pwrite_all(fd.get(), as_bytes("hello "), 0, path_));
  EXPECT_EQ(text_of(path_), "hello world");
}

TEST_F(Files, ReadFileHasALimit) {
  ASSERT_TRUE(write_file_durably(path_, as_bytes("0123456789")));
  EXPECT_TRUE(read_file(path_, 10));
  const auto more = read_file(path_, 9);
  ASSERT_FALSE(more);
  EXPECT_EQ(more.error().code, Errc::corrupt);
  EXPECT_THAT(more.error().what, ::testing::StartsWith(path_.native() + ": "));
  EXPECT_EQ(read_file(dir_.path() / "none", 9).error().code, Errc::not_found);
  EXPECT_EQ(read_file(dir_.path(), 9).error().code, Errc::io);  // a directory
}

TEST_F(Files, SourceReadsARange) {
  ASSERT_TRUE(write_file_durably(path_, as_bytes("0123456789")));
  struct Row {
    std::uint64_t offset, length;
    std::string_view text;
  };
  const Row rows[] = {
      {0, UINT64_MAX, "0123456789"}, {3, 4, "3456"}, {8, 100, "89"}, {10, 5, ""}, {99, 5, ""}, {2, 0, ""}};
  for (const Row& row : rows) {
    auto source = FileSource::open(path_, row.offset, row.length).value();
    EXPECT_EQ(as_text(read_all(source, 100).value()), row.text) << row.offset;
  }
  EXPECT_EQ(FileSource::open(dir_.path() / "none").error().code, Errc::not_found);
}

TEST_F(Files, MappedFilesOfAnySize) {
  for (const std::size_t size : {0UL, 1UL, 4096UL, 4097UL}) {
    const std::string text(size, 'm');
    ASSERT_TRUE(write_file_durably(path_, as_bytes(text)));
    MappedFile first = MappedFile::open(path_).value();
    const MappedFile second = std::move(first);
    EXPECT_EQ(as_text(second.bytes()), text);
    EXPECT_TRUE(first.bytes().empty());  // NOLINT(bugprone-use-after-move): that it is empty is the point
  }
  EXPECT_EQ(MappedFile::open(dir_.path() / "none").error().code, Errc::not_found);
}

TEST_F(Files, PendingNamesAreRecognised) {
  EXPECT_TRUE(is_pending_name(".tm-0123456789abcdef.tmp"));
  for (const char* other : {"", ".tmp", "tm-1.tmp", ".tm-1", "Full-00000000-00000001-1700000000", ".tm-1.tmp.gz"}) {
    EXPECT_FALSE(is_pending_name(other)) << other;
  }
}

TEST_F(Files, MakeDirsIsQuietAboutWhatIsThere) {
  const Path deep = dir_.path() / "a" / "b" / "c";
  EXPECT_TRUE(make_dirs(deep));
  EXPECT_TRUE(make_dirs(deep));
  EXPECT_TRUE(std::filesystem::is_directory(deep));
  ASSERT_TRUE(write_file_durably(path_, as_bytes("a file")));
  EXPECT_FALSE(make_dirs(path_));
  EXPECT_FALSE(make_dirs(path_ / "below a file"));
}

TEST_F(Files, RemoveTreeAndRename) {
  const Path tree = dir_.path() / "tree";
  ASSERT_TRUE(make_dirs(tree / "sub"));
  ASSERT_TRUE(write_file_durably(tree / "sub" / "file", as_bytes("x")));
  EXPECT_TRUE(rename_path(tree, dir_.path() / "renamed"));
  EXPECT_EQ(rename_path(tree, dir_.path() / "again").error().code, Errc::not_found);
  EXPECT_TRUE(remove_tree(dir_.path() / "renamed"));
  EXPECT_TRUE(remove_tree(dir_.path() / "renamed"));  // missing is fine
  EXPECT_TRUE(names().empty());
}

TEST_F(Files, FreeSpaceAsksTheNearestParentThatExists) {
  EXPECT_GT(free_space(dir_.path()).value(), 0U);
  EXPECT_GT(free_space(dir_.path() / "not" / "yet" / "there").value(), 0U);
  EXPECT_EQ(free_space("/dev/full/x").error().code, Errc::io);  // below something that is no directory
}

TEST_F(Files, TempDirsGoAndAreDistinct) {
  Path gone;
  {
    const TempDir one = TempDir::create(dir_.path()).value();
    const TempDir two = TempDir::create(dir_.path()).value();
    EXPECT_NE(one.path(), two.path());
    gone = one.path();
    ASSERT_TRUE(write_file_durably(gone / "file", as_bytes("x")));
  }
  EXPECT_FALSE(std::filesystem::exists(gone));
  EXPECT_EQ(TempDir::create(dir_.path() / "none").error().code, Errc::not_found);
}

TEST_F(Files, DescriptorsCloseOnce) {
  Fd first = open_file(path_, O_CREAT | O_WRONLY).value();
  const int number = first.get();
  Fd second = std::move(first);
  EXPECT_FALSE(first.open());  // NOLINT(bugprone-use-after-move): that it is closed is the point
  EXPECT_EQ(second.get(), number);
  EXPECT_NE(::fcntl(number, F_GETFD) & FD_CLOEXEC, 0);  // children do not inherit it
  second = Fd();
  EXPECT_EQ(::fcntl(number, F_GETFD), -1);
}

}  // namespace
}  // namespace tidemark::io
