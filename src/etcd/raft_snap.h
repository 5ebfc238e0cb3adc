// The .snap file: a raft snapshot of the old v2 store, from which etcd 3.4 and 3.5 learn who the members are, and
// without which 3.4 to 3.6 feed a member added later with an empty store. Byte table: doc/format/wal.md.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "etcd/cluster.h"

namespace tidemark::etcd {

struct RaftSnapshot {
  std::uint64_t index = 0, term = 0;
  std::vector<MemberId> voters, learners;
  std::string v2_store;  // JSON
};

std::string snap_file_name(std::uint64_t term, std::uint64_t index);  // "0000000000000001-0000000000000003.snap"

// The store with nothing but the members in it.
std::string v2_store_json(const NewCluster& cluster);
// The members in a store, ascending. Errc::corrupt: not such JSON.
Result<std::vector<MemberId>> v2_store_members(std::string_view json);

Buffer encode_raft_snapshot(const RaftSnapshot& snapshot);
// Errc::torn: empty or cut short. Errc::corrupt: checksum, or not the expected messages.
Result<RaftSnapshot> decode_raft_snapshot(Bytes file);

}  // namespace tidemark::etcd
