// Commands in the container of a pod that a real kubelet runs, through a real API server: both versions of the
// protocol.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "base/testing/scale.h"
#include "kit/bed_process.h"
#include "kit/record_drill.h"
#include "link/kube_pod_exec.h"

namespace tidemark::testing {
namespace {

using namespace std::chrono_literals;
using link::KubeAccess;
using link::KubeClient;
using link::KubePodCommand;
using ::testing::HasSubstr;

// No controller and no scheduler: the account and the pod's node are named here.
constexpr const char* kPod = R"({"apiVersion": "v1", "kind": "List", "items": [
  {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default", "namespace": "default"}},
  {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "db", "namespace": "default"},
   "spec": {"nodeName": "node-1", "automountServiceAccountToken": false, "terminationGracePeriodSeconds": 1,
            "tolerations": [{"operator": "Exists"}],
            "containers": [
              {"name": "main", "image": "localhost/worker:1", "imagePullPolicy": "Never", "args": ["sleep"]},
              {"name": "other", "image": "localhost/worker:1", "imagePullPolicy": "Never", "args": ["sleep"]}]}}]})";

std::string nothing_set(std::string_view) { return {}; }

struct Ran {
  Result<int> code = -1;
  std::string out, err;
};

class PodExec : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    auto bed = BedProcess::start({.controllers = false, .scheduler = false, .more_flags = {"--node", "1"}});
    ASSERT_TRUE(bed) << bed.error().what;
    bed_ = std::make_unique<BedProcess>(*std::move(bed));
    const io::TempDir temp = io::TempDir::create().value();
    const io::Path manifest = temp.path() / "pod.json";
    ASSERT_TRUE(std::ofstream(manifest) << kPod);
    const auto made = bed_->kubectl({"create", "-f", manifest.string()});
    ASSERT_TRUE(made) << made.error().what;
    const auto ready = bed_->kubectl({"wait", "--for=condition=Ready", "pod/db", "--timeout=300s"}, 320s);
    ASSERT_TRUE(ready) << ready.error().what << bed_->log_tails();
    ready_ = true;
  }
  static void TearDownTestSuite() { bed_.reset(); }
  void SetUp() override { ASSERT_TRUE(ready_) << "there is no pod"; }

  static KubeAccess access(std::string_view user) {
    auto read = link::read_kube_config({.file = bed_->kubeconfig(user).string()}, nothing_set);
    EXPECT_TRUE(read) << read.error().what;
    return read.value_or(KubeAccess());
  }

  // Over the newest protocol, or the one that is named.
  static Ran run(KubePodCommand command, std::string_view user = "admin", const std::string& protocol = "") {
    command.name_space = "default";
    if (command.pod.empty()) command.pod = "db";
    command.within = 2min;
    Ran ran;
    const auto into = [](std::string& text) {
      return [&text](Bytes bytes) -> Status {
        text += as_text(bytes);
        return {};
      };
    };
    const link::KubePodOutput output{.out = into(ran.out), .err = into(ran.err)};
    if (protocol.empty()) {
      ran.code = KubeClient(access(user)).exec(command, output);
    } else {
      link::KubeWire wire(access(user), {}, system_clock());
      ran.code = link::exec_in_pod(wire, command, output, {}, std::span(&protocol, 1));
    }
    return ran;
  }

  inline static std::unique_ptr<BedProcess> bed_;
  inline static bool ready_ = false;
};

TEST_F(PodExec, OutputErrorsAndExitStatusAreTheCommands) {
  for (const std::string protocol : {"", "v5.channel.k8s.io", "v4.channel.k8s.io"}) {
    const Ran put =
        run({.container = "main", .command = {"worker", "put", "/tmp/a file", "it's $HOME & more"}}, "admin", protocol);
    ASSERT_TRUE(put.code) << protocol << ": " << put.code.error().what;
    EXPECT_EQ(*put.code, 0) << put.err;
    const Ran cat = run({.command = {"worker", "cat", "/tmp/a file"}}, "admin", protocol);
    ASSERT_TRUE(cat.code) << protocol << ": " << cat.code.error().what;
    EXPECT_EQ(cat.out, "it's $HOME & more") << "of the first container, as none is named";
    EXPECT_EQ(cat.err, "");
    const Ran other = run({.container = "other", .command = {"worker", "cat", "/tmp/a file"}}, "admin", protocol);
    EXPECT_EQ(other.code.value_or(-1), 1) << protocol;
    EXPECT_THAT(other.err, HasSubstr("no such file"));
    EXPECT_EQ(other.out, "");
    EXPECT_EQ(run({.command = {"worker", "exit", "37"}}, "admin", protocol).code.value_or(-1), 37) << protocol;
  }
}

