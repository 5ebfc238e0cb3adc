// SIGINT and SIGTERM ask the program to stop; a second one ends it at once. SIGPIPE becomes a failed write.
#pragma once

#include <stop_token>
#include <thread>

#include "base/result.h"
#include "io/file.h"

namespace tidemark::cli {

class Signals {
 public:
  // Once in a process. Requires: no signal handler of anybody else for these two.
  static Result<Signals> install();
  Signals(Signals&&) = default;
  Signals& operator=(Signals&&) = delete;
  ~Signals();
  std::stop_token stop() const { return source_.get_token(); }

 private:
  Signals(io::Fd read_end, const std::stop_source& source);
  std::stop_source source_;
  std::jthread listener_;
};

}  // namespace tidemark::cli
