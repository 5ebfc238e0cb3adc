// Byte strings and the integers inside them. Formats here are big-endian (etcd's keys) or little-endian (bbolt, WAL);
// both are read and written explicitly, never by casting.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tidemark {

using Bytes = std::span<const std::byte>;  // a view: the owner is elsewhere
using MutableBytes = std::span<std::byte>;
using Buffer = std::vector<std::byte>;

inline Bytes as_bytes(std::string_view text) { return {reinterpret_cast<const std::byte*>(text.data()), text.size()}; }
inline std::string_view as_text(Bytes bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

// Requires: the span holds at least sizeof(T) bytes.
template <class T>
T load_le(Bytes from) {
  T value;
  std::memcpy(&value, from.data(), sizeof value);
  if constexpr (std::endian::native == std::endian::big) value = std::byteswap(value);
  return value;
}
template <class T>
T load_be(Bytes from) {
  T value;
  std::memcpy(&value, from.data(), sizeof value);
  if constexpr (std::endian::native == std::endian::little) value = std::byteswap(value);
  return value;
}
template <class T>
void store_le(std::byte* to, T value) {
  if constexpr (std::endian::native == std::endian::big) value = std::byteswap(value);
  std::memcpy(to, &value, sizeof value);
}
template <class T>
void store_be(std::byte* to, T value) {
  if constexpr (std::endian::native == std::endian::little) value = std::byteswap(value);
  std::memcpy(to, &value, sizeof value);
}

std::string to_hex(Bytes bytes);  // lower case, two digits a byte

// Unsigned bytewise order, the shorter first: memcmp's, bbolt's and etcd's.
inline int compare(Bytes a, Bytes b) {
  const std::size_t n = a.size() < b.size() ? a.size() : b.size();
  const int c = n == 0 ? 0 : std::memcmp(a.data(), b.data(), n);
  if (c != 0) return c;
  return a.size() < b.size() ? -1 : a.size() > b.size() ? 1 : 0;
}

// A size for people: "1.26 GiB", "312 B".
std::string human_size(std::uint64_t bytes);

}  // namespace tidemark
