// Headers, keys and whole files of age: never a crash, never more than what was sealed.
#include <cstdlib>

#include "age/stream.h"

using namespace tidemark;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes bytes(reinterpret_cast<const std::byte*>(data), size);
  static const age::Identity identity =
      age::parse_identity("AGE-SECRET-KEY-1EGTZVFFV20835NWYV6270LXYVK2VKNX2MMDKWYKLMGR48UAWX40Q2P2LM0").value();
  if (const auto header = age::parse_header(bytes)) {
    if (header->size > size || header->text.size() >= header->size) std::abort();
  }
  (void)age::decrypt(bytes, {&identity, 1});
  (void)age::parse_recipients(as_text(bytes));
  (void)age::parse_identities(as_text(bytes));
  return 0;
}
