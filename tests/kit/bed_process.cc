#include "kit/bed_process.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "kit/etcd_process.h"

namespace tidemark::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

Result<io::Path> built(std::string_view name) {
  io::Path path = io::Path(TM_TESTBED_DIR) / "kubernetes" / name;
  if (::access(path.c_str(), X_OK) == 0) return path;
  return fail(Errc::not_found, "there is no {}; run testbed/kubernetes/build {}", path.string(), name);
}

Status need_programs(const BedSetup& setup) {
  TM_CHECK(built("bed"));
  if (setup.only_etcd) return {};
  TM_CHECK(built("kube-apiserver"));
  TM_CHECK(built("kubectl"));
  if (setup.controllers) TM_CHECK(built("kube-controller-manager"));
  if (setup.scheduler) TM_CHECK(built("kube-scheduler"));
  return {};
}

std::vector<std::string> flags_of(const BedSetup& setup) {
  std::vector<std::string> flags{"--etcd", setup.etcd};
  if (setup.only_etcd) flags.emplace_back("--only-etcd");
  if (!setup.controllers) flags.emplace_back("--no-controller-manager");
  if (!setup.scheduler) flags.emplace_back("--no-scheduler");
  if (setup.again) flags.emplace_back("--again");
  if (!setup.from.empty()) flags.insert(flags.end(), {"--from", setup.from.string()});
  if (!setup.encryption.empty()) flags.insert(flags.end(), {"--encryption", setup.encryption.string()});
  flags.insert(flags.end(), setup.more_flags.begin(), setup.more_flags.end());
  return flags;
}

// Every process of the machine that we can see.
std::vector<pid_t> all_processes() {
  std::vector<pid_t> pids;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", ignored)) {
    const std::string name = entry.path().filename().string();
    if (std::ranges::all_of(name, [](unsigned char c) { return c >= '0' && c <= '9'; }))
      pids.push_back(std::stoi(name));
  }
  return pids;
}

pid_t parent_of(pid_t pid) {
  std::ifstream lines(fmt::format("/proc/{}/status", pid));
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("PPid:")) return std::stoi(line.substr(5));
  }
  return 0;
}

std::set<std::string> namespaces_of(pid_t pid) {
  std::set<std::string> names;
  for (const char* kind : {"pid", "mnt", "net", "user"}) {
    std::error_code gone;
    const io::Path name = std::filesystem::read_symlink(fmt::format("/proc/{}/ns/{}", pid, kind), gone);
    if (!gone) names.insert(name.string());
  }
  return names;
}

// When a process began, in ticks since the machine did: field 22 of its stat, of which the second, its name in
// parentheses, may hold blanks. 0: it is gone.
std::uint64_t start_of(pid_t pid) {
  std::ifstream in(fmt::format("/proc/{}/stat", pid));
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  std::istringstream fields(text.substr(std::min(text.size(), text.rfind(')') + 1)));
  std::string skipped;
  for (int field = 3; field < 22; field++) fields >> skipped;
  std::uint64_t ticks = 0;
  fields >> ticks;
  return ticks;
}

std::uint64_t ticks_now() {
  std::ifstream in("/proc/uptime");
  double seconds = 0;
  in >> seconds;
  return static_cast<std::uint64_t>(seconds * static_cast<double>(::sysconf(_SC_CLK_TCK)));
}

bool answers(int port) {
  const io::Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<std::uint16_t>(port));
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0;
}

std::string contents_of(const io::Path& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string last_lines(const io::Path& path, std::size_t lines) {
  const std::string text = contents_of(path);
  std::size_t at = text.size();
  for (std::size_t seen = 0; at > 0; at--) {
    if (text[at - 1] == '\n' && at != text.size() && ++seen == lines) break;
  }
  return text.substr(at);
}

std::string words(const std::vector<std::string>& argv) {
  std::string all;
  for (const std::string& word : argv) all += (all.empty() ? "" : " ") + word;
  return all;
}

}  // namespace

Result<io::Path> bed_program() { return built("bed"); }
Result<io::Path> kubectl_program() { return built("kubectl"); }
Result<io::Path> lister_program() { return built("lister"); }

