// An ObjectStore in a bucket of S3, Amazon's or anybody's. Keys stand below the URL's prefix.
//
// What the guarantees rest on: every object is put with If-None-Match: * (a server that ignores it is unfit, which
// `tidemark store check` finds out), in one call or as a multipart upload that becomes visible when it is completed.
// Each write carries a random mark, so that a try whose answer got lost is told from somebody else's object. Bodies go
// with their SHA-256, which the server checks.
// Memory: a writer holds one part (8 MiB, more only beyond 16 GiB); a reader 256 KiB.
//
// In a bucket that keeps versions the oldest version of a key counts, delete markers or not, unless the URL says
// versions=latest: nobody can then replace or hide a backup without the right to delete versions. remove() deletes all
// versions of a key. A store that is only read remembers which versions a listing counted, and opens those without
// asking again. Objects marked with the tag x-etcd-snapshot-exclude=true behind a delete marker do not exist.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <random>
#include <stop_token>

#include "net/retry.h"
#include "store/environment.h"
#include "store/object_store.h"

namespace tidemark::net {
struct Traffic;
}

namespace tidemark::store {

class S3Client;
struct ListPage;

struct S3Surroundings {
  bool read_only = false;
  Environment environment = process_environment();
  const Clock* clock = &system_clock();
  std::uint64_t seed = std::random_device{}();
  net::RetryGate::Wait wait{};          // how retries wait; empty: really
  std::stop_token stop{};               // ends every call: Errc::cancelled
  std::size_t part_bytes = 8UL << 20U;  // at least 5 MiB at Amazon's
};

class S3Store final : public ObjectStore {
 public:
  // Says nothing to the server yet. Errc::invalid: the URL (store/s3_options.h).
  static Result<std::unique_ptr<S3Store>> open(std::string_view url, const S3Surroundings& surroundings);
  ~S3Store() override;

  Result<std::unique_ptr<ObjectWriter>> create(std::string_view key) override;
  Result<std::unique_ptr<io::Source>> open(std::string_view key, std::uint64_t offset = 0,
                                           std::uint64_t length = UINT64_MAX) override;
  Result<ObjectInfo> stat(std::string_view key) override;
  Result<std::vector<ObjectInfo>> list(std::string_view prefix) override;
  Status remove(std::string_view key) override;
  bool read_only() const override { return read_only_; }
  std::string url() const override;

  const net::Traffic& traffic() const;
  S3Client& client() { return *client_; }  // for store/s3_check.h

 private:
  S3Store(std::shared_ptr<S3Client> client, const S3Surroundings& surroundings);
  Status writable(std::string_view key) const;
  Result<bool> by_version();  // the oldest version counts
  std::string counted(const std::string& full_key);
  Result<ListPage> plain_page(std::string_view prefix, const std::string& token);
  Result<ListPage> counting_page(std::string_view prefix);

  std::shared_ptr<S3Client> client_;
  const bool read_only_;
  const std::size_t part_bytes_;
  std::mutex mutex_;
  std::optional<bool> by_version_;
  std::map<std::string, std::string, std::less<>> counted_;  // read-only: key in the bucket -> id of its version
};

}  // namespace tidemark::store
