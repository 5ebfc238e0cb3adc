// Law: what parses prints, and the print parses to the same.
#include <cstdlib>

#include "base/bytes.h"
#include "live/undo_record.h"

namespace tidemark::live {
namespace {

template <class T>
void check_record(Result<T> (*parse)(std::string_view), std::string_view text) {
  const auto value = parse(text);
  if (!value) return;
  const std::string printed = print_record(*value);
  const auto again = parse(printed);
  if (!again || print_record(*again) != printed) std::abort();
}

}  // namespace
}  // namespace tidemark::live

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tidemark::live;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check_record(parse_undo_begin, text);
  check_record(parse_undo_again, text);
  check_record(parse_undo_end, text);
  parse_undo_key(text);
  return 0;
}
