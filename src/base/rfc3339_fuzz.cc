// Laws: a moment that is read prints, and the print is read as the same moment; any duration that is read can be
// printed.
#include <cstdlib>

#include "base/rfc3339.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tidemark;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto time = parse_rfc3339(text)) {
    const auto again = parse_rfc3339(print_rfc3339_nano(*time));
    if (!again || *again != *time) std::abort();
    const auto seconds = parse_rfc3339(print_rfc3339(*time));
    if (!seconds || *time - *seconds >= std::chrono::seconds(1) || *seconds > *time) std::abort();
  }
  if (const auto duration = parse_duration(text)) (void)print_duration(*duration);
  return 0;
}
