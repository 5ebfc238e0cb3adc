// Where a crash may happen. What changes a directory or a store announces it first; tests end the process there and
// look at what is left. In the product nothing listens.
//
// A step's name is a literal that occurs once in the sources, so that a test can find the steps it never came to.
// Threads: about_to() may be called from any.
#pragma once

#include <string_view>

namespace tidemark {

class Steps {
 public:
  virtual ~Steps() = default;
  virtual void about_to(std::string_view action) { (void)action; }
};

// For whoever has no listener.
inline Steps& unwatched_steps() {
  static Steps nobody;
  return nobody;
}

}  // namespace tidemark
