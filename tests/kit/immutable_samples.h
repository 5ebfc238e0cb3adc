// Objects of each kind with fields that a server refuses to change, in two states: every such field that one object can
// have differs between them. A server takes each of the two when it is made.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace tidemark::testing {

struct ImmutableSample {
  std::string kind, name;
  nlohmann::json then, now;  // named
  // Else only the second state is made: what would go along with the first, or goes too slowly.
  bool made_twice = true;
};

std::vector<ImmutableSample> immutable_samples();

}  // namespace tidemark::testing
