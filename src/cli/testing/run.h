// The whole program in a test's process, at a fixed time, and the buckets that other programs wrote.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "io/file.h"

namespace tidemark::cli::testing {

constexpr Time kNow = Time(std::chrono::seconds(1795250000));  // the buckets' fulls are of 1795246362

struct Ran {
  int code = -1;
  std::string out, err;
};

// With empty standard input, no terminal, a cache of the test process's own, and without TIDEMARK_STORE.
Ran run(const std::vector<std::string>& args);

// testdata/etcd-backup-restore/NAME/bucket. For reading: verbs that write take a copy.
std::string bucket(std::string_view name);

}  // namespace tidemark::cli::testing
