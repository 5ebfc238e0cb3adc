#include "kit/gcs_process.h"

#include <unistd.h>

#include <thread>

#include "kit/etcd_process.h"
#include "kit/tls_files.h"
#include "net/http.h"

namespace tidemark::testing {

Result<GcsProcess> GcsProcess::start(const GcsSetup& setup) {
  const io::Path program = io::Path(TM_TESTBED_DIR) / "fake-gcs-server" / "fake-gcs-server";
  if (::access(program.c_str(), X_OK) != 0) {
    return fail(Errc::not_found, "there is no {}; run testbed/gcs/build", program.string());
  }
  GcsProcess gcs;
  gcs.setup_ = setup;
  TM_LET(io::TempDir temp, io::TempDir::create());
  gcs.temp_ = std::make_unique<io::TempDir>(std::move(temp));
  const io::Path& dir = gcs.temp_->path();
  TM_LET(gcs.port_, free_port());
  std::vector<std::string> argv{program.string(),
                                "-backend",
                                "memory",
                                "-host",
                                "127.0.0.1",
                                "-port",
                                std::to_string(gcs.port_),
                                "-scheme",
                                setup.tls ? "https" : "http",
                                "-external-url",
                                gcs.endpoint(),
                                "-public-host",
                                fmt::format("127.0.0.1:{}", gcs.port_),
                                "-log-level",
                                "warn"};
  if (setup.tls) {
    TM_LET(const TlsFiles tls, make_tls_files(dir));
    gcs.ca_file_ = tls.ca.string();
    for (const std::string& word : {std::string("-cert-location"), tls.server_cert.string(),
                                    std::string("-private-key-location"), tls.server_key.string()}) {
      argv.push_back(word);
    }
  }
  TM_LET(Child child, Child::start(argv, dir / "log"));
  gcs.child_.emplace(std::move(child));
  const auto give_up = std::chrono::steady_clock::now() + kPatience;
  while (!listens_on(gcs.child_->pid(), gcs.port_)) {
    if (!gcs.child_->running() || std::chrono::steady_clock::now() > give_up) {
      return fail(Errc::timeout, "fake-gcs-server does not start:\n{}", gcs.child_->log_tail());
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return gcs;
}

std::string GcsProcess::endpoint() const {
  return fmt::format("{}://127.0.0.1:{}", setup_.tls ? "https" : "http", port_);
}

std::string GcsProcess::url(const std::string& bucket_and_prefix) const {
  std::string url = fmt::format("gs://{}?endpoint={}", bucket_and_prefix, endpoint());
  if (setup_.tls) url += "&anonymous=1&ca-file=" + ca_file_;
  return url;
}

Status GcsProcess::make_bucket(const std::string& name, bool versioned) {
  net::Client client({.ca_file = ca_file_, .proxy = ""});
  const std::string body = fmt::format(R"({{"name":"{}","versioning":{{"enabled":{}}}}})", name, versioned);
  TM_LET(const net::Response answer, client.send({.method = "POST",
                                                  .url = endpoint() + "/storage/v1/b?project=test",
                                                  .headers = {{"Content-Type", "application/json"}},
                                                  .body = as_bytes(body)}));
  if (answer.status() != 200) return fail(Errc::invalid, "make bucket '{}': status {}", name, answer.status());
  return {};
}

}  // namespace tidemark::testing
