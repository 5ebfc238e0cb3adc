#include "kube/version_order.h"

#include <charconv>
#include <cstdint>
#include <optional>
#include <tuple>
#include <utility>

namespace tidemark::kube {
namespace {

// Greater is preferred.
struct VersionRank {
  int stability = 0;  // 3: stable, 2: beta, 1: alpha, 0: of another form
  std::int64_t major = 0, minor = 0;
};

std::optional<std::int64_t> take_number(std::string_view& from) {
  if (from.empty() || from.front() < '0' || from.front() > '9') return std::nullopt;  // no sign
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(from.data(), from.data() + from.size(), value);
  if (error != std::errc{}) return std::nullopt;
  from.remove_prefix(static_cast<std::size_t>(end - from.data()));
  return value;
}

VersionRank rank_of(std::string_view left) {
  if (!left.starts_with('v')) return {};
  left.remove_prefix(1);
  const auto major = take_number(left);
  if (!major) return {};
  if (left.empty()) return {.stability = 3, .major = *major};
  for (const auto& [word, stability] : {std::pair<std::string_view, int>{"alpha", 1}, {"beta", 2}}) {
    if (!left.starts_with(word)) continue;
    left.remove_prefix(word.size());
    const auto minor = take_number(left);
    if (!minor || !left.empty()) return {};
    return {.stability = stability, .major = *major, .minor = *minor};
  }
  return {};
}

}  // namespace

bool is_preferred(std::string_view a, std::string_view b) {
  const VersionRank left = rank_of(a), right = rank_of(b);
  if (left.stability == 0 && right.stability == 0) return a < b;
  return std::tie(left.stability, left.major, left.minor) > std::tie(right.stability, right.major, right.minor);
}

}  // namespace tidemark::kube
