// The index that `tidemark record` puts beside what it records: blocks made of each full and delta on its way.
#pragma once

#include "capture/witness.h"

namespace tidemark::cli {

// `values`: may blocks hold copies of what they index? Not where the store is encrypted.
capture::NewWitness index_witness(bool values);

}  // namespace tidemark::cli
