// raftpb.ConfState: who votes. Part of the log's snapshot records and of the .snap file.
#pragma once

#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"

namespace tidemark::etcd {

struct ConfState {
  std::vector<MemberId> voters, learners;
};

// With "auto_leave: false" written out, as etcd up to 3.6 does.
Buffer encode_conf_state(const ConfState& state);
// Errc::corrupt. Fields of a change under way (joint consensus) are skipped.
Result<ConfState> decode_conf_state(Bytes message);

}  // namespace tidemark::etcd
