#include <unistd.h>

#include <cstdlib>
#include <iostream>

#include "cli/program.h"
#include "cli/signals.h"

int main(int argc, char** argv) {
  auto signals = tidemark::cli::Signals::install();
  if (!signals) {
    std::cerr << "tidemark: " << signals.error().what << "\n";
    return 1;
  }
  std::ios::sync_with_stdio(false);
  using tidemark::cli::can_draw, tidemark::cli::columns_of;
  tidemark::cli::Program program(
      {.in = std::cin,
       .out = std::cout,
       .err = std::cerr,
       .stop = signals->stop(),
       .in_is_terminal = ::isatty(STDIN_FILENO) == 1,
       .err_screen = {.can_draw = can_draw(STDERR_FILENO, std::getenv("TERM")),
                      .columns = [] { return columns_of(STDERR_FILENO, std::getenv("COLUMNS")); }}});
  const std::vector<std::string> args(argv + 1, argv + argc);
  const int code = program.run(args);
  std::cout.flush();
  if (code == 0 && !std::cout) {
    std::cerr << "tidemark: write to standard output failed\n";
    return 1;
  }
  return code;
}
