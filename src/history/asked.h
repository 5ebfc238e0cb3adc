// Which keys are asked for: all below some prefixes, and single ones.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace tidemark::history {

struct Asked {
  std::vector<std::string> prefixes = {};
  std::vector<std::string> keys = {};

  bool names(std::string_view key) const {
    return std::ranges::any_of(prefixes, [&](const std::string& prefix) { return key.starts_with(prefix); }) ||
           std::ranges::find(keys, key) != keys.end();
  }
};

}  // namespace tidemark::history
