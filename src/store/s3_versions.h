// Buckets that keep versions: which version of a key counts. Private to store/.
#pragma once

#include <span>

#include "store/object_store.h"
#include "store/s3_client.h"

namespace tidemark::store {

struct S3Version {
  std::string key;  // in the bucket
  std::string id, etag;
  std::uint64_t size = 0;
  Time modified{};
  bool delete_marker = false;
};

// "Enabled", "Suspended"; empty: the bucket keeps none, or nobody may ask.
Result<std::string> versioning_of(S3Client& client);

// Every version and delete marker of keys that begin with `prefix` (prefix of the bucket, not of the store), by key, of
// each key the newest first.
Result<std::vector<S3Version>> list_versions(S3Client& client, const std::string& prefix);
// Of one key.
Result<std::vector<S3Version>> versions_of(S3Client& client, const std::string& key);

// The version that counts, of all of one key's in the order of the list: the oldest, that is the last that is no delete
// marker. Not by its time: an upload in parts bears the time when it began, and times tie. nullopt when there is none,
// or when it is hidden by a delete marker and the tag x-etcd-snapshot-exclude=true. A failure when nobody can tell.
Result<std::optional<S3Version>> counting_version(S3Client& client, std::span<const S3Version> of_one_key);

}  // namespace tidemark::store
