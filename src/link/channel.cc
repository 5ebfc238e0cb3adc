#include "link/channel.h"

#include <unistd.h>

#include <algorithm>
#include <mutex>
#include <string_view>

#include <grpc/support/log.h>
#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_credentials_options.h>
#include <openssl/crypto.h>

#include "base/log.h"
#include "io/file.h"

namespace tidemark::link {

namespace {

constexpr std::uint64_t kPemLimit = 4UL << 20;
constexpr int kWindowBytes = 4 << 20;  // what may be under way on one stream: hides the round trips of a snapshot
constexpr const char* kSystemRoots[] = {"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
                                        "/etc/ssl/cert.pem"};

// gRPC waits for none of its event engine's threads. One that has spoken TLS may end beside exit(), where OpenSSL would
// free what the thread still holds, or forget what it frees at its own end. So OpenSSL does not clean up at exit();
// that must be said before anybody first uses it, thus before main().
const int kOpensslStays = OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, nullptr);

// gRPC prints to standard error by itself; whatever matters comes back as a status anyway.
void silence_grpc() {
  static std::once_flag once;
  std::call_once(once, [] {
    gpr_set_log_function([](gpr_log_func_args* line) { log_debug("grpc", "message={}", line->message); });
  });
}

Result<std::string> read_pem(const std::string& path, std::string_view what) {
  const auto bytes = io::read_file(path, kPemLimit);
  if (!bytes) return fail(Errc::denied, "{} file: {}", what, bytes.error().what);
  if (as_text(*bytes).find("-----BEGIN ") == std::string_view::npos) {
    return fail(Errc::denied, "{} file '{}' is not PEM", what, path);
  }
  return std::string(as_text(*bytes));
}

struct Pem {
  std::string roots, cert, key;
};

Result<Pem> read_tls_files(const EtcdOptions& options) {
  Pem pem;
  if (!options.ca_file.empty()) {
    TM_LET(pem.roots, read_pem(options.ca_file, "CA"));
  } else {
    const auto* const found = std::ranges::find_if(kSystemRoots, [](const char* p) { return ::access(p, R_OK) == 0; });
    if (found != std::end(kSystemRoots)) {
      TM_LET(pem.roots, read_pem(*found, "CA"));
    }
  }
  if (!options.cert_file.empty()) {
    TM_LET(pem.cert, read_pem(options.cert_file, "certificate"));
    TM_LET(pem.key, read_pem(options.key_file, "key"));
  }
  return pem;
}

std::shared_ptr<grpc::ChannelCredentials> checked_tls(const Pem& pem) {
  grpc::SslCredentialsOptions ssl;
  ssl.pem_root_certs = pem.roots;
  ssl.pem_cert_chain = pem.cert;
  ssl.pem_private_key = pem.key;
  return grpc::SslCredentials(ssl);
}

std::shared_ptr<grpc::ChannelCredentials> unchecked_tls(const Pem& pem) {
  namespace tls = grpc::experimental;
  tls::TlsChannelCredentialsOptions options;
  options.set_verify_server_certs(false);
  options.set_check_call_host(false);
  options.set_certificate_verifier(std::make_shared<tls::NoOpCertificateVerifier>());
  if (!pem.cert.empty()) {
    const std::vector<tls::IdentityKeyCertPair> pairs = {{.private_key = pem.key, .certificate_chain = pem.cert}};
    options.set_certificate_provider(std::make_shared<tls::StaticDataCertificateProvider>(pairs));
    options.watch_identity_key_cert_pairs();
  }
  return tls::TlsCredentials(options);
}

grpc::ChannelArguments arguments_for(const EtcdOptions& options) {
  grpc::ChannelArguments a;
  const auto ms = [](std::chrono::milliseconds d) { return static_cast<int>(d.count()); };
  a.SetMaxReceiveMessageSize(-1);
  a.SetMaxSendMessageSize(-1);
  a.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  a.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  a.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);  // Session decides
  a.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, ms(options.dial_timeout));
  a.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  a.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 2'000);
  a.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, ms(options.keepalive_time));
  a.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, ms(options.keepalive_timeout));
  a.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);  // a quiet watch is pinged for as long as it lives
  a.SetInt(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, kWindowBytes);
  if (!options.server_name.empty()) a.SetSslTargetNameOverride(options.server_name);
  return a;
}

}  // namespace

gpr_timespec grpc_deadline(Deadline at) {
  const auto left = std::chrono::duration_cast<std::chrono::microseconds>(at - std::chrono::steady_clock::now());
  return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_micros(left.count(), GPR_TIMESPAN));
}

Result<std::shared_ptr<grpc::Channel>> open_channel(const Endpoint& endpoint, const EtcdOptions& options) {
  silence_grpc();
  std::shared_ptr<grpc::ChannelCredentials> credentials = grpc::InsecureChannelCredentials();
  if (endpoint.tls) {
    TM_LET(const Pem pem, named(endpoint.text, read_tls_files(options)));
    credentials = options.skip_server_check ? unchecked_tls(pem) : checked_tls(pem);
  }
  return grpc::CreateCustomChannel(endpoint.target, credentials, arguments_for(options));
}

bool wait_connected(grpc::Channel& channel, Deadline at_most) {
  for (;;) {
    const grpc_connectivity_state state = channel.GetState(/*try_to_connect=*/true);
    if (state == GRPC_CHANNEL_READY) return true;
    if (state == GRPC_CHANNEL_TRANSIENT_FAILURE || state == GRPC_CHANNEL_SHUTDOWN) return false;
    if (!channel.WaitForStateChange(state, grpc_deadline(at_most))) return false;
  }
}

}  // namespace tidemark::link
