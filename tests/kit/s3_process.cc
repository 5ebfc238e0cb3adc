#include "kit/s3_process.h"

#include <unistd.h>

#include <fstream>
#include <thread>

#include "kit/etcd_process.h"
#include "kit/tls_files.h"
#include "store/s3_client.h"

namespace tidemark::testing {
namespace {

constexpr const char* kAccessKey = "tm-access";
constexpr const char* kSecretKey = "tm-secret-key";

}  // namespace

Result<S3Process> S3Process::start(const S3Setup& setup) {
  const io::Path program = io::Path(TM_TESTBED_DIR) / "versitygw" / "versitygw";
  if (::access(program.c_str(), X_OK) != 0) {
    return fail(Errc::not_found, "there is no {}; run testbed/s3/build", program.string());
  }
  S3Process s3;
  s3.setup_ = setup;
  TM_LET(io::TempDir temp, io::TempDir::create());
  s3.temp_ = std::make_unique<io::TempDir>(std::move(temp));
  const io::Path& dir = s3.temp_->path();
  for (const char* name : {"buckets", "versions"}) TM_CHECK(io::make_dirs(dir / name));
  TM_LET(s3.port_, free_port());
  std::vector<std::string> argv{program.string(), "--port",      fmt::format("127.0.0.1:{}", s3.port_),
                                "--access",       kAccessKey,    "--secret",
                                kSecretKey,       "--region",    setup.region,
                                "--quiet",        "--keep-alive"};
  if (setup.tls) {
    TM_LET(const TlsFiles tls, make_tls_files(dir));
    s3.ca_file_ = tls.ca.string();
    for (const std::string& word :
         {std::string("--cert"), tls.server_cert.string(), std::string("--key"), tls.server_key.string()}) {
      argv.push_back(word);
    }
  }
  if (setup.virtual_host) {
    argv.emplace_back("--virtual-domain");
    argv.push_back(fmt::format("localhost:{}", s3.port_));
  }
  if (setup.access_log) {
    argv.emplace_back("--access-log");
    argv.push_back((dir / "requests").string());
  }
  for (const std::string& word : {std::string("posix"), std::string("--versioning-dir"), (dir / "versions").string(),
                                  (dir / "buckets").string()}) {
    argv.push_back(word);
  }
  TM_LET(Child child, Child::start(argv, dir / "log"));
  s3.child_.emplace(std::move(child));
  const auto give_up = std::chrono::steady_clock::now() + kPatience;
  while (!listens_on(s3.child_->pid(), s3.port_)) {
    if (!s3.child_->running() || std::chrono::steady_clock::now() > give_up) {
      return fail(Errc::timeout, "versitygw does not start:\n{}", s3.child_->log_tail());
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return s3;
}

std::vector<std::string> S3Process::requests() const {
  std::vector<std::string> lines;
  std::ifstream log(temp_->path() / "requests");
  for (std::string line; std::getline(log, line);) lines.push_back(std::move(line));
  return lines;
}

std::string S3Process::endpoint() const {
  return fmt::format("{}://{}:{}", setup_.tls ? "https" : "http", setup_.virtual_host ? "localhost" : "127.0.0.1",
                     port_);
}

std::string S3Process::url(const std::string& bucket_and_prefix) const {
  std::string url = fmt::format("s3://{}?endpoint={}&region={}", bucket_and_prefix, endpoint(), setup_.region);
  if (setup_.tls) url += "&ca-file=" + ca_file_;
  if (setup_.virtual_host) url += "&path-style=0";
  return url;
}

store::Environment S3Process::environment() const {
  return [](std::string_view name) -> std::string {
    if (name == "AWS_ACCESS_KEY_ID") return kAccessKey;
    if (name == "AWS_SECRET_ACCESS_KEY") return kSecretKey;
    if (name == "AWS_EC2_METADATA_DISABLED") return "true";
    return {};
  };
}

std::vector<std::string> S3Process::variables() const {
  return {std::string("AWS_ACCESS_KEY_ID=") + kAccessKey, std::string("AWS_SECRET_ACCESS_KEY=") + kSecretKey,
          "AWS_EC2_METADATA_DISABLED=true"};
}

Status S3Process::make_bucket(const std::string& name, Kind kind) {
  TM_LET(store::S3Options options, store::parse_s3_url(url(name), environment()));
  store::S3Client client(std::move(options), environment(), system_clock(), 1);
  store::S3Call make{.what = "make bucket", .method = "PUT"};
  if (kind == Kind::locked) make.headers = {{"x-amz-bucket-object-lock-enabled", "true"}};
  TM_CHECK(client.demand(make));
  if (kind != Kind::versioned) return {};
  constexpr std::string_view kOn = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
  TM_CHECK(client.demand({.what = "version", .method = "PUT", .query = {{"versioning", ""}}, .body = as_bytes(kOn)}));
  return {};
}

}  // namespace tidemark::testing
