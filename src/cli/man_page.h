// Manual pages, from what --help prints: one for the program, one for each verb.
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace tidemark::cli {

class Program;

struct ManPage {
  std::string name;  // "tidemark-restore-etcd"
  std::string text;  // man(7) macros, section 1
};

// All verbs, and the verbs below them, that the help lists.
std::vector<ManPage> man_pages(const Program& program, const CLI::App& root);

}  // namespace tidemark::cli
