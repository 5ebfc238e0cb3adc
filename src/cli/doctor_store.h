// The half of `doctor` that looks at a store: which keys its newest point needs, and whether they are kept anywhere.
#pragma once

#include <string>

#include "cli/program.h"

namespace tidemark::cli {

Result<Exit> doctor_store(Program& program, const std::string& url, Format format);

}  // namespace tidemark::cli
