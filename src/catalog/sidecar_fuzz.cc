// Law: what parses prints, and the print parses to the same value.
#include <cstdlib>

#include "base/bytes.h"
#include "catalog/proof.h"
#include "catalog/sidecar.h"

namespace tidemark::catalog {
namespace {

template <class T>
void check(Result<T> (*parse)(std::string_view), std::string_view text) {
  const auto value = parse(text);
  if (!value) return;
  const auto again = parse(print_sidecar(*value));
  if (!again || !(*again == *value)) std::abort();
}

}  // namespace
}  // namespace tidemark::catalog

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tidemark::catalog;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check(parse_lineage, text);
  check(parse_successor, text);
  check(parse_claim, text);
  check(parse_gap, text);
  check(parse_seek_table, text);
  check(parse_state, text);
  check(parse_proof, text);
  parse_claim_key(text);
  parse_proof_key(text);
  return 0;
}
