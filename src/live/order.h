// In which order: waves of steps that do not need each other.
// Rules: doc/operate/restore-rules.md. Only for src/live. Threads: any.
#pragma once

#include <string>
#include <vector>

#include "live/world.h"

namespace tidemark::live {

// The place of a kind in the order of making: definitions before what they define, classes before what uses them,
// accounts before pods, what may refuse others last.
int rank_of(const link::KubeKind& kind);

// Gives each step that changes something its wave (from 1) and sorts the steps. First goes what would stand in the way:
// rules and Services that were not there then. Then all that is made or changed, owners before what they own. Removals
// come last, and backwards. A step whose owners are owned by it loses those owners: their references are dropped, with
// a warning.
void put_in_order(const World& world, std::vector<Step>& steps);

}  // namespace tidemark::live
