// The one line that a swap leaves behind while it is on its way: D/.tidemark-partial/swap.
//
//   tidemark-swap 1 new-inode=131077 former=member.before-1795246362\n
//
// Text, so that a person in trouble can read it. It is believed only when it is what print_journal() writes, to the
// last byte: half of it could name another directory.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tidemark::restore {

inline constexpr std::string_view kFormerPrefix = "member.before-";

struct Journal {
  std::uint64_t new_inode = 0;  // of the member directory that is to be D/member: it keeps it when it is renamed
  std::int64_t unix_s = 0;      // in the name of the former one
  friend bool operator==(const Journal&, const Journal&) = default;
};

std::string print_journal(const Journal& journal);
// Errc::corrupt: not a journal, or not a whole one. Errc::unsupported: of another version.
Result<Journal> parse_journal(std::string_view text);

}  // namespace tidemark::restore
