// The fixture of the drills of `tidemark record`: a store, a spool, the program, and what must be true at the end.
//
// "Acknowledged" is read where the program says it: its metric tidemark_record_acknowledged_revision.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <memory>
#include <sstream>
#include <thread>

#include "capture/delta.h"
#include "capture/testing/recorded.h"
#include "catalog/lineage.h"
#include "catalog/timeline.h"
#include "kit/etcd_process.h"
#include "kit/etcd_writer.h"
#include "kit/program.h"
#include "store/dir_store.h"

namespace tidemark::testing {

#define MUST(declaration, expression)                                                 \
  auto TM_CONCAT(must_, __LINE__) = (expression);                                     \
  ASSERT_TRUE(TM_CONCAT(must_, __LINE__)) << TM_CONCAT(must_, __LINE__).error().what; \
  declaration = *std::move(TM_CONCAT(must_, __LINE__))

inline bool wait_until(const std::function<bool()>& holds, std::chrono::seconds most = kPatience) {
  for (const auto end = std::chrono::steady_clock::now() + most; std::chrono::steady_clock::now() < end;) {
    if (holds()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return false;
}

inline bool eventually(const std::function<bool()>& holds) { return wait_until(holds); }

// One gauge of the program's metrics; -1: it does not answer (yet).
inline std::int64_t metric(int port, const std::string& name) {
  const auto page = run_program({"curl", "-s", "-m", "5", fmt::format("http://127.0.0.1:{}/metrics", port)});
  if (!page || page->exit_code != 0) return -1;
  std::istringstream lines(page->out);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("tidemark_record_" + name + " ")) {
      return static_cast<std::int64_t>(std::stod(line.substr(line.rfind(' ') + 1)));
    }
  }
  return -1;
}

class Recording : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(std::filesystem::exists(tidemark_program())) << "build the program first";
    metrics_port_ = free_port().value();
  }
  io::Path store_dir() const { return dir_.path() / "store" / "prod"; }
  std::unique_ptr<store::DirStore> store() {
    return store::DirStore::open(store_dir(), store::DirStore::Access::read_only).value();
  }
  std::vector<std::string> record_args(const std::string& endpoints, std::vector<std::string> more = {}) const {
    std::vector<std::string> args = {tidemark_program(), "record",  "--store",     "dir:" + store_dir().native(),
                                     "--endpoints",      endpoints, "--spool-dir", (dir_.path() / "spool").native()};
    args.insert(args.end(), more.begin(), more.end());
    return args;
  }
  Result<Child> start_recorder(const std::string& endpoints, std::vector<std::string> more = {}) {
    auto args = record_args(endpoints, std::move(more));
    args.push_back("--metrics-listen");
    args.push_back(fmt::format("127.0.0.1:{}", metrics_port_));
    return Child::start(args, dir_.path() / "record.log");
  }
  std::int64_t acknowledged() const { return metric(metrics_port_, "acknowledged_revision"); }
  std::string log() const {
    std::ifstream in(dir_.path() / "record.log");
    return {std::istreambuf_iterator<char>(in), {}};
  }
  // Every revision from the first recorded to `last`, gaps excepted.
  void expect_complete(Revision last, std::size_t gaps = 0) {
    const auto s = store();
    const auto lineage = catalog::read_lineage(*s);
    ASSERT_TRUE(lineage && *lineage);
    const auto recorded_gaps = capture::read_gaps(*s);
    ASSERT_TRUE(recorded_gaps);
    EXPECT_EQ(recorded_gaps->size(), gaps);
    const auto recorded = capture::testing::read_recorded(*s);
    for (Revision at = (*lineage)->first; at <= last; at = at.next()) {
      const bool lost = std::ranges::any_of(*recorded_gaps, [&](const auto& gap) { return gap.span.contains(at); });
      ASSERT_EQ(recorded.contains(at), !lost) << "revision " << at.raw() << "\n" << log();
    }
    capture::testing::expect_contract(*s);
    EXPECT_EQ(catalog::read_timeline(*s)->latest(), last);
  }

  io::TempDir dir_ = io::TempDir::create().value();
  int metrics_port_ = 0;
};

class RecordDrill : public Recording, public ::testing::WithParamInterface<EtcdVersion> {
 protected:
  Result<Child> start_recorder(const EtcdProcess& etcd, std::vector<std::string> more = {}) {
    return Recording::start_recorder(etcd.client_url(), std::move(more));
  }
};

}  // namespace tidemark::testing
