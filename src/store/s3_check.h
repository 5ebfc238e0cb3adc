// What a bucket's own settings mean for backups in it. Private to store/.
#pragma once

#include "store/check.h"
#include "store/s3_store.h"

namespace tidemark::store {

Result<std::vector<Finding>> inspect_bucket(S3Store& store, const Clock& clock);

// What a lifecycle configuration does below `prefix`. Pure.
Result<std::vector<Finding>> lifecycle_findings(std::string_view xml, std::string_view prefix);

}  // namespace tidemark::store
