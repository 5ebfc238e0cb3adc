// A real etcd for one test: own directory, own loopback ports, and proof that it is our own process that answers.
//
// Programs: 3.4 is Debian's /usr/bin/etcd, the others come from testbed/etcd/build (Errc::not_found says so).
// An EtcdProcess that goes out of scope is killed, and its own temporary directory goes with it.
// Threads: one object, one thread; start from a thread that lives as long as the etcd shall (program.h).
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "io/file.h"
#include "kit/free_port.h"
#include "kit/program.h"

namespace tidemark::testing {

enum class EtcdVersion { v34, v35, v36, v37 };
inline constexpr EtcdVersion kEtcdVersions[] = {EtcdVersion::v34, EtcdVersion::v35, EtcdVersion::v36, EtcdVersion::v37};
std::string_view version_name(EtcdVersion version);  // "3.4"

Result<io::Path> etcd_program(EtcdVersion version);
Result<io::Path> etcdctl_program(EtcdVersion version);
Result<io::Path> etcdutl_program(EtcdVersion version);  // 3.4 has none: etcdctl did its work (Errc::unsupported)
Result<io::Path> bbolt_program();

// Does this process listen on that TCP port? (By the socket's inode in /proc.)
bool listens_on(pid_t pid, int port);

struct EtcdTls {
  io::Path ca, cert, key;  // of the server; the ca also checks clients
  bool client_certs = false;
};

struct EtcdSetup {
  std::string name = "tm";
  io::Path data_dir{};  // empty: in a temporary directory; else used as it is found, and kept
  io::Path parent{};    // where the temporary directory goes; empty: $TMPDIR or /tmp
  std::optional<EtcdTls> tls{};
  bool unix_socket = false;  // clients also on a unix socket, see unix_url()

  std::string auto_compaction{};  // "revision:1000" or "periodic:5m"
  std::int64_t quota_bytes = 0;   // 0: etcd's default
  std::int64_t max_request_bytes = 0;
  std::chrono::milliseconds progress_notify{0};  // 0: etcd's default (10 minutes)
  bool fsync = false;                            // default: --unsafe-no-fsync where it exists (3.5 on)
  std::vector<std::string> more_flags{};

  // Membership, for clusters and restored directories. Empty or 0: one member, ports picked here.
  int client_port = 0, peer_port = 0;
  std::string initial_cluster{};        // "a=http://127.0.0.1:1,b=…"
  std::string initial_cluster_token{};  // empty: a fresh one
  std::string initial_cluster_state{};  // empty: new

  bool wait_ready = true;  // start() returns when it serves reads; false: as soon as it runs
  std::chrono::milliseconds ready_within{30'000};
};

class EtcdProcess {
 public:
  static Result<EtcdProcess> start(EtcdVersion version, const EtcdSetup& setup = {});

  // Waits for a healthy answer (linearizable read) from our own pid; the last lines of the log are in a failure.
  // An etcd with an alarm counts as ready.
  Status wait_ready(std::chrono::milliseconds at_most);

  std::string client_url() const;  // http(s)://127.0.0.1:port
  std::string unix_url() const;    // unix://…; Requires: unix_socket
  std::string peer_url() const;
  EtcdVersion version() const { return version_; }
  const EtcdSetup& setup() const { return setup_; }
  const io::Path& data_dir() const { return setup_.data_dir; }
  pid_t pid() const { return child_->pid(); }
  bool running() { return child_->running(); }
  std::string log_tail() const { return child_->log_tail(); }
  io::Path log() const { return child_->log(); }

  Status stop(std::chrono::milliseconds at_most = std::chrono::milliseconds(10'000));  // SIGTERM, then waits
  void kill();                                                                         // SIGKILL, and reaped
  void pause();                                                                        // SIGSTOP
  void resume();                                                                       // SIGCONT
  // The same directory, ports and flags again. Requires: it has ended. `as`: with another version's program.
  Status restart(std::optional<EtcdVersion> as = {});

  // etcdctl of the same version against this etcd (endpoint and TLS flags are added). The standard output.
  Result<std::string> etcdctl(std::vector<std::string> arguments) const;

 private:
  EtcdProcess(EtcdVersion version, EtcdSetup setup) : version_(version), setup_(std::move(setup)) {}
  Status launch();
  Status spawn();
  std::vector<std::string> flags() const;

  EtcdVersion version_;
  EtcdSetup setup_;
  std::unique_ptr<io::TempDir> temp_;
  int metrics_port_ = 0;
  std::optional<Child> child_;  // after temp_: it ends before its directory goes
};

// Several members of one cluster, all on this machine.
class EtcdCluster {
 public:
  // Members "m0", "m1", …; each gets `setup` with its own name, ports and directory.
  static Result<EtcdCluster> start(EtcdVersion version, int members, const EtcdSetup& setup = {});
  // Members as described: for restored directories. Requires: name, data_dir, peer_port, initial_cluster set.
  static Result<EtcdCluster> start(EtcdVersion version, std::vector<EtcdSetup> setups);

  std::size_t size() const { return members_.size(); }
  EtcdProcess& operator[](std::size_t i) { return members_[i]; }
  std::vector<std::string> client_urls() const;
  std::string client_urls_joined() const;  // "u1,u2,u3"

 private:
  std::vector<EtcdProcess> members_;
};

}  // namespace tidemark::testing
