#include "cli/screen.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <charconv>
#include <string_view>

namespace tidemark::cli {

bool can_draw(int fd, const char* term) {
  if (term == nullptr || ::isatty(fd) != 1) return false;
  const std::string_view name = term;
  return !name.empty() && name != "dumb";
}

std::size_t columns_of(int fd, const char* columns) {
  constexpr std::size_t kUsual = 80, kMost = 9999;
  if (columns != nullptr) {
    const std::string_view text = columns;
    std::size_t wanted = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), wanted);
    if (error == std::errc() && end == text.data() + text.size() && wanted > 0 && wanted <= kMost) return wanted;
  }
  winsize size{};
  if (::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return kUsual;
}

}  // namespace tidemark::cli