TEST_F(PodExec, ThePodNamesItsDefaultContainer) {
  const KubePodCommand put{.command = {"worker", "put", "/tmp/where", "here"}};
  const char* const annotation = "kubectl.kubernetes.io/default-container";
  MUST(const std::string named, bed_->kubectl({"annotate", "pod", "db", std::string(annotation) + "=other"}));
  EXPECT_EQ(run(put).code.value_or(-1), 0);
  MUST(const std::string unnamed, bed_->kubectl({"annotate", "pod", "db", std::string(annotation) + "-"}));
  const KubePodCommand in_main{.container = "main", .command = {"worker", "cat", "/tmp/where"}};
  const KubePodCommand in_other{.container = "other", .command = {"worker", "cat", "/tmp/where"}};
  EXPECT_EQ(run(in_main).code.value_or(-1), 1);
  EXPECT_EQ(run(in_other).out, "here");
}

TEST_F(PodExec, WhatIsSentIsReadToItsEnd) {
  std::string input;
  const std::size_t enough = static_cast<std::size_t>(scaled(1)) * (2UL << 20U);
  for (int i = 0; input.size() < enough; i++) input += fmt::format("line {} of {}\n", i, seed());
  const Ran echoed = run({.command = {"worker", "cat", "/dev/stdin"}, .input = as_bytes(input)});
  ASSERT_TRUE(echoed.code) << echoed.code.error().what;
  EXPECT_EQ(*echoed.code, 0) << echoed.err;
  EXPECT_EQ(echoed.out.size(), input.size());
  EXPECT_TRUE(echoed.out == input);
  const Ran empty = run({.command = {"worker", "cat", "/dev/stdin"}, .input = Bytes()});
  EXPECT_EQ(empty.code.value_or(-1), 0);
  EXPECT_EQ(empty.out, "");
}

// Nothing comes out of it that a caller could take for a command's end.
TEST_F(PodExec, WhatCannotRunIsRefused) {
  struct Row {
    const char* what;
    KubePodCommand command;
    const char* user;
    Errc code;
    const char* told;
  };
  for (const Row& row :
       {Row{"no such pod", {.pod = "nobody", .command = {"x"}}, "admin", Errc::not_found, "pods \"nobody\" not found"},
        Row{"no such container",
            {.container = "x", .command = {"x"}},
            "admin",
            Errc::invalid,
            "container x is not valid"},
        Row{"no such program", {.command = {"no-such-program"}}, "admin", Errc::invalid, "no-such-program"},
        Row{"no right", {.command = {"worker", "exit", "0"}}, "restricted", Errc::denied, "cannot"}}) {
    const Ran ran = run(row.command, row.user);
    ASSERT_FALSE(ran.code) << row.what << ": " << *ran.code;
    EXPECT_EQ(ran.code.error().code, row.code) << row.what << ": " << ran.code.error().what;
    EXPECT_THAT(ran.code.error().what, HasSubstr(row.told)) << row.what;
    EXPECT_EQ(ran.out, "") << row.what;
  }
}

TEST_F(PodExec, AConnectionThatIsCutIsNoEnd) {
  MUST(const std::string broken, bed_->bed({"break", "apiserver", "--cut-after", "60000"}));
  std::string input(1UL << 20U, 'x');
  const Ran cut = run({.command = {"worker", "cat", "/dev/stdin"}, .input = as_bytes(input)});
  MUST(const std::string healed, bed_->bed({"heal", "apiserver"}));
  ASSERT_FALSE(cut.code) << *cut.code;
  EXPECT_EQ(cut.code.error().code, Errc::unavailable) << cut.code.error().what;
  EXPECT_THAT(cut.code.error().hint, HasSubstr("look before doing it again"));
}

TEST_F(PodExec, ThroughAProxyThatEndsTls) {
  const Ran ran = run({.command = {"worker", "exit", "5"}}, "front");
  ASSERT_TRUE(ran.code) << ran.code.error().what;
  EXPECT_EQ(*ran.code, 5);
}

}  // namespace
}  // namespace tidemark::testing
