#include "crypto/crc32c.h"

#include <isa-l/crc.h>

#include <algorithm>
#include <climits>

namespace tidemark::crypto {

std::uint32_t crc32c(std::uint32_t so_far, Bytes more) {
  // crc32_iscsi works on the bare register; the checksum is the register inverted before and after. It only reads
  // through its pointer, but is not declared so.
  std::uint32_t state = ~so_far;
  while (!more.empty()) {
    const std::size_t n = std::min<std::size_t>(more.size(), INT_MAX);
    auto* from = reinterpret_cast<unsigned char*>(const_cast<std::byte*>(more.data()));
    state = crc32_iscsi(from, static_cast<int>(n), state);
    more = more.subspan(n);
  }
  return ~state;
}

}  // namespace tidemark::crypto
