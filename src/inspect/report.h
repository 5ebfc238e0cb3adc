// What `doctor --data-dir` finds out about an etcd data directory: findings, a verdict, and whether etcd would start.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"

namespace tidemark::inspect {

enum class Verdict {
  healthy,
  repairable,  // etcd mends it at its start, or the command in the finding does; nothing acknowledged is lost
  corrupt,     // data are lost or wrong: bring back a backup, or replace the member
};
std::string_view verdict_word(Verdict verdict);

// What etcd itself makes of it. It starts with much that is corrupt, because it does not look.
enum class Starts { yes, unknown, no };
std::string_view starts_word(Starts starts);

struct Finding {
  Verdict weight = Verdict::healthy;  // healthy: worth knowing, nothing to do
  Starts etcd = Starts::yes;
  std::string file;                     // below the data directory; empty: the directory as a whole
  std::optional<std::uint64_t> offset;  // in that file
  std::string reason;
  std::string help;  // the command, or what to do; empty: nothing
};

struct DataDirFacts {
  MemberId member;
  ClusterId cluster;
  std::string cluster_version, storage_version;
  Revision revision;   // at which the database comes up, without what only the log holds
  Revision compacted;  // -1: never
  std::uint64_t rows = 0, live_keys = 0;
  std::uint64_t database_bytes = 0;
  std::optional<std::uint64_t> applied;  // consistent_index
  std::uint64_t commit = 0, last_index = 0, snapshot_index = 0;
  std::uint64_t segments = 0;
  std::uint64_t members = 0;
  std::uint64_t log_only = 0;  // committed entries that the database has not applied
};

struct DataDirReport {
  std::string data_dir;
  std::vector<Finding> findings;  // the gravest first
  DataDirFacts facts;

  Verdict verdict() const;
  Starts starts() const;
};

}  // namespace tidemark::inspect