Result<BedProcess> BedProcess::start(const BedSetup& setup) {
  BedProcess bed;
  TM_CHECK(need_programs(setup));
  TM_LET(bed.program_, bed_program());
  TM_LET(io::TempDir temp, io::TempDir::create());
  bed.temp_ = std::make_unique<io::TempDir>(std::move(temp));
  bed.dir_ = bed.temp_->path() / "bed";
  TM_CHECK(bed.launch(setup));
  return bed;
}

BedProcess::~BedProcess() {
  if (!temp_) return;  // moved from
  tell_of_failure();
  if (const Status stopped = stop(); !stopped) ADD_FAILURE() << stopped.error().what;
}

Status BedProcess::launch(const BedSetup& setup) {
  argv_ = {program_.string(), "up", "--foreground", "--dir", dir_.string()};
  for (std::string& flag : flags_of(setup)) argv_.push_back(std::move(flag));
  TM_CHECK(io::remove_tree(dir_ / "ready.json"));  // of the last start
  TM_LET(Child child, Child::start(argv_, temp_->path() / "bed.log"));
  child_.emplace(std::move(child));
  if (const Status ready = wait_ready(setup.ready_within); !ready) {
    const Error error = fail(ready.error().code, "{}\n{}", ready.error().what, log_tails()).error();
    child_.reset();
    return std::unexpected(error);
  }
  return expect_own();
}

Status BedProcess::wait_ready(milliseconds at_most) {
  const io::Path ready = dir_ / "ready.json";
  for (const auto give_up = steady_clock::now() + at_most; !std::filesystem::exists(ready);) {
    if (!child_->running())
      return fail(Errc::unavailable, "the bed ended, exit code {}", child_->exit_code().value_or(-1));
    if (steady_clock::now() > give_up) return fail(Errc::timeout, "the bed is not ready after {} ms", at_most.count());
    std::this_thread::sleep_for(milliseconds(20));
  }
  const auto said = nlohmann::json::parse(contents_of(ready), nullptr, false);
  if (!said.is_object()) return fail(Errc::corrupt, "{} is no JSON", ready.string());
  etcd_url_ = said.value("etcd", "");
  return {};
}

// The outer process is our child, the one inside is a child of that; a listener that another process has is not ours.
Status BedProcess::expect_own() {
  const auto options = nlohmann::json::parse(contents_of(dir_ / "bed.json"), nullptr, false);
  ports_.clear();
  for (const auto& [name, address] : options.at("outside").items()) {
    const std::string text = address;
    ports_.insert(std::stoi(text.substr(text.rfind(':') + 1)));
  }
  namespaces_.clear();
  const std::set<std::string> ours = namespaces_of(::getpid());
  for (const pid_t pid : all_processes()) {
    if (parent_of(pid) != child_->pid()) continue;
    std::set<std::string> theirs;
    std::ranges::set_difference(namespaces_of(pid), ours, std::inserter(theirs, theirs.end()));
    if (theirs.empty()) continue;  // of a bed with nodes: it waits to sweep up
    for (const int port : ports_) {
      if (!listens_on(pid, port)) return fail(Errc::conflict, "port {} is not of the bed's process {}", port, pid);
    }
    namespaces_.merge(theirs);
  }
  if (namespaces_.size() < 3) return fail(Errc::not_found, "the bed of pid {} has no process inside", child_->pid());
  return {};
}

io::Path BedProcess::kubeconfig(std::string_view user) const { return dir_ / fmt::format("{}.kubeconfig", user); }

