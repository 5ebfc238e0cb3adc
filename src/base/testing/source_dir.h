// Where the repository is, for tests that read testdata/.
//
// One object of the build knows it. As a macro of every test it would make each object depend on the place where it was
// built, and ccache compile everything again in every new clone.
#pragma once

namespace tidemark::testing {

const char* source_dir();

}  // namespace tidemark::testing
