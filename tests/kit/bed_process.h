// A real Kubernetes control plane for one suite of tests: testbed's `bed` (see testbed/README.md) in a folder of its
// own.
//
// It is etcd, kube-apiserver, controller manager and scheduler in namespaces of their own; what leads in are listeners
// on loopback. The programs come from testbed/kubernetes/build and testbed/etcd/build (Errc::not_found says so).
// Going out of scope it ends, by its own pid, and its folder goes. When a test has failed by then, the last lines of
// each log are printed with a command that starts the same by hand, and the logs are kept beside the test programs.
// Threads: one object, one thread, which lives as long as the bed shall; bed() and kubectl() may be called from any.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "io/file.h"
#include "kit/program.h"

namespace tidemark::testing {

Result<io::Path> bed_program();
Result<io::Path> kubectl_program();
Result<io::Path> lister_program();  // of testbed/kubernetes/cmd/lister

struct BedSetup {
  std::string etcd = "3.6";
  bool only_etcd = false;  // no Kubernetes
  bool controllers = true, scheduler = true;
  bool again = false;                     // go on with the keys and data of the folder; for BedProcess::again()
  io::Path from{};                        // an etcd snapshot to begin with
  io::Path encryption{};                  // an EncryptionConfiguration
  std::vector<std::string> more_flags{};  // of `bed up`
  // A program that ends is seen at once; one that is only slow has eight minutes, of the bed itself.
  std::chrono::milliseconds ready_within{600'000};
};

class BedProcess {
 public:
  // Returns when it is ready and it is seen that our own process holds the listeners.
  static Result<BedProcess> start(const BedSetup& setup = {});
  BedProcess(BedProcess&&) = default;
  BedProcess& operator=(BedProcess&&) = default;
  ~BedProcess();

  const io::Path& dir() const { return dir_; }
  io::Path data_dir() const { return dir_ / "etcd"; }  // of its etcd
  std::string etcd_url() const { return etcd_url_; }   // through a listener that can be broken
  // Users: admin, restricted; front and front-restricted through the listener that answers by errors; direct through
  // the one that is never broken.
  io::Path kubeconfig(std::string_view user = "admin") const;
  pid_t pid() const { return child_->pid(); }
  bool running() { return child_->running(); }

  // `bed VERB --dir … ARGUMENTS`, with the verb first. The standard output.
  Result<std::string> bed(std::vector<std::string> arguments) const;
  // The same in the background: churn. Its output is in its log().
  Result<Child> bed_in_background(std::vector<std::string> arguments, const io::Path& log) const;
  // As admin. `kubectl` may wait that long; the standard output.
  Result<std::string> kubectl(std::vector<std::string> arguments,
                              std::chrono::milliseconds at_most = std::chrono::milliseconds(120'000)) const;

  // SIGTERM, waits, and then looks for what should be gone: its processes, its listeners, its mounts. Keeps the folder.
  Status stop();
  // Starts on what is in the folder. Requires: stopped. The flags may differ from those of the first start.
  Status again(BedSetup setup);

  std::string log_tails(std::size_t lines = 15) const;  // of each program

 private:
  BedProcess() = default;
  Status launch(const BedSetup& setup);
  Status wait_ready(std::chrono::milliseconds at_most);
  Status expect_own();
  Status expect_nothing_left() const;
  void tell_of_failure() const;
  std::string by_hand(const io::Path& encryption) const;  // a command that starts the same

  std::unique_ptr<io::TempDir> temp_;
  io::Path dir_, program_;
  std::vector<std::string> argv_;
  std::string etcd_url_;
  std::set<int> ports_;               // of its listeners
  std::set<std::string> namespaces_;  // that its processes are in and we are not, as /proc names them
  std::uint64_t told_to_end_ = 0;     // when, in the kernel's ticks
  std::optional<Child> child_;        // after temp_: it ends before its folder goes
};

}  // namespace tidemark::testing
