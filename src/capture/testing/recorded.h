// What a store holds after recording, as a reader sees it, and whether it keeps every promise.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/ids.h"
#include "store/object_store.h"

namespace tidemark::capture::testing {

// Every event that the deltas that count hold, by revision: "put k=v" or "del k", in order.
using Recorded = std::map<Revision, std::vector<std::string>>;

// Follows the deltas as a restore does: those that count, in order, skipping what is there already. Adds a test failure
// when an object is damaged, when revisions overlap in deltas that count, or when there is a hole that no gap explains.
Recorded read_recorded(store::ObjectStore& store);

// bucket/contract.h over the store: a test failure for everything that is broken.
void expect_contract(store::ObjectStore& store);

std::vector<std::string> keys(store::ObjectStore& store, std::string_view prefix);

}  // namespace tidemark::capture::testing
