// Reads one object of S3 and goes on where the connection was cut. Private to store/.
#pragma once

#include "store/s3_client.h"

namespace tidemark::store {

// Requires: length > 0. `version` may be empty. Errc::not_found.
Result<std::unique_ptr<io::Source>> open_s3(const std::shared_ptr<S3Client>& client, const std::string& key,
                                            const std::string& version, std::uint64_t offset, std::uint64_t length);

}  // namespace tidemark::store
