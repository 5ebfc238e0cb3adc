// What the settings of a container and its account mean for backups in it, as far as the Blob service tells with the
// right that we have. Private to store/.
#pragma once

#include <string_view>

#include "net/http.h"
#include "store/azure_store.h"
#include "store/check.h"

namespace tidemark::store {

// Writes one small blob below tidemark/check/ and removes it again: only an answer to a write tells whether versions
// are kept.
Result<std::vector<Finding>> inspect_container(AzureStore& store, const Clock& clock);

// Of the answer to "Get Container Properties". Pure.
std::vector<Finding> azure_container_findings(const net::Headers& headers);
// Of the body of "Get Blob Service Properties"; empty: not ours to read. Pure.
Result<Finding> azure_soft_delete_finding(std::string_view xml);

}  // namespace tidemark::store
