// Law: whatever the bytes, decoding ends; what it accepts, encoded again, decodes to the same. A checksum that fits is
// put around the input as well, or nothing would get past it.
#include <cstdlib>

#include "base/proto.h"
#include "etcd/crc32c.h"
#include "etcd/raft_snap.h"

namespace {

void decode(tidemark::Bytes file) {
  using namespace tidemark::etcd;
  const auto snapshot = decode_raft_snapshot(file);
  if (!snapshot) return;
  (void)v2_store_members(snapshot->v2_store);
  const auto again = decode_raft_snapshot(encode_raft_snapshot(*snapshot));
  if (!again || again->index != snapshot->index || again->term != snapshot->term || again->voters != snapshot->voters ||
      again->learners != snapshot->learners || !again->v2_store.starts_with(snapshot->v2_store))
    std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tidemark;
  const Bytes input(reinterpret_cast<const std::byte*>(data), size);
  decode(input);
  Buffer file;
  proto::append_field(file, 1, etcd::crc32c(0, input));
  proto::append_field(file, 2, input);
  decode(file);
  return 0;
}
