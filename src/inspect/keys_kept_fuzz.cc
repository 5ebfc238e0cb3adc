// tidemark/keys.json, which people write, and the heads of encrypted values: never a crash, however deep it is nested.
#include <cstdlib>

#include "inspect/keys.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tidemark;
  const Bytes bytes(reinterpret_cast<const std::byte*>(data), size);
  if (const auto kept = inspect::parse_keys_kept(as_text(bytes))) {
    for (const inspect::KeptKey& key : *kept) {
      if (key.kept.empty()) std::abort();
    }
  }
  if (inspect::provider_of(bytes).size() > size) std::abort();
  return 0;
}
