#include "kit/etcd_process.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <fstream>
#include <random>
#include <set>
#include <sstream>
#include <thread>

namespace tidemark::testing {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

Result<io::Path> built_program(EtcdVersion version, std::string_view name) {
  const io::Path path = io::Path(TM_TESTBED_DIR) / fmt::format("etcd-{}", version_name(version)) / name;
  if (::access(path.c_str(), X_OK) == 0) return path;
  return fail(Errc::not_found, "there is no {}; run testbed/etcd/build {}", path.string(), version_name(version));
}

Result<io::Path> debian_program(std::string_view name, std::string_view package) {
  io::Path path = io::Path("/usr/bin") / name;
  if (::access(path.c_str(), X_OK) == 0) return path;
  return fail(Errc::not_found, "there is no {}; install the package {}", path.string(), package);
}

io::Fd connect_to(int port) {
  io::Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const timeval second{2, 0};
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &second, sizeof second);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<std::uint16_t>(port));
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) return {};
  return fd;
}

// What /health answers: "" when nothing does.
std::string health(int port) {
  const io::Fd fd = connect_to(port);
  if (!fd.open()) return {};
  static constexpr std::string_view kAsk = "GET /health HTTP/1.0\r\nHost: localhost\r\n\r\n";
  if (::send(fd.get(), kAsk.data(), kAsk.size(), MSG_NOSIGNAL) < 0) return {};
  std::string answer;
  std::array<char, 4096> chunk;
  ssize_t n;
  while ((n = ::recv(fd.get(), chunk.data(), chunk.size(), 0)) > 0) answer.append(chunk.data(), std::size_t(n));
  return answer;
}

bool ready_by(const std::string& health_answer) {
  return health_answer.find("\"health\":\"true\"") != std::string::npos ||
         health_answer.find("ALARM") != std::string::npos;
}

std::string fresh_token() { return fmt::format("tm-{:08x}", std::random_device()()); }

constexpr std::string_view kSocket = "etcd.sock:0";
std::string_view unix_scheme(const EtcdSetup& setup) { return setup.tls ? "unixs" : "unix"; }

bool at_least(EtcdVersion version, EtcdVersion least) { return version >= least; }

}  // namespace

std::string_view version_name(EtcdVersion version) {
  static constexpr std::string_view kNames[] = {"3.4", "3.5", "3.6", "3.7"};
  return kNames[static_cast<int>(version)];
}

Result<io::Path> etcd_program(EtcdVersion version) {
  if (version == EtcdVersion::v34) return debian_program("etcd", "etcd-server");
  return built_program(version, "etcd");
}
Result<io::Path> etcdctl_program(EtcdVersion version) {
  if (version == EtcdVersion::v34) return debian_program("etcdctl", "etcd-client");
  return built_program(version, "etcdctl");
}
Result<io::Path> etcdutl_program(EtcdVersion version) {
  if (version == EtcdVersion::v34) return fail(Errc::unsupported, "etcd 3.4 has no etcdutl");
  return built_program(version, "etcdutl");
}
Result<io::Path> bbolt_program() {
  io::Path path = io::Path(TM_TESTBED_DIR) / "bbolt" / "bbolt";
  if (::access(path.c_str(), X_OK) == 0) return path;
  return fail(Errc::not_found, "there is no {}; run testbed/etcd/build bbolt", path.string());
}

bool listens_on(pid_t pid, int port) {
  std::set<std::string> inodes;
  for (const char* table : {"/proc/net/tcp", "/proc/net/tcp6"}) {
    std::ifstream lines(table);
    std::string line;
    std::getline(lines, line);
    while (std::getline(lines, line)) {
      std::istringstream fields(line);
      std::string slot, local, remote, state, queues, timer, retransmits, uid, timeout, inode;
      fields >> slot >> local >> remote >> state >> queues >> timer >> retransmits >> uid >> timeout >> inode;
      if (state != "0A" || !local.ends_with(fmt::format(":{:04X}", port))) continue;
      inodes.insert("socket:[" + inode + "]");
    }
  }
  std::error_code ignored;
  for (const auto& fd : std::filesystem::directory_iterator(fmt::format("/proc/{}/fd", pid), ignored)) {
    const io::Path target = std::filesystem::read_symlink(fd.path(), ignored);
    if (inodes.contains(target.string())) return true;
  }
  return false;
}

