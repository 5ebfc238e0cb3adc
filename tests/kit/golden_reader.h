// The files that testbed/goldens writes: records of named columns, laid out as testbed/goldens/README.md says.
//
// Threads: one object, one thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "io/file.h"

namespace tidemark::testing {

// Makes goldens with the types of Kubernetes 1.minor; built by testbed/goldens/build (Errc::not_found says so).
Result<io::Path> goldens_program(int minor);

struct GoldenHeader {
  std::uint32_t records = 0;
  std::uint64_t seed = 0;
  std::uint32_t random = 0;  // objects of each type that were made by chance
  std::string kubernetes;    // the version of its modules, "v0.36.3"
  std::vector<std::string> columns;
};

class GoldenReader {
 public:
  // Errc::torn: it ends too early; Errc::corrupt: it is no such file. Requires: `bytes` outlives this.
  static Result<GoldenReader> open(Bytes bytes);
  const GoldenHeader& header() const { return header_; }
  // Which field of a record that column is; Errc::not_found names it.
  Result<std::size_t> column(std::string_view name) const;
  // The next record's fields, views into the bytes; false at the end. Bytes behind the last record are Errc::corrupt.
  Result<bool> next(std::vector<Bytes>& record);

 private:
  explicit GoldenReader(Bytes left) : left_(left) {}
  Result<Bytes> take(std::size_t length);
  Result<std::uint32_t> number();
  Result<Bytes> field();

  Bytes left_;
  GoldenHeader header_;
  std::uint32_t read_ = 0;
};

}  // namespace tidemark::testing
