// A key of the customer's own that an object store encrypts with and forgets (SSE-C, CSEK).
#pragma once

#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace tidemark::store {

// 32 bytes from a file that holds them, or base64 of them. Errc::invalid names the file, never what is in it.
Result<Buffer> read_customer_key(const std::string& path);

}  // namespace tidemark::store
