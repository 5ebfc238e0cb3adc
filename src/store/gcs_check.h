// What the settings of a bucket of Google's mean for backups in it. Private to store/.
#pragma once

#include <string_view>

#include "store/check.h"
#include "store/gcs_store.h"

namespace tidemark::store {

Result<std::vector<Finding>> inspect_gcs_bucket(GcsStore& store, const Clock& clock);

// Of the bucket's own description (the JSON API's resource), for objects below `prefix`: empty, or with a slash at its
// end. Errc::corrupt: it is none. Pure.
Result<std::vector<Finding>> gcs_bucket_findings(std::string_view json, std::string_view prefix);

}  // namespace tidemark::store
