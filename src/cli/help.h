// How the program explains itself: help with examples first, and completion scripts for shells.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace CLI {
class App;
}

namespace tidemark::cli {

class Program;

// Summary, examples, usage, then options and verbs.
std::string help_text(const Program& program, const CLI::App& app);

// A script for "bash", "zsh" or "fish" that completes verbs, option names, and the values of options that have a few;
// where any value may stand, files. Errc::invalid for another shell.
Result<std::string> completion_script(Program& program, std::string_view shell);

}  // namespace tidemark::cli
