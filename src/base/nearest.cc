#include "base/nearest.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace tidemark {
namespace {

// How many typing errors make one word of the other (Levenshtein's distance, with exchanged neighbours as one error).
std::size_t errors_between(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); j++) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); i++) {
    before.swap(last);
    last.swap(row);
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); j++) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0U : 1U)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) row[j] = std::min(row[j], before[j - 2] + 1);
    }
  }
  return row[b.size()];
}

}  // namespace

Nearest::Nearest(std::string word)
    : word_(std::move(word)), best_errors_(std::max<std::size_t>(1, word_.size() / 4) + 1) {}

void Nearest::consider(std::string_view candidate) {
  const bool beginning = word_.size() >= 3 && candidate.starts_with(word_);
  const std::size_t errors = beginning && candidate != word_ ? 1 : errors_between(word_, candidate);
  if (errors >= best_errors_) return;
  best_errors_ = errors;
  best_ = candidate;
}

}  // namespace tidemark
