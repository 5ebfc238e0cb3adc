#include "cli/testing/run.h"

#include <cstdlib>
#include <sstream>

#include "base/testing/fake_clock.h"
#include "base/testing/source_dir.h"
#include "cli/program.h"

namespace tidemark::cli::testing {

Ran run(const std::vector<std::string>& args) {
  ::unsetenv("TIDEMARK_STORE");
  // What is cached goes with the test.
  static const io::TempDir cache = io::TempDir::create().value();
  ::setenv("XDG_CACHE_HOME", cache.path().c_str(), 1);
  std::istringstream in;
  std::ostringstream out, err;
  const tidemark::testing::FakeClock clock(kNow);
  Program program({.in = in, .out = out, .err = err, .clock = clock});
  const int code = program.run(args);
  return {code, out.str(), err.str()};
}

std::string bucket(std::string_view name) {
  return (io::Path(tidemark::testing::source_dir()) / "testdata/etcd-backup-restore" / name / "bucket").native();
}

}  // namespace tidemark::cli::testing
