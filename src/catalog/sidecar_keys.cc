#include <charconv>

#include "catalog/sidecar.h"

namespace tidemark::catalog {
namespace {

std::string_view last_part(std::string_view key) {
  const std::size_t slash = key.rfind('/');
  return slash == std::string_view::npos ? key : key.substr(slash + 1);
}

template <class T>
bool parse_digits(std::string_view text, T& value) {
  for (const char c : text) {
    if (c < '0' || c > '9') return false;
  }
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && !text.empty();
}

}  // namespace

std::string successor_key(std::uint32_t number) { return fmt::format("{}{:06}.json", kSuccessorPrefix, number); }

std::string claim_key(Revision start, std::uint32_t epoch) {
  return fmt::format("{}{:06}.json", claims_of(start), epoch);
}

std::string claims_of(Revision start) { return fmt::format("{}{:020}-", kClaimPrefix, start.raw()); }

std::string gap_key(RevisionSpan span) {
  return fmt::format("{}{:020}-{:020}.json", kGapPrefix, span.first.raw(), span.last.raw());
}

std::string seek_key(std::string_view object) { return fmt::format("tidemark/seek/{}.json", last_part(object)); }

std::string state_key(std::string_view object) { return fmt::format("tidemark/state/{}.json", last_part(object)); }

std::string index_key(std::string_view object) { return fmt::format("{}{}.block", kIndexPrefix, last_part(object)); }

std::optional<std::pair<Revision, std::uint32_t>> parse_claim_key(std::string_view key) {
  if (!key.starts_with(kClaimPrefix) || !key.ends_with(".json")) return std::nullopt;
  const std::string_view name = key.substr(kClaimPrefix.size(), key.size() - kClaimPrefix.size() - 5);
  const std::size_t dash = name.find('-');
  std::int64_t start = 0;
  std::uint32_t epoch = 0;
  if (dash == std::string_view::npos || !parse_digits(name.substr(0, dash), start) ||
      !parse_digits(name.substr(dash + 1), epoch)) {
    return std::nullopt;
  }
  return std::pair(Revision(start), epoch);
}

}  // namespace tidemark::catalog
