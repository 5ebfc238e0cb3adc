// Bech32 (BIP 173) without its limit of 90 characters: how age writes keys.
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace tidemark::age {

// Lower case; `prefix` too.
std::string print_bech32(std::string_view prefix, Bytes data);

// Errc::invalid: mixed case, another prefix (compared in lower case), a wrong character, checksum or padding. Messages
// never hold the text, which may be a secret.
Result<Buffer> parse_bech32(std::string_view prefix, std::string_view text);

}  // namespace tidemark::age
