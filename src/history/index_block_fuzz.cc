// An index block: any bytes end in a block or in a failure, also those whose checksums are right.
#include <cstring>

#include "base/proto.h"
#include "crypto/crc32c.h"
#include "history/index_block.h"
#include "history/index_layout.h"

namespace {

using namespace tidemark;
using namespace tidemark::history;

void use(Bytes bytes) {
  const auto block = Block::over(bytes);
  if (!block) return;
  (void)block->check();
  (void)block->find("/registry/pods/a/x");
  (void)block->received(Revision(5));
  (void)block->first_after(Time(std::chrono::seconds(1)));
  (void)block->for_each_below("/registry/",
                              [&](std::string_view key, std::span<const StoredVersion> versions) -> Status {
                                if (!key.starts_with("/registry/")) __builtin_trap();
                                for (const StoredVersion& v : versions) {
                                  if (v.place.kept && block->kept(v.place).size() != v.place.bytes) __builtin_trap();
                                  if (!v.place.kept && v.place.offset + v.place.bytes > block->about().text_bytes)
                                    __builtin_trap();
                                }
                                return {};
                              });
}

// Makes the checksums right, as far as there are places for them.
void seal(Buffer& bytes) {
  using namespace layout;
  if (bytes.size() < kHeadBytes + kFootBytes) return;
  const auto crc = [&](std::size_t at, std::size_t size) { return crypto::crc32c(0, Bytes(bytes).subspan(at, size)); };
  store_le(bytes.data() + 12, crc(0, 12));
  const std::size_t foot = bytes.size() - kFootBytes;
  const auto tables = load_le<std::uint64_t>(Bytes(bytes).subspan(foot + 8));
  const auto directory = load_le<std::uint64_t>(Bytes(bytes).subspan(foot + 16));
  if (tables <= foot && directory <= foot - tables) {
    std::uint64_t chunk = kHeadBytes, size = 0, key = 0;
    for (Bytes left = Bytes(bytes).subspan(tables, directory); proto::take_varint(left, size) && left.size() >= 4;) {
      if (size > foot - chunk) break;
      store_le(bytes.data() + (left.data() - bytes.data()), crc(chunk, size));
      chunk += size;
      left = left.subspan(4);
      if (!proto::take_varint(left, key) || key > left.size()) break;
      left = left.subspan(key);
    }
    store_le(bytes.data() + foot + kTablesCrc, crc(tables, foot - tables));
  }
  store_le(bytes.data() + foot + kFootCrc, crc(foot, kFootCrc));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Buffer bytes(size);
  if (size > 0) std::memcpy(bytes.data(), data, size);
  use(bytes);
  seal(bytes);
  use(bytes);
  return 0;
}
