// An ObjectStore in a container of Azure Blob. Keys stand below the URL's prefix.
//
// What the guarantees rest on: every blob is put with If-None-Match: *, in one call or as blocks that become a blob
// when their list is committed. Each write carries a random mark, so that a try whose answer got lost is told from
// somebody else's blob. Bodies go with their MD5, which the service checks, and whole blobs are checked when read.
// Memory: a writer holds one block (8 MiB: blobs of up to 390 GiB); a reader 256 KiB.
//
// Soft-deleted blobs, older versions and snapshots do not exist for this store. Blobs with the index tag
// x-etcd-snapshot-exclude=true are not listed, as etcd-backup-restore has it. remove() fails (denied) on what a
// retention policy, a legal hold, a lease or a snapshot keeps.
#pragma once

#include <atomic>
#include <random>
#include <stop_token>

#include "net/retry.h"
#include "store/environment.h"
#include "store/object_store.h"

namespace tidemark::net {
struct Traffic;
}

namespace tidemark::store {

class AzureClient;

struct AzureSurroundings {
  bool read_only = false;
  Environment environment = process_environment();
  const Clock* clock = &system_clock();
  std::uint64_t seed = std::uint64_t{std::random_device{}()} << 32U | std::random_device{}();
  std::stop_token stop{};       // ends every call: Errc::cancelled
  net::RetryGate::Wait wait{};  // how retries wait; empty: really
  std::size_t block_bytes = 8UL << 20U;
  std::size_t page_keys = 5000;  // of a listing
};

class AzureStore final : public ObjectStore {
 public:
  // Says nothing to the server yet. Errc::invalid: the URL (store/azure_options.h).
  static Result<std::unique_ptr<AzureStore>> open(std::string_view url, const AzureSurroundings& surroundings);
  ~AzureStore() override;

  Result<std::unique_ptr<ObjectWriter>> create(std::string_view key) override;
  Result<std::unique_ptr<io::Source>> open(std::string_view key, std::uint64_t offset = 0,
                                           std::uint64_t length = UINT64_MAX) override;
  Result<ObjectInfo> stat(std::string_view key) override;
  Result<std::vector<ObjectInfo>> list(std::string_view prefix) override;
  Status remove(std::string_view key) override;
  bool read_only() const override { return read_only_; }
  std::string url() const override;

  const net::Traffic& traffic() const;
  AzureClient& client() { return *client_; }  // for store/azure_check.h
  std::string full_key(std::string_view key) const;

 private:
  AzureStore(std::shared_ptr<AzureClient> client, const AzureSurroundings& surroundings);
  Status writable(std::string_view key) const;
  Result<bool> excluded(const std::string& full_key);

  std::shared_ptr<AzureClient> client_;
  const bool read_only_;
  const std::size_t block_bytes_, page_keys_;
  std::atomic<bool> tags_denied_{false};  // told once
};

}  // namespace tidemark::store