Result<EtcdProcess> EtcdProcess::start(EtcdVersion version, const EtcdSetup& setup) {
  const bool own_ports = setup.client_port == 0;
  // free_port() keeps other tests away, not other programs: taken by one of them, once more with others.
  for (int attempt = 0;; attempt++) {
    EtcdProcess etcd(version, setup);
    TM_CHECK(etcd.launch());
    if (!etcd.setup_.wait_ready) return etcd;
    const Status ready = etcd.wait_ready(setup.ready_within);
    if (ready) return etcd;
    const bool taken = etcd.log_tail().find("address already in use") != std::string::npos;
    if (!taken || !own_ports || attempt == 5) return std::unexpected(ready.error());
  }
}

Status EtcdProcess::launch() {
  TM_LET(io::TempDir temp, io::TempDir::create(setup_.parent));
  temp_ = std::make_unique<io::TempDir>(std::move(temp));
  setup_.data_dir = setup_.data_dir.empty() ? temp_->path() / "data" : std::filesystem::absolute(setup_.data_dir);
  for (int* port : {&setup_.client_port, &setup_.peer_port, &metrics_port_}) {
    if (*port != 0) continue;
    TM_LET(*port, free_port());
  }
  if (setup_.initial_cluster.empty()) setup_.initial_cluster = setup_.name + "=" + peer_url();
  if (setup_.initial_cluster_token.empty()) setup_.initial_cluster_token = fresh_token();
  if (setup_.initial_cluster_state.empty()) setup_.initial_cluster_state = "new";

  return spawn();
}

Status EtcdProcess::spawn() {
  TM_LET(const io::Path program, etcd_program(version_));
  std::vector<std::string> argv = flags();
  argv.insert(argv.begin(), program.string());
  std::error_code ignored;
  std::filesystem::remove(temp_->path() / kSocket, ignored);  // etcd 3.4 does not take over what a killed one left
  ProgramOptions options;
  options.working_directory = temp_->path();
  TM_LET(Child child, Child::start(argv, temp_->path() / "etcd.log", options));
  child_ = std::move(child);
  return {};
}

std::vector<std::string> EtcdProcess::flags() const {
  std::vector<std::string> f;
  const auto flag = [&](std::string_view name, std::string_view value) {
    f.push_back(fmt::format("--{}={}", name, value));
  };
  flag("name", setup_.name);
  flag("data-dir", setup_.data_dir.string());
  // A relative socket, because etcd 3.4 takes only "host:port" after unix://; the working directory is the temporary
  // one.
  flag("listen-client-urls",
       client_url() + (setup_.unix_socket ? fmt::format(",{}://{}", unix_scheme(setup_), kSocket) : ""));
  flag("advertise-client-urls", client_url());
  flag("listen-peer-urls", peer_url());
  flag("initial-advertise-peer-urls", peer_url());
  flag("initial-cluster", setup_.initial_cluster);
  flag("initial-cluster-token", setup_.initial_cluster_token);
  flag("initial-cluster-state", setup_.initial_cluster_state);
  flag("listen-metrics-urls", fmt::format("http://127.0.0.1:{}", metrics_port_));
  flag("logger", "zap");
  if (setup_.tls) {
    flag("cert-file", setup_.tls->cert.string());
    flag("key-file", setup_.tls->key.string());
    flag("trusted-ca-file", setup_.tls->ca.string());
    if (setup_.tls->client_certs) flag("client-cert-auth", "true");
  }
  if (const auto colon = setup_.auto_compaction.find(':'); colon != std::string::npos) {
    flag("auto-compaction-mode", setup_.auto_compaction.substr(0, colon));
    flag("auto-compaction-retention", setup_.auto_compaction.substr(colon + 1));
  }
  if (setup_.quota_bytes != 0) flag("quota-backend-bytes", std::to_string(setup_.quota_bytes));
  if (setup_.max_request_bytes != 0) flag("max-request-bytes", std::to_string(setup_.max_request_bytes));
  if (setup_.progress_notify.count() != 0) {
    flag(at_least(version_, EtcdVersion::v36) ? "watch-progress-notify-interval"
                                              : "experimental-watch-progress-notify-interval",
         fmt::format("{}ms", setup_.progress_notify.count()));
  }
  if (!setup_.fsync && at_least(version_, EtcdVersion::v35)) flag("unsafe-no-fsync", "true");
  f.insert(f.end(), setup_.more_flags.begin(), setup_.more_flags.end());
  return f;
}

