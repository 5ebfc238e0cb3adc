// Claims and their volumes, snapshots and their contents: two objects that are bound to each other by uid.
//
// The data is never touched here. A claim that comes back gets its volume when that is still there; else it gets an
// empty one, and a warning says so. Only for src/live. Threads: any.
#pragma once

#include <string>
#include <vector>

#include "live/draft.h"

namespace tidemark::live {

// Of a claim or a volume that is made: whether draft.step.body still asks for the volume it had. Returns what a person
// should know of it.
std::vector<std::string> bind_volume(const PlanOptions& options, const World& world, Draft& draft);

// Of a snapshot or its content that is not there: turns draft.found into one of the data that was taken then. Why that
// is not possible; empty: it is.
std::string bind_snapshot(const World& world, Draft& draft);

// Volumes that are there and wait for the uid of a claim that was deleted: adds steps (or changes those there are) that
// make them free for the claim by its name.
void free_volumes(const World& world, std::vector<Step>& steps);

}  // namespace tidemark::live
