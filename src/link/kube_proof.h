// What is sent to an API server to prove who we are, always fresh. Private to link/.
#pragma once

#include <mutex>
#include <optional>

#include "link/kube_config.h"
#include "link/kube_exec.h"
#include "net/http.h"

namespace tidemark::link {

struct Proof {
  net::Headers headers{};          // Authorization, Impersonate-*
  PemSource certificate{}, key{};  // of the client; may be none
  std::string token{};             // that of the headers
  std::uint64_t issue = 0;         // another number: another certificate, so other connections
  bool can_be_newer = false;       // a refused one is worth asking for once more
};

// A token file is read for every request. A plugin is asked when there is no answer of it, when that has expired, and
// when the server did not believe it; meanwhile everybody else waits.
// Threads: any.
class KubeProof {
 public:
  // Requires: both outlive it.
  KubeProof(const KubeAccess& access, const Clock& clock) : access_(access), clock_(clock) {}

  Result<Proof> get(std::chrono::nanoseconds within, const std::stop_token& stop);
  // The server answered 401 to this one.
  void refused(const Proof& proof);

 private:
  Status ask(std::chrono::nanoseconds within, const std::stop_token& stop);

  const KubeAccess& access_;
  const Clock& clock_;
  std::mutex mutex_;
  std::optional<ExecAnswer> answer_;
  std::uint64_t issue_ = 0;
};

}  // namespace tidemark::link
