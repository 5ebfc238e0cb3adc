// What fails around the objects, which is no damage of them: the store, the scratch directory.
#include <gmock/gmock.h>
#include <sys/resource.h>

#include <csignal>

#include "store/testing/faulty_store.h"
#include "verify/replay.h"
#include "verify/testing/verifying.h"

namespace tidemark::verify {
namespace {

using catalog::ProofLevel;
using ::testing::HasSubstr;
using testing::load;
using testing::Verify;

TEST_F(Verify, AStoreThatFailsIsAFailureAndNoFinding) {
  const auto inner = load("00-control-gz/bucket");
  store::testing::FaultyStore store(*inner);
  store.fail_call(0, Errc::io);
  ASSERT_TRUE(run(store, ProofLevel::replay));
  const int calls = store.calls();
  ASSERT_GT(calls, 20);
  for (int n = 1; n <= calls; ++n) {
    store.fail_call(n, Errc::unavailable);
    const auto done = run(store, ProofLevel::replay);
    ASSERT_FALSE(done) << n;
    EXPECT_EQ(done.error().code, Errc::unavailable) << n;
  }
}

// While it lives no file of this process grows beyond `bytes`.
class FileLimit {
 public:
  explicit FileLimit(rlim_t bytes) {
    std::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &former_);
    const rlimit limit{.rlim_cur = bytes, .rlim_max = former_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileLimit() { ::setrlimit(RLIMIT_FSIZE, &former_); }
  FileLimit(const FileLimit&) = delete;
  FileLimit& operator=(const FileLimit&) = delete;

 private:
  rlimit former_{};
};

void expect_scratch_failure(const Error& error, const io::Path& scratch) {
  EXPECT_EQ(error.code, Errc::io) << error.what;
  EXPECT_THAT(error.what, HasSubstr("scratch directory '" + scratch.string() + "'"));
  EXPECT_THAT(error.hint, HasSubstr("--scratch"));
}

// What the place we work in refuses is no damage of what is kept.
TEST_F(Verify, AScratchThatFailsIsAFailureAndNoFinding) {
  const auto store = load("00-control-gz/bucket");
  const io::Path missing = scratch_.path() / "missing", file = scratch_.path() / "file", small = scratch_.path() / "d";
  ASSERT_TRUE(io::write_file_durably(file, as_bytes("not a directory")));
  ASSERT_TRUE(io::make_dirs(small));
  for (const io::Path& scratch : {missing, file, small}) {
    for (const ProofLevel level : {ProofLevel::structure, ProofLevel::replay}) {
      SCOPED_TRACE(fmt::format("{} {}", scratch.string(), catalog::level_word(level)));
      const FileLimit limit(scratch == small ? 16384 : RLIM_INFINITY);
      const auto done = tidemark::verify::verify(
          *store, {.point = {}, .level = level, .scratch = scratch, .threads = 2}, system_clock(), {}, {});
      ASSERT_FALSE(done) << done->findings.size();
      expect_scratch_failure(done.error(), scratch);
    }
  }
  // The rebuild alone: its own errors are told from those of the objects.
  ReplayWish wish{.chain = {}, .reach = Revision(308), .witnesses = {}, .scratch = file, .threads = 1};
  wish.chain.push_back(catalog::read_timeline(*store)->fulls.at(0));
  const auto made = replay_chain(*store, wish, system_clock(), {}, {});
  ASSERT_FALSE(made) << made->findings.size();
  expect_scratch_failure(made.error(), file);
  wish.scratch = small;
  const FileLimit limit(16384);
  const auto full_disk = replay_chain(*store, wish, system_clock(), {}, {});
  ASSERT_FALSE(full_disk) << full_disk->findings.size();
  expect_scratch_failure(full_disk.error(), small);
}

}  // namespace
}  // namespace tidemark::verify
