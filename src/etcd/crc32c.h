// CRC-32C (Castagnoli), the checksum of etcd's WAL, of its .snap files and of HashKV.
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace tidemark::etcd {

// The checksum of everything so far followed by `more`; 0 is the checksum of nothing. crc32c(0, "123456789") is
// 0xe3069283.
std::uint32_t crc32c(std::uint32_t so_far, Bytes more);

}  // namespace tidemark::etcd
