// Where a crash may happen. Every action that changes a directory announces itself first; tests stop the process there
// and look at what is left. In the product nothing listens.
#pragma once

#include <string_view>

namespace tidemark::restore {

class Steps {
 public:
  virtual ~Steps() = default;
  virtual void about_to(std::string_view action) { (void)action; }
};

}  // namespace tidemark::restore