Status EtcdProcess::wait_ready(milliseconds at_most) {
  const auto deadline = steady_clock::now() + at_most;
  std::string last = "no answer";
  while (steady_clock::now() < deadline) {
    if (!child_->running()) {
      return fail(Errc::unavailable, "etcd {} ended with exit code {}:\n{}", version_name(version_),
                  child_->exit_code().value_or(-1), log_tail());
    }
    if (listens_on(pid(), metrics_port_) && listens_on(pid(), setup_.client_port)) {
      last = health(metrics_port_);
      if (ready_by(last)) return {};
    }
    std::this_thread::sleep_for(milliseconds(20));
  }
  return fail(Errc::timeout, "etcd {} is not ready after {} ms (health: {}):\n{}", version_name(version_),
              at_most.count(), last, log_tail());
}

std::string EtcdProcess::client_url() const {
  return fmt::format("{}://127.0.0.1:{}", setup_.tls ? "https" : "http", setup_.client_port);
}
std::string EtcdProcess::unix_url() const {
  return fmt::format("{}://{}", unix_scheme(setup_), (temp_->path() / kSocket).string());
}
std::string EtcdProcess::peer_url() const { return fmt::format("http://127.0.0.1:{}", setup_.peer_port); }

Status EtcdProcess::stop(milliseconds at_most) {
  child_->signal(SIGTERM);
  TM_CHECK(child_->wait(at_most));
  return {};
}
void EtcdProcess::kill() {
  child_->signal(SIGKILL);
  static_cast<void>(child_->wait(milliseconds(10'000)));
}
void EtcdProcess::pause() { child_->pause(); }
void EtcdProcess::resume() { child_->signal(SIGCONT); }

Status EtcdProcess::restart(std::optional<EtcdVersion> as) {
  if (child_->running()) return fail(Errc::invalid, "restart of an etcd that still runs (pid {})", pid());
  if (as) version_ = *as;
  TM_CHECK(spawn());
  return setup_.wait_ready ? wait_ready(setup_.ready_within) : Status();
}

Result<std::string> EtcdProcess::etcdctl(std::vector<std::string> arguments) const {
  TM_LET(const io::Path program, etcdctl_program(version_));
  std::vector<std::string> argv = {program.string(), "--endpoints=" + client_url()};
  if (setup_.tls) {
    argv.push_back("--cacert=" + setup_.tls->ca.string());
    argv.push_back("--cert=" + setup_.tls->cert.string());
    argv.push_back("--key=" + setup_.tls->key.string());
  }
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  ProgramOptions options;
  options.environment = {"ETCDCTL_API=3"};
  return output_of(argv, options);
}

Result<EtcdCluster> EtcdCluster::start(EtcdVersion version, int members, const EtcdSetup& setup) {
  std::vector<EtcdSetup> setups;
  std::string all;
  const std::string token = fresh_token();
  for (int i = 0; i < members; i++) {
    EtcdSetup one = setup;
    one.name = fmt::format("m{}", i);
    one.initial_cluster_token = token;
    TM_LET(one.peer_port, free_port());
    all += fmt::format("{}{}=http://127.0.0.1:{}", i == 0 ? "" : ",", one.name, one.peer_port);
    setups.push_back(std::move(one));
  }
  for (EtcdSetup& one : setups) one.initial_cluster = all;
  return start(version, std::move(setups));
}

Result<EtcdCluster> EtcdCluster::start(EtcdVersion version, std::vector<EtcdSetup> setups) {
  EtcdCluster cluster;
  for (EtcdSetup& setup : setups) {
    setup.wait_ready = false;  // no member is ready before most of them run
    TM_LET(EtcdProcess etcd, EtcdProcess::start(version, setup));
    cluster.members_.push_back(std::move(etcd));
  }
  for (EtcdProcess& etcd : cluster.members_) TM_CHECK(etcd.wait_ready(etcd.setup().ready_within));
  return cluster;
}

std::vector<std::string> EtcdCluster::client_urls() const {
  std::vector<std::string> urls;
  for (const EtcdProcess& etcd : members_) urls.push_back(etcd.client_url());
  return urls;
}
std::string EtcdCluster::client_urls_joined() const {
  std::string joined;
  for (const std::string& url : client_urls()) joined += (joined.empty() ? "" : ",") + url;
  return joined;
}

}  // namespace tidemark::testing
