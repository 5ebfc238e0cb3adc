#include "kit/serving.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <fstream>
#include <regex>
#include <sstream>

#include "kit/bed_process.h"
#include "kit/record_drill.h"
#include "kube/yaml_text.h"

namespace tidemark::testing {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

}  // namespace

Result<std::unique_ptr<Serving>> Serving::start(const std::string& store, const std::string& at,
                                                const std::vector<std::string>& more) {
  auto serving = std::make_unique<Serving>();
  TM_LET(serving->kubectl_, kubectl_program());
  const io::Path& dir = serving->temp_.path();
  std::vector<std::string> argv{tidemark_program(),
                                "serve",
                                "--store",
                                store,
                                "--at",
                                at,
                                "--listen",
                                "127.0.0.1:0",
                                "--kubeconfig-out",
                                serving->kubeconfig().string(),
                                "--scratch",
                                dir.string(),
                                "--progress",
                                "none"};
  argv.insert(argv.end(), more.begin(), more.end());
  TM_LET(Child child, Child::start(argv, dir / "serve.log", {.environment = {"XDG_RUNTIME_DIR=" + dir.string()}}));
  serving->child_.emplace(std::move(child));
  const auto told = [&] { return serving->log().find("export KUBECONFIG=") != std::string::npos; };
  if (!wait_until([&] { return told() || !serving->child_->running(); }, kPatience) || !told()) {
    return fail(Errc::invalid, "serve: {}", serving->log());
  }
  TM_LET(const Buffer text, io::read_file(serving->kubeconfig(), 1U << 20U));
  TM_LET(serving->config_, kube::parse_yaml(text));
  return serving;
}

int Serving::stop() {
  child_->signal(SIGTERM);
  const auto code = child_->wait(kPatience);
  return code ? *code : -1;
}

Result<ProgramResult> Serving::try_kubectl(std::vector<std::string> arguments, const std::string& input) const {
  arguments.insert(arguments.begin(), {kubectl_.string(), "--kubeconfig", kubeconfig().string(), "--cache-dir",
                                       (temp_.path() / "cache").string()});
  return run_program(arguments,
                     {.environment = {"HOME=" + temp_.path().string()}, .timeout = kPatience, .input = input});
}

std::string Serving::kubectl(const std::vector<std::string>& arguments, std::string* warnings) const {
  const auto ran = try_kubectl(arguments);
  EXPECT_TRUE(ran && ran->exit_code == 0) << arguments.front() << ": " << (ran ? ran->err : ran.error().what) << log();
  if (!ran) return {};
  if (warnings != nullptr) *warnings = ran->err;
  return ran->out;
}

json Serving::got(std::vector<std::string> arguments) const {
  arguments.insert(arguments.end(), {"-o", "json"});
  return json::parse(kubectl(arguments), nullptr, false);
}

std::string Serving::refused(const std::vector<std::string>& arguments, const std::string& input) const {
  const auto ran = try_kubectl(arguments, input);
  EXPECT_TRUE(ran && ran->exit_code != 0) << arguments.front() << " was not refused";
  return ran ? ran->err : ran.error().what;
}

std::string Serving::log() const {
  std::ifstream in(temp_.path() / "serve.log");
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string without_ages(const std::string& text) {
  static const std::regex kAge(R"((^|[ (])(\d+[smhdy]){1,2}( ago)?(?=[ )]|$))");
  std::istringstream lines(text);
  std::string all;
  for (std::string line; std::getline(lines, line);) {
    line = std::regex_replace(line, std::regex("[ \t]+"), " ");
    line = std::regex_replace(line, kAge, "$1AGE");
    while (line.ends_with(' ')) line.pop_back();
    all += line + "\n";
  }
  return all;
}

}  // namespace tidemark::testing
