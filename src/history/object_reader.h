// Stored values as the objects that clients see, one after another, and what had to be said about them.
// Threads: one at a time.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "history/moment.h"
#include "kube/encryption.h"
#include "kube/object_json.h"
#include "kube/resource.h"

namespace tidemark::history {

class ObjectReader {
 public:
  // `decryptor`: outlives it; nullptr: sealed values stay closed.
  ObjectReader(kube::Decryptor* decryptor, bool managed_fields);

  // Errc::denied: encrypted at rest, and there is no key; Errc::corrupt. The message begins with the key.
  Result<nlohmann::json> read(const std::string& key, const Row& row, const kube::Resource& resource);

  // Objects shown as stored, fields that the table of types does not have.
  const std::vector<std::string>& notes() const { return notes_; }

 private:
  Result<nlohmann::json> read_value(const std::string& key, const Row& row, const kube::Resource& resource);
  kube::Decryptor* decryptor_;
  kube::ObjectPrinter printer_;
  std::string text_;
  Buffer plain_;
  std::vector<std::string> notes_;
};

}  // namespace tidemark::history
