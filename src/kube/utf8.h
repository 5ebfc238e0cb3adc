// UTF-8 as Go sees it: no surrogates, no more bytes than needed, nothing above U+10FFFF.
#pragma once

#include <string_view>

namespace tidemark::kube {

// The length of the valid sequence that `text` begins with (1 to 4), or 0. Requires: not empty.
std::size_t utf8_length(std::string_view text);
bool is_utf8(std::string_view text);

}  // namespace tidemark::kube
