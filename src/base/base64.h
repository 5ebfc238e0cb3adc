// Base64 in the standard alphabet with padding (RFC 4648 section 4), strict: no white space, no missing padding, no
// bits behind the last byte. AVX2 when the CPU has it, chosen at run time.
#pragma once

#include <optional>
#include <string_view>

#include "base/bytes.h"

namespace tidemark {

constexpr std::size_t base64_size(std::size_t bytes) { return (bytes + 2) / 3 * 4; }
constexpr std::size_t base64_most_bytes(std::size_t text) { return text / 4 * 3; }

// Writes base64_size(from.size()) characters to `to`.
void base64_encode(Bytes from, char* to);

// Writes the bytes to `to`, which has room for base64_most_bytes(text.size()), and returns how many they are.
// nullopt: not base64; `to` then holds anything.
std::optional<std::size_t> base64_decode(std::string_view text, std::byte* to);

// The same without AVX2: what other CPUs run, and what tests compare with.
void base64_encode_scalar(Bytes from, char* to);
std::optional<std::size_t> base64_decode_scalar(std::string_view text, std::byte* to);

}  // namespace tidemark
