// Crash tests: a process that kills itself in front of one of its steps, and the list of all steps there are.
#pragma once

#include <map>
#include <mutex>
#include <string>

#include "base/steps.h"
#include "io/file.h"

namespace tidemark::capture::testing {

// One place to die: in front of the `nth` (from 1) time that a step of this name comes up in the process.
struct Cut {
  std::string step;  // empty: live on
  int nth = 0;
};

// Writes each step into a journal file, a line each, and SIGKILLs its own process at the cut: no destructor runs, no
// buffer is flushed. The journal is appended to, so it goes on over several processes. Threads: any.
class KillAt final : public Steps {
 public:
  explicit KillAt(const io::Path& journal, Cut cut = {});
  void about_to(std::string_view action) override;

 private:
  io::Fd journal_;
  const Cut cut_;
  std::mutex mutex_;
  int seen_ = 0;
};

// How often each step is in a journal.
std::map<std::string, int> read_journal(const io::Path& journal);

// The names of all steps that the sources in a folder announce. Adds a test failure for a name that occurs
// twice.
std::vector<std::string> steps_in_sources(const io::Path& folder);

}  // namespace tidemark::capture::testing
