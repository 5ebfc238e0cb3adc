#include "base/testing/source_dir.h"

namespace tidemark::testing {

const char* source_dir() { return TM_SOURCE_DIR; }

}  // namespace tidemark::testing
