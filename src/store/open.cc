#include "store/open.h"

#include "store/azure_store.h"
#include "store/dir_store.h"
#include "store/encrypted_store.h"
#include "store/gcs_store.h"
#include "store/metered_store.h"
#include "store/s3_store.h"

namespace tidemark::store {

std::string_view url_scheme(std::string_view url) {
  const std::size_t colon = url.find(':');
  if (colon == std::string_view::npos) return {};
  for (const char c : url.substr(0, colon)) {
    if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9')) return {};
  }
  return url.substr(0, colon);
}

Result<std::unique_ptr<ObjectStore>> open_store(std::string_view url, bool read_only, const std::stop_token& stop) {
  const std::string_view scheme = url_scheme(url);
  if (scheme == "s3") {
    TM_LET(std::unique_ptr<S3Store> store, S3Store::open(url, {.read_only = read_only, .stop = stop}));
    return store;
  }
  if (scheme == "az") {
    TM_LET(std::unique_ptr<AzureStore> store, AzureStore::open(url, {.read_only = read_only, .stop = stop}));
    return store;
  }
  if (scheme == "gs") {
    TM_LET(std::unique_ptr<GcsStore> store, GcsStore::open(url, {.read_only = read_only, .stop = stop}));
    return store;
  }
  if (scheme == "file" || scheme == "etcd") {
    return fail(Errc::unsupported, "open store '{}': this is one snapshot or data directory to read, not a store", url);
  }
  if (!scheme.empty() && scheme != "dir") {
    return fail(Errc::invalid, "open store '{}': unknown scheme '{}:', expected dir:/path, s3://, gs:// or az://", url,
                scheme);
  }
  const std::string_view path = scheme.empty() ? url : url.substr(scheme.size() + 1);
  if (path.empty()) return fail(Errc::invalid, "open store '{}': no path given, expected dir:/path", url);
  auto store = DirStore::open(path, read_only ? DirStore::Access::read_only : DirStore::Access::read_write);
  if (!store && store.error().code == Errc::not_found) {
    store.error().hint = "check the path, and that its disk is mounted; only record and copy --to begin a new store";
  }
  return store;
}

const net::Traffic* traffic_of(const ObjectStore& store) {
  if (const auto* metered = dynamic_cast<const MeteredStore*>(&store)) return traffic_of(metered->inner());
  if (const auto* encrypted = dynamic_cast<const EncryptedStore*>(&store)) return traffic_of(encrypted->inner());
  if (const auto* s3 = dynamic_cast<const S3Store*>(&store)) return &s3->traffic();
  if (const auto* gcs = dynamic_cast<const GcsStore*>(&store)) return &gcs->traffic();
  const auto* azure = dynamic_cast<const AzureStore*>(&store);
  return azure != nullptr ? &azure->traffic() : nullptr;
}

Result<std::size_t> clean_leftovers(ObjectStore& store, std::chrono::nanoseconds older_than, Time now) {
  if (auto* metered = dynamic_cast<MeteredStore*>(&store)) return clean_leftovers(metered->inner(), older_than, now);
  if (auto* encrypted = dynamic_cast<EncryptedStore*>(&store)) {
    return clean_leftovers(encrypted->inner(), older_than, now);
  }
  auto* directory = dynamic_cast<DirStore*>(&store);
  if (directory == nullptr) return 0;
  return directory->clean_leftovers(older_than, now);
}

}  // namespace tidemark::store
