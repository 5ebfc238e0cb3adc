// Calls to one API server: proof, TLS, deadlines, retries, and refusals as Errors. Private to link/.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <nlohmann/json_fwd.hpp>
#include <stop_token>
#include <string>

#include "io/stream.h"
#include "link/kube_client.h"
#include "link/kube_proof.h"
#include "net/http.h"
#include "net/retry.h"
#include "net/web_socket.h"

namespace tidemark::link {

struct KubeCall {
  std::string doing{};  // "list configmaps": for messages
  std::string method = "GET";
  std::string path{};  // from the root, with its query
  std::string accept = "application/json";
  std::string content_type{};
  Bytes body{};
  bool repeatable = true;   // twice is as good as once: it is sent again when nobody knows whether it was done
  bool repeat_body = true;  // and when the answer's body was cut
  std::chrono::nanoseconds lasts{0};    // how much longer than a call's time the body may take
  std::chrono::nanoseconds silence{0};  // 0: none but the deadline
};

class KubeWire {
 public:
  KubeWire(KubeAccess access, const KubeClientOptions& options, const Clock& clock);

  // `take` gets the body of a 2xx; after a failure of the wire it may be called again with that of the next try.
  using Take = std::function<Status(io::Source& body)>;
  Status send(const KubeCall& call, const std::stop_token& stop, const Take& take);
  // The whole body, at most 64 MiB of it.
  Result<nlohmann::json> ask(const KubeCall& call, const std::stop_token& stop);
  // Upgraded. Asked again only where the server did nothing; then it lasts `call.lasts`, and nothing is sent twice.
  Result<std::unique_ptr<net::WebSocket>> upgrade(const KubeCall& call, std::span<const std::string> protocols,
                                                  const std::stop_token& stop);

  const KubeAccess& access() const { return access_; }
  const KubeClientOptions& options() const { return options_; }
  const Clock& clock() const { return clock_; }
  net::RetryGate& gate() { return gate_; }
  KubeTraffic traffic() const;

 private:
  struct Try {
    Status status;
    net::Verdict verdict{};
    bool disbelieved = false;  // 401
    Proof proof{};
  };
  // A try to do it, and what says about the next one.
  using Once = std::function<Try(Proof proof, net::Request request)>;
  Status repeat(const KubeCall& call, const std::stop_token& stop, const Once& once);
  Try once(const KubeCall& call, Proof proof, const net::Request& request, const std::stop_token& stop,
           const Take& take);
  Try refusal_of(const KubeCall& call, int status, std::string_view body, std::string_view retry_after,
                 Proof proof) const;
  Try no_answer(const KubeCall& call, const Error& why) const;
  static Error of_wire(const KubeCall& call, const Error& error);
  net::ClientOptions client_options(const Proof& proof) const;
  void count(std::uint64_t KubeTraffic::* what);
  std::shared_ptr<net::Client> client_for(const Proof& proof);

  const KubeAccess access_;
  const KubeClientOptions options_;
  const Clock& clock_;
  KubeProof proof_;
  net::RetryGate gate_;
  mutable std::mutex mutex_;
  std::shared_ptr<net::Client> client_;  // of the newest certificate
  std::uint64_t issue_ = 0;
  KubeTraffic earlier_;  // of the clients before
};

}  // namespace tidemark::link
