// How this program was built, and what it reads and writes: enough for a bug report.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace tidemark::cli {

// One line, what --version prints: "tidemark 0.1.0 (3e1ef731a2b4, gcc 12.2.0, optimised)".
std::string version_text();

// What `tidemark version` prints: that line, then the libraries it was built with and the formats it knows.
std::string version_report();
nlohmann::ordered_json version_json();  // the same, kind Version

std::string_view version_number();  // "0.1.0"

// Written by the build: `git describe` of the source ("": there was no git), and the day of that commit.
std::string_view built_commit();
std::string_view built_date();

}  // namespace tidemark::cli
