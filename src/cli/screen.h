// What standard error is, for whoever wants to draw on it.
#pragma once

#include <cstddef>
#include <functional>

namespace tidemark::cli {

struct Screen {
  bool can_draw = false;                      // a line can be drawn over: a terminal that is more than a printer
  std::function<std::size_t()> columns = {};  // asked at each drawing, because windows are resized; none: 80
};

// TERM, as a terminal on `fd` has it: unset, empty and "dumb" cannot draw.
bool can_draw(int fd, const char* term);

// COLUMNS where it is a number from 1 to 9999, else what the terminal on `fd` says, else 80.
std::size_t columns_of(int fd, const char* columns);

}  // namespace tidemark::cli
