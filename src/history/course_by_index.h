// What a moment and a walk through versions do with an index, or without it when it cannot be had.
#pragma once

#include <stop_token>

#include "history/index.h"
#include "restore/course.h"
#include "restore/target.h"

namespace tidemark::history {

// Whether `why` means that there can be no index here: then `index` becomes nullptr, and everything is read from there
// on.
bool give_up_index(Index*& index, const Error& why);

// restore::set_course(). Of a time an index knows the revision without reading the deltas around it.
Result<restore::Course> set_course(restore::Origin& from, Index*& index, const restore::Target& target,
                                   const std::stop_token& stop);

}  // namespace tidemark::history
