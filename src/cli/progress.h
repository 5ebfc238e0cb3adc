// How far long work has come: a bar on a terminal, a line every 10 seconds elsewhere, JSON lines for programs.
//
// A bar fits the terminal at every moment and is drawn with carriage returns and blanks alone: no colours, no escapes.
// JSON, one object a line: {"kind":"Progress","formatVersion":1,"time":…,"step":…,"done":…,"all":…,"bytesPerSecond":…,
// "etaSeconds":…}; "all" and "etaSeconds" only when the end is known. Threads: any.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "cli/screen.h"

namespace tidemark::cli {

class Progress {
 public:
  // automatic: a bar where a line can be drawn over, plain lines elsewhere.
  enum class Mode { automatic, bar, plain, json, none };

  // Requires: `err` and `clock` outlive it.
  Progress(std::ostream& err, Mode mode, const Screen& screen, const Clock& clock);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // `done` of `all` bytes of `step`; all == 0: not known. Another step than before begins a new line. Cheap to call
  // often: most calls only compare times.
  void update(std::string_view step, std::uint64_t done, std::uint64_t all = 0);
  // The last state of the last step; also done by the destructor. Call it before printing anything else.
  void finish();

 private:
  void show(bool last);
  std::string json_line() const;
  std::string bar(std::size_t columns) const;
  void draw();
  std::string words() const;
  double seconds() const;  // since the step began
  std::uint64_t rate() const;
  std::optional<std::uint64_t> eta_s() const;

  std::ostream& err_;
  const Mode mode_;
  const Screen screen_;
  const Clock& clock_;
  std::mutex mutex_;
  std::string step_;
  std::uint64_t done_ = 0, all_ = 0;
  std::size_t drawn_ = 0;  // columns of the bar that stands there
  Ticks began_{}, shown_{};
};

}  // namespace tidemark::cli
