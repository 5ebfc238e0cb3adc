// Law: whatever the bytes, decoding ends; what it accepts, encoded canonically, has the size that was announced and
// decodes to the same. Row keys likewise, where the encoding is the only one.
#include <cstdlib>

#include "etcd/row.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tidemark;
  const Bytes input(reinterpret_cast<const std::byte*>(data), size);
  if (const auto kv = etcd::decode_key_value(input)) {
    Buffer bytes;
    etcd::append_key_value(*kv, bytes);
    const auto again = etcd::decode_key_value(bytes);
    if (bytes.size() != etcd::encoded_size(*kv) || !again || compare(again->key, kv->key) != 0 ||
        compare(again->value, kv->value) != 0 || again->create != kv->create || again->mod != kv->mod ||
        again->version != kv->version || again->lease != kv->lease)
      std::abort();
  }
  if (const auto id = etcd::decode_row_key(input))
    if (compare(etcd::encode_row_key(*id).view(), input) != 0) std::abort();
  return 0;
}
