// The one knob of every loop in tests, and their seed.
//
// TM_SCALE: 1 in CI, more for `make soak`. TM_SEED: printed by every test that uses it, so that a failure can be run
// again.
#pragma once

#include <cstdint>

namespace tidemark::testing {

int scale();             // TM_SCALE, at least 1
int scaled(int at_one);  // at_one * scale()
std::uint64_t seed();    // TM_SEED, or a fresh one printed on the first call

}  // namespace tidemark::testing
