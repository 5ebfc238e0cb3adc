// A store whose objects are age files: the encrypted layout beside the open one.
//
//   age/<key>.age                            the object `key`, to be opened with plain `age -d`
//   tidemark-age/keys/<id>-<epoch>.age       a store key, sealed to the recipients: what lets recipients change later
// Lineage, claims, gaps and proofs stay open (is_open_key): who writes them holds no identity, or no recipients. Names
// and sizes are no secret either: list() and stat() tell the plain ones without any key. An open store behind it reads
// and writes as it is; what an encrypted store held before it was encrypted is read too. Threads: any. Byte tables, and
// who can read what: doc/format/age-layout.md.
#pragma once

#include <map>
#include <mutex>
#include <optional>

#include "age/stream.h"
#include "store/object_store.h"

namespace tidemark::store {

struct AgeKeys {
  std::vector<age::Recipient> recipients;  // who can read what is written; none: writes are open
  std::vector<age::Identity> identities;   // to read with
};

// Every object that this program writes has a header of this size, padded: so the sizes of a listing tell the sizes of
// the objects, however many recipients there are.
inline constexpr std::size_t kAgeHeader = 2048;
inline constexpr std::size_t kMostRecipients = 18;

inline constexpr std::string_view kAgeObjects = "age/";
inline constexpr std::string_view kAgeKeyFiles = "tidemark-age/keys/";

bool is_open_key(std::string_view key);

class EncryptedStore final : public ObjectStore {
 public:
  // Errc::invalid: more than kMostRecipients, or none although the store is encrypted and may be written to: what is
  // written from now on would be readable by all.
  static Result<std::unique_ptr<EncryptedStore>> open(std::unique_ptr<ObjectStore> inner, AgeKeys keys);

  Result<std::unique_ptr<ObjectWriter>> create(std::string_view key) override;
  // Errc::denied: encrypted, and no identity fits.
  Result<std::unique_ptr<io::Source>> open(std::string_view key, std::uint64_t offset = 0,
                                           std::uint64_t length = UINT64_MAX) override;
  Result<ObjectInfo> stat(std::string_view key) override;
  Result<std::vector<ObjectInfo>> list(std::string_view prefix) override;
  Status remove(std::string_view key) override;
  bool read_only() const override { return inner_->read_only(); }
  std::string url() const override { return inner_->url(); }
  ObjectStore& inner() { return *inner_; }
  const ObjectStore& inner() const { return *inner_; }

  struct Rewrapped {
    std::size_t changed = 0, unchanged = 0;
  };
  // Seals every store key to `recipients` too, so that they can read everything that was written so far. The objects
  // stay as they are. May be cut and run again. Requires: identities that open the newest file of each store key.
  Result<Rewrapped> rewrap(const std::vector<age::Recipient>& recipients);

 private:
  class Writer;
  EncryptedStore(std::unique_ptr<ObjectStore> inner, AgeKeys keys) : inner_(std::move(inner)), keys_(std::move(keys)) {}
  Result<age::Identity> own_store_key();
  Result<age::Identity> find_store_key(const std::string& id);
  Result<age::FileKey> unlock(const age::Header& header);
  // Is it an encrypted object here? Asks the store when no listing has told.
  Result<bool> encrypted(std::string_view key);

  std::unique_ptr<ObjectStore> inner_;
  AgeKeys keys_;
  std::mutex mutex_;
  std::optional<age::Identity> store_key_;              // of what this object writes; made at the first write
  std::map<std::string, age::Identity> found_;          // store keys of others, by id
  std::map<std::string, bool, std::less<>> encrypted_;  // what listings have told
};

}  // namespace tidemark::store
