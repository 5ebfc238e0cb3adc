// Where a crash of a restore may happen: every action that changes a directory announces itself first.
#pragma once

#include "base/steps.h"

namespace tidemark::restore {

using tidemark::Steps;

}  // namespace tidemark::restore