Result<std::string> BedProcess::bed(std::vector<std::string> arguments) const {
  arguments.insert(arguments.begin(), program_.string());
  arguments.insert(arguments.begin() + 2, {"--dir", dir_.string()});
  return output_of(arguments, {.timeout = milliseconds(600'000)});
}

Result<Child> BedProcess::bed_in_background(std::vector<std::string> arguments, const io::Path& log) const {
  arguments.insert(arguments.begin(), program_.string());
  arguments.insert(arguments.begin() + 2, {"--dir", dir_.string()});
  return Child::start(arguments, log);
}

Result<std::string> BedProcess::kubectl(std::vector<std::string> arguments, milliseconds at_most) const {
  TM_LET(const io::Path program, kubectl_program());
  arguments.insert(arguments.begin(), {program.string(), "--kubeconfig", kubeconfig().string()});
  // It keeps what it has discovered at home.
  return output_of(arguments, {.environment = {"HOME=" + temp_->path().string()}, .timeout = at_most});
}

Status BedProcess::stop() {
  if (!child_) return {};
  told_to_end_ = ticks_now();
  child_->signal(SIGTERM);
  const auto ended = child_->wait(milliseconds(120'000));
  child_.reset();  // by force, if it did not end
  if (!ended) return std::unexpected(ended.error());
  return expect_nothing_left();
}

Status BedProcess::expect_nothing_left() const {
  const io::Fd lock(::open((dir_ / "lock").c_str(), O_RDWR | O_CLOEXEC));
  // The kernel ends what is inside with its process 1, which takes a moment. The numbers of namespaces are used again,
  // the lowest first: by another test's bed that began while this one ended.
  for (const auto give_up = steady_clock::now() + milliseconds(120'000);;) {
    pid_t left = 0;
    for (const pid_t pid : all_processes()) {
      if (start_of(pid) > told_to_end_) continue;
      if (std::ranges::any_of(namespaces_of(pid), [&](const auto& name) { return namespaces_.contains(name); }))
        left = pid;
    }
    const bool locked = ::flock(lock.get(), LOCK_EX | LOCK_NB) != 0;
    if (left == 0 && !locked) break;
    if (steady_clock::now() > give_up)
      return fail(Errc::conflict, "pid {} of the bed in {} is left", left, dir_.string());
    std::this_thread::sleep_for(milliseconds(20));
  }
  for (const int port : ports_) {
    if (answers(port)) return fail(Errc::conflict, "something still answers at the bed's port {}", port);
  }
  if (contents_of("/proc/self/mountinfo").find(dir_.string()) != std::string::npos) {
    return fail(Errc::conflict, "the bed's folder {} is still mounted", dir_.string());
  }
  return {};
}

Status BedProcess::again(BedSetup setup) {
  if (child_) return fail(Errc::invalid, "the bed in {} still runs", dir_.string());
  setup.again = true;
  return launch(setup);
}

std::string BedProcess::log_tails(std::size_t lines) const {
  std::string all = fmt::format("--- bed\n{}", last_lines(temp_->path() / "bed.log", lines));
  std::error_code ignored;
  for (const auto& log : std::filesystem::directory_iterator(dir_ / "logs", ignored)) {
    all += fmt::format("--- {}\n{}", log.path().filename().string(), last_lines(log.path(), lines));
  }
  return all;
}

std::string BedProcess::by_hand(const io::Path& encryption) const {
  std::vector<std::string> argv = argv_;
  std::erase(argv, "--foreground");
  std::ranges::replace(argv, dir_.string(), std::string("/tmp/bed"));
  if (const auto at = std::ranges::find(argv, "--encryption"); at != argv.end()) {
    *std::next(at) = encryption.string();
  }
  return words(argv);
}

void BedProcess::tell_of_failure() const {
  const auto* all = ::testing::UnitTest::GetInstance();
  const auto* suite = all->current_test_suite();
  if (suite == nullptr ? !all->Failed() : !suite->Failed()) return;
  std::string name = suite == nullptr ? "bed" : suite->name();
  std::ranges::replace(name, '/', '.');
  const io::Path kept = io::Path(TM_TIDEMARK).parent_path() / "bed-logs" / name;
  std::error_code failed;
  std::filesystem::remove_all(kept, failed);
  std::filesystem::create_directories(kept, failed);
  std::filesystem::copy(dir_ / "logs", kept, std::filesystem::copy_options::recursive, failed);
  std::filesystem::copy(dir_ / "encryption.yaml", kept, failed);  // the caller's may be gone by now
  fmt::print("{}\nall of it: {}\na bed like it: {}\n", log_tails(), kept.string(), by_hand(kept / "encryption.yaml"));
}

}  // namespace tidemark::testing
