#include "restore/swap_journal.h"

#include <charconv>

namespace tidemark::restore {
namespace {

// Takes `word` and then a number off the front of `text`.
template <class Number>
bool take(std::string_view& text, std::string_view word, Number& number) {
  if (!text.starts_with(word)) return false;
  text.remove_prefix(word.size());
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{}) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

}  // namespace

std::string print_journal(const Journal& journal) {
  return fmt::format("tidemark-swap 1 new-inode={} former={}{}\n", journal.new_inode, kFormerPrefix, journal.unix_s);
}

Result<Journal> parse_journal(std::string_view text) {
  std::string_view left = text;
  unsigned version = 0;
  if (!take(left, "tidemark-swap ", version)) return fail(Errc::corrupt, "not a swap journal");
  if (version != 1) return fail(Errc::unsupported, "a swap journal of version {}; this program reads 1", version);
  Journal journal;
  if (!take(left, " new-inode=", journal.new_inode) ||
      !take(left, fmt::format(" former={}", kFormerPrefix), journal.unix_s) || print_journal(journal) != text)
    return fail(Errc::corrupt, "not a whole swap journal, at byte {}", text.size() - left.size());
  return journal;
}

}  // namespace tidemark::restore
