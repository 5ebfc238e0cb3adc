// The small files that keep a store key: an age identity file, sealed to the recipients.
//
// Its text is for `age -i` as it is: comments with the public key and the recipients, then AGE-SECRET-KEY-1….
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "age/keys.h"

namespace tidemark::store {

// Of a public key: the first 32 hex digits of its SHA-256.
std::string store_key_id(const age::Recipient& recipient);

std::string store_key_name(std::string_view id, std::uint32_t epoch);  // "tidemark-age/keys/<id>-000001.age"
std::optional<std::pair<std::string, std::uint32_t>> parse_store_key_name(std::string_view key);

struct StoreKeyFile {
  age::Identity identity;
  std::vector<age::Recipient> recipients;
};
std::string print_store_key(const StoreKeyFile& file);
// Errc::corrupt: not such a text, or not of the store key `id`.
Result<StoreKeyFile> parse_store_key(std::string_view text, std::string_view id);

}  // namespace tidemark::store
