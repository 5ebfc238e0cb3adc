#include <gtest/gtest.h>

#include "base/testing/source_dir.h"
#include "io/file.h"
#include "io/testing/decode.h"

namespace tidemark::io {

using testing::code_of;
using testing::decode;

TEST(Lzw, WhatIsRefused) {
  // Codes are 9 bits, lowest bit first: clear = 0x100, end = 0x101.
  const auto codes = [](std::initializer_list<unsigned> list) {
    Buffer out;
    std::uint64_t bits = 0, count = 0;
    for (const unsigned code : list) {
      bits |= static_cast<std::uint64_t>(code) << count;
      for (count += 9; count >= 8; count -= 8, bits >>= 8U) out.push_back(static_cast<std::byte>(bits));
    }
    if (count > 0) out.push_back(static_cast<std::byte>(bits));
    return out;
  };
  EXPECT_EQ(as_text(*decode(Codec::lzw, codes({256, 'a', 'b', 258, 260, 257}))), "abababa");  // 260 is being made
  EXPECT_TRUE(decode(Codec::lzw, codes({256, 257}))->empty());
  EXPECT_TRUE(decode(Codec::lzw, codes({257}))->empty());
  struct Row {
    Buffer bytes;
    Errc code;
    std::string_view why;
  };
  Buffer followed = codes({256, 'a', 257});
  followed.push_back(std::byte{0});
  const Row rows[] = {
      {{}, Errc::torn, "empty"},
      {codes({256}), Errc::torn, "no end"},
      {codes({256, 'a'}), Errc::torn, "no end"},
      {codes({256, 258, 257}), Errc::corrupt, "a reference before any string"},
      {codes({256, 'a', 259, 257}), Errc::corrupt, "a reference ahead"},
      {codes({256, 'a', 'b', 256, 258, 257}), Errc::corrupt, "a reference over a clear"},
      {followed, Errc::corrupt, "a byte behind the end"},
  };
  for (const Row& row : rows) EXPECT_EQ(code_of(Codec::lzw, row.bytes), row.code) << row.why;

  const auto object =
      read_file(Path(tidemark::testing::source_dir()) /
                    "testdata/etcd-backup-restore/09-suffix-Z/bucket/v2/Incr-00000309-00000434-1795246365.Z",
                1UL << 30U);
  ASSERT_TRUE(object);
  for (std::size_t n = 0; n < object->size(); n += 97) {
    EXPECT_EQ(code_of(Codec::lzw, Bytes(*object).first(n)), Errc::torn) << n;
  }
  EXPECT_EQ(code_of(Codec::lzw, Bytes(*object).first(object->size() - 1)), Errc::torn);
}

}  // namespace tidemark::io
