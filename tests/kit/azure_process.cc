#include "kit/azure_process.h"

#include <thread>

#include "crypto/sign.h"
#include "kit/etcd_process.h"
#include "kit/tls_files.h"
#include "net/url.h"
#include "store/azure_client.h"

namespace tidemark::testing {
namespace {

constexpr const char* kAccount = "tmaccount";
constexpr const char* kKey = "dGlkZW1hcmsga2VlcHMgd2hhdCBldGNkIHNhaWQ=";

// An account's SAS: everything allowed until 2099.
std::string make_sas() {
  const std::string text = fmt::format("{}\nrwdlactf\nb\nsco\n\n2099-01-01T00:00:00Z\n\n\n2021-12-02\n\n", kAccount);
  const Buffer key = crypto::from_base64(kKey).value();
  return "?" + net::print_query({{"sv", "2021-12-02"},
                                 {"ss", "b"},
                                 {"srt", "sco"},
                                 {"sp", "rwdlactf"},
                                 {"se", "2099-01-01T00:00:00Z"},
                                 {"sig", crypto::to_base64(crypto::hmac_sha256(key, as_bytes(text)))}});
}

}  // namespace

Result<AzureProcess> AzureProcess::start(bool tls) {
  const io::Path program = io::Path(TM_TESTBED_DIR) / "azurite/node_modules/azurite/dist/src/blob/main.js";
  if (!std::filesystem::exists(program)) {
    return fail(Errc::not_found, "there is no {}; run testbed/azurite/build", program.string());
  }
  AzureProcess azure;
  TM_LET(io::TempDir temp, io::TempDir::create());
  azure.temp_ = std::make_unique<io::TempDir>(std::move(temp));
  const io::Path& dir = azure.temp_->path();
  TM_LET(azure.port_, free_port());
  std::vector<std::string> argv{"node",
                                program.string(),
                                "--blobHost=127.0.0.1",
                                fmt::format("--blobPort={}", azure.port_),
                                "--inMemoryPersistence",
                                "--disableTelemetry",
                                "--silent"};
  if (tls) {
    TM_LET(const TlsFiles files, make_tls_files(dir));
    azure.ca_file_ = files.ca.string();
    argv.push_back("--cert=" + files.server_cert.string());
    argv.push_back("--key=" + files.server_key.string());
  }
  TM_LET(Child child, Child::start(argv, dir / "log",
                                   {.environment = {fmt::format("AZURITE_ACCOUNTS={}:{}", kAccount, kKey)},
                                    .working_directory = dir}));
  azure.child_.emplace(std::move(child));
  const auto give_up = std::chrono::steady_clock::now() + kPatience;
  while (!listens_on(azure.child_->pid(), azure.port_)) {
    if (!azure.child_->running() || std::chrono::steady_clock::now() > give_up) {
      return fail(Errc::timeout, "azurite does not start (it needs node 18 or newer):\n{}", azure.child_->log_tail());
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  return azure;
}

std::string AzureProcess::endpoint() const {
  return fmt::format("{}://127.0.0.1:{}", ca_file_.empty() ? "http" : "https", port_);
}

std::string AzureProcess::url(const std::string& container_and_prefix) const {
  std::string url = fmt::format("az://{}/{}?endpoint={}", kAccount, container_and_prefix, endpoint());
  if (!ca_file_.empty()) url += "&ca-file=" + ca_file_;
  return url;
}

store::Environment AzureProcess::environment(Right right) const {
  switch (right) {
    case Right::connection:
      return [text = fmt::format("DefaultEndpointsProtocol=http;AccountName={0};AccountKey={1};BlobEndpoint={2}/{0};",
                                 kAccount, kKey, endpoint())](std::string_view name) {
        return name == "AZURE_STORAGE_CONNECTION_STRING" ? text : std::string();
      };
    case Right::sas:
      return [](std::string_view name) { return name == "AZURE_STORAGE_SAS_TOKEN" ? make_sas() : std::string(); };
    default:
      return [](std::string_view name) -> std::string {
        if (name == "AZURE_STORAGE_ACCOUNT") return kAccount;
        return name == "AZURE_STORAGE_KEY" ? kKey : "";
      };
  }
}

std::vector<std::string> AzureProcess::variables() const {
  return {fmt::format("AZURE_STORAGE_ACCOUNT={}", kAccount), fmt::format("AZURE_STORAGE_KEY={}", kKey)};
}

Status AzureProcess::make_container(const std::string& name) const {
  TM_LET(store::AzureOptions options, store::parse_azure_url(url(name), environment()));
  store::AzureClient client(std::move(options), environment(), system_clock(), 1);
  TM_CHECK(client.demand({.what = "make container", .method = "PUT", .query = {{"restype", "container"}}}));
  return {};
}

}  // namespace tidemark::testing
