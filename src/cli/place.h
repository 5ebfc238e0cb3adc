// Where a store may stand, so that other readers of the same bucket are not misled.
#pragma once

#include <string>

#include "base/result.h"

namespace tidemark::cli {

// Errc::invalid, with a hint: etcd-backup-restore would misread keys under this path, or mix them up with a
// neighbour's. For every verb that writes into a store, before it does.
Status check_place(const std::string& url);

}  // namespace tidemark::cli
