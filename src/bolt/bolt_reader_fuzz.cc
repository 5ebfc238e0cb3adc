// Law: whatever the bytes, opening, walking both ways and checking end, read nothing outside, and agree with each
// other. The checksum of the first meta page is put right, or most mutations would stop there.
#include "bolt/testing/sample.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tidemark;
  const auto* const begin = reinterpret_cast<const std::byte*>(data);
  Buffer file(begin, begin + size);
  bolt::testing::exercise(file);
  if (size < bolt::kMetaEnd) return 0;
  store_le(file.data() + 72, bolt::fnv1a_64(Bytes(file).subspan(16, 56)));
  bolt::testing::exercise(file);
  return 0;
}
