// Law: what is taken for a journal is what is written for it, to the last byte.
#include <cstdlib>

#include "restore/swap_journal.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tidemark::restore;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto journal = parse_journal(text); journal && print_journal(*journal) != text) std::abort();
  return 0;
}
