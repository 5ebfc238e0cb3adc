// What a program that writes into Gardener's bucket layout owes to etcd-backup-restore, as a check over a whole store.
//
// The rules, with the reason for each: doc/format/gardener-bucket.md, "What a writer must keep". Tests run this over
// everything that is recorded; it opens and reads every object.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "io/file.h"
#include "io/stream.h"

namespace tidemark::bucket {

// etcd-backup-restore replays one revision as one transaction with these limits.
inline constexpr std::size_t kMostOpsOfRevision = 10240;
inline constexpr std::size_t kMostBytesOfRevision = 2UL << 20U;

struct StoredObject {
  std::string key;                                            // relative to the store prefix
  std::function<Result<std::unique_ptr<io::Source>>()> open;  // the object's bytes, compressed as they are
};

struct Finding {
  enum class Weight {
    broken,   // etcd-backup-restore would fail, or restore less than all, from what is there
    warning,  // allowed, but somebody should know: a recorded gap that a full closes, a revision too large to replay
  };
  Weight weight = Weight::broken;
  std::string key;  // the object; empty: the store as a whole
  std::string text;

  friend bool operator==(const Finding&, const Finding&) = default;
};

// Opens a spooled database and tells its true revision: max(last row, finished and scheduled compaction). A parameter,
// because this folder knows nothing of etcd's files.
using TrueRevision = std::function<Result<Revision>(const io::Path& db)>;

struct ContractCheck {
  TrueRevision true_revision;  // empty: fulls are not opened beyond their digest
  io::Path scratch;            // an existing directory; one full at a time is spooled there
};

// Every breach, in the order of the revisions; nothing when all is well. Fails only when `scratch` cannot be used.
Result<std::vector<Finding>> check_contract(std::span<const StoredObject> objects, const ContractCheck& check);

// "broken v2/Incr-…: …" a line each.
std::string print_findings(std::span<const Finding> findings);

}  // namespace tidemark::bucket
