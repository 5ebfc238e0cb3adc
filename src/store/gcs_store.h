// An ObjectStore in a bucket of Google Cloud Storage. Keys stand below the URL's prefix.
//
// What the guarantees rest on: every object is created with ifGenerationMatch=0 (only if there is none), in one call or
// through a resumable session that becomes visible when it is completed (store/gcs_writer.h). What is read whole is
// checked against the service's CRC-32C; a read that is cut goes on in the same generation of the object.
// Memory: a writer holds one chunk (8 MiB); a reader 256 KiB.
//
// In a bucket that keeps versions the live one counts, and remove() leaves a noncurrent one. Objects with the metadata
// x-etcd-snapshot-exclude=true are not listed, as etcd-backup-restore does. A retention policy and holds refuse
// remove() with Errc::denied and say so. Threads: any.
#pragma once

#include <random>
#include <stop_token>

#include "net/retry.h"
#include "store/environment.h"
#include "store/object_store.h"

namespace tidemark::net {
struct Traffic;
}

namespace tidemark::store {

class GcsClient;

struct GcsSurroundings {
  bool read_only = false;
  Environment environment = process_environment();
  const Clock* clock = &system_clock();
  std::uint64_t seed = std::random_device{}();
  net::RetryGate::Wait wait{};           // how retries wait; empty: really
  std::size_t chunk_bytes = 8UL << 20U;  // a multiple of 256 KiB
  std::stop_token stop{};                // ends whatever the store waits for
};

class GcsStore final : public ObjectStore {
 public:
  // Says nothing to the server yet. Errc::invalid: the URL (store/gcs_options.h).
  static Result<std::unique_ptr<GcsStore>> open(std::string_view url, GcsSurroundings surroundings);
  ~GcsStore() override;

  Result<std::unique_ptr<ObjectWriter>> create(std::string_view key) override;
  Result<std::unique_ptr<io::Source>> open(std::string_view key, std::uint64_t offset = 0,
                                           std::uint64_t length = UINT64_MAX) override;
  Result<ObjectInfo> stat(std::string_view key) override;
  Result<std::vector<ObjectInfo>> list(std::string_view prefix) override;
  Status remove(std::string_view key) override;
  bool read_only() const override { return read_only_; }
  std::string url() const override;

  const net::Traffic& traffic() const;
  GcsClient& client() { return *client_; }  // for store/gcs_check.h

 private:
  GcsStore(std::shared_ptr<GcsClient> client, const GcsSurroundings& surroundings);
  Status writable(std::string_view key) const;
  std::string full_key(std::string_view key) const;

  std::shared_ptr<GcsClient> client_;
  const bool read_only_;
  const std::size_t chunk_bytes_;
};

}  // namespace tidemark::store
