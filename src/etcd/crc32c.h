// CRC-32C, the checksum of etcd's WAL, of its .snap files and of HashKV.
#pragma once

#include "crypto/crc32c.h"

namespace tidemark::etcd {

using crypto::crc32c;

}  // namespace tidemark::etcd
