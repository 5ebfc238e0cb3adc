#include "cli/program.h"
#include "cli/verbs.h"

namespace tidemark::cli {

void add_restore(Program&) {}

}  // namespace tidemark::cli
