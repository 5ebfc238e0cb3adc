// Values made by the real types and transformers of Kubernetes (testbed/goldens), for tests to hold ours against.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "io/file.h"
#include "kit/program.h"

namespace tidemark::testing {

// One record of a file of goldens: a text for each column.
using Golden = std::map<std::string, std::string>;

// Runs a program of testbed/goldens ("goldens-encryption") and reads what it wrote to `file`; beside it the program may
// leave other files. Errc::not_found says what to run when it was not built.
Result<std::vector<Golden>> make_goldens(const std::string& program, const std::vector<std::string>& arguments,
                                         const io::Path& file);

// The same program, kept up with its key management services until the end of this object.
class GoldensService {
 public:
  // Returns when the goldens are written and the services listen. Errc::timeout with the program's last words.
  static Result<GoldensService> start(const std::string& program, const std::vector<std::string>& arguments,
                                      const io::Path& file);
  Result<std::vector<Golden>> goldens() const;

 private:
  GoldensService(Child child, io::Fd input, io::Path file)
      : input_(std::move(input)), child_(std::move(child)), file_(std::move(file)) {}
  io::Fd input_;  // the program ends when nobody holds it
  Child child_;
  io::Path file_;
};

}  // namespace tidemark::testing
