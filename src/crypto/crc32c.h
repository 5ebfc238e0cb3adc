// CRC-32C (Castagnoli), the checksum of etcd's files and of Google Cloud Storage. Against accidents, not against
// people.
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace tidemark::crypto {

// The checksum of everything so far followed by `more`; 0 is the checksum of nothing. crc32c(0, "123456789") is
// 0xe3069283.
std::uint32_t crc32c(std::uint32_t so_far, Bytes more);

}  // namespace tidemark::crypto
