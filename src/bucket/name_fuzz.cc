// Laws: parse(print(parse(x))) = parse(x); a key is taken only when its last part is a name.
#include <cstdlib>

#include "base/bytes.h"
#include "bucket/name.h"

using namespace tidemark;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto name = bucket::parse_name(text)) {
    const auto again = bucket::parse_name(bucket::print_name(*name));
    if (!again || *again != *name || name->span.empty()) std::abort();
    if (bucket::parse_key(bucket::v2_key(*name)) != *name) std::abort();
  }
  if (const auto name = bucket::parse_key(text)) {
    const auto last = bucket::parse_name(text.substr(text.rfind('/') + 1));
    if (!last || *last != *name) std::abort();
  }
  (void)bucket::check_prefix(text);
  return 0;
}
