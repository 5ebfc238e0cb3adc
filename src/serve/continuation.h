// Where the next page of a list begins: the moment it is a page of, and the last key that was looked at.
// Threads: any.
#pragma once

#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/result.h"

namespace tidemark::serve {

std::string print_continuation(Revision at, std::string_view last_key);
// The last key. Errc::compacted: another moment's, or no such token; the client then lists from the beginning.
Result<std::string> read_continuation(std::string_view token, Revision at);

}  // namespace tidemark::serve
