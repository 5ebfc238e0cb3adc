// What a restored database holds, in a form that tests compare.
#pragma once

#include <map>
#include <string>

#include "bolt/reader.h"
#include "restore/etcd.h"

namespace tidemark::restore::testing {

struct Live {
  std::string value;
  std::int64_t create = 0, mod = 0, version = 0, lease = 0;
  friend bool operator==(const Live&, const Live&) = default;
};
using LiveState = std::map<std::string, Live>;

// The newest row of each key at or below `at`, if it is a put.
Result<LiveState> live_state(const bolt::Reader& database, Revision at);
// An expected/kv.jsonl.gz of the fixtures.
Result<LiveState> expected_state(const io::Path& jsonl_gz);

// "" when equal; otherwise the first few differences.
std::string difference(const LiveState& is, const LiveState& should);

// Approves everything and remembers what it was shown.
class Listener final : public Audience {
 public:
  Result<bool> approve(const Plan& plan, bool changed) override;
  void say(std::string_view line) override;
  std::vector<Plan> plans;
  std::string said;
};

}  // namespace tidemark::restore::testing
