// Law: whatever the bytes, reading ends, never goes back, and answers the same again after the end or a failure; what
// was read, written again, reads the same.
#include <cstdlib>

#include "etcd/wal.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tidemark;
  const Bytes segment(reinterpret_cast<const std::byte*>(data), size);
  etcd::WalSegmentReader reader(segment, "fuzz");
  etcd::WalSegment again;
  std::uint64_t before = 0;
  bool canonical = true;  // one chain, as WalSegment writes it
  for (std::size_t n = 0;; n++) {
    const auto record = reader.next();
    if (reader.offset() < before || reader.offset() > size) std::abort();
    if (!record || !*record) {
      const auto next = reader.next();
      if (next.has_value() != record.has_value() || (next && *next)) std::abort();
      break;
    }
    if (reader.offset() == before) std::abort();
    before = reader.offset();
    const Bytes payload = (*record)->payload;
    canonical = canonical && ((*record)->type == etcd::WalRecordType::crc) == (n == 0) && (n > 0 || reader.crc() == 0);
    if (n > 0 && canonical) again.raw((*record)->type, payload);
    (void)etcd::decode_wal_metadata(payload);
    (void)etcd::decode_raft_entry(payload);
    (void)etcd::decode_hard_state(payload);
    (void)etcd::decode_wal_snapshot(payload);
  }
  if (canonical && before > 0 && again.crc() != reader.crc()) std::abort();
  return 0;
}
