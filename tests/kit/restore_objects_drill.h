// The fixture of the drills that put objects back: one bed with its controllers for all tests, recorded from its etcd;
// the program under test; and what there is in the cluster, without what every write changes.
//
// The program is the test program itself: its main() is step_program.h's.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/testing/scale.h"
#include "kit/bed_process.h"
#include "kit/record_drill.h"
#include "link/kube_client.h"

namespace tidemark::testing {

using nlohmann::json;
using Dump = std::map<std::string, json>;  // "deployments.apps shop/web" -> what is compared

class RestoreObjectsDrill : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { start({.scheduler = false}); }
  static void TearDownTestSuite();
  static void start(BedSetup setup);
  void SetUp() override { ASSERT_TRUE(ready_) << "there is no bed"; }

  // The program, on the store and as a user of the bed; `verb` first.
  static ProgramResult tidemark(std::vector<std::string> args, const std::vector<std::string>& environment = {},
                                const std::string& user = "admin");
  static std::vector<std::string> command(std::vector<std::string> args, const std::string& user = "admin");
  // The program as it stands in front of its first such step, until SIGCONT.
  static Result<Child> stopped_before(const std::string& step, const std::vector<std::string>& args);
  static std::string store() { return "dir:" + store_dir().string(); }
  static io::Path store_dir() { return temp_->path() / "store"; }

  // Records what has happened so far: "rev:1234", the moment of now.
  static std::string moment();

  static const link::KubeKind& kind(const std::string& name);
  static json make(const std::string& kind_name, const std::string& ns, json object);
  static void remove(const std::string& kind_name, const std::string& ns, const std::string& name);
  static json get(const std::string& kind_name, const std::string& ns, const std::string& name);
  // Returns when its controllers are done with it: what a dump holds does not depend on how fast they are.
  static void make_namespace(const std::string& name);
  static void remove_namespace(const std::string& name);

  // Everything of a namespace, the namespace itself included, but what controllers make.
  static Dump dump(const std::string& ns);
  static Result<Dump> try_dump(const std::string& ns);
  // Waits until it is so, and fails with the first difference when it is not.
  static void expect_dump(const std::string& ns, const Dump& expected);
  // The number of the newest restore.
  static std::string last_restore();

  static inline bool has_controllers_ = true;
  static inline std::unique_ptr<BedProcess> bed_;
  static inline std::unique_ptr<io::TempDir> temp_;
  static inline std::unique_ptr<link::KubeClient> admin_;
  static inline link::KubeDiscovery served_;
  static inline bool ready_ = false;
};

}  // namespace tidemark::testing
