#include "cli/program.h"
#include "cli/verbs.h"

namespace tidemark::cli {

void add_record(Program&) {}

}  // namespace tidemark::cli
