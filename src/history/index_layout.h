// Numbers of the index block's format. Only for index_block.cc and index_writer.cc; byte table: doc/format/index.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tidemark::history::layout {

inline constexpr std::string_view kMagic = "TMINDEX\n";
inline constexpr std::uint32_t kFormatVersion = 1;
inline constexpr std::size_t kHeadBytes = 16;   // magic, version, CRC-32C of both
inline constexpr std::size_t kFootBytes = 112;  // see the table
inline constexpr std::size_t kTablesAt = 8, kIdentitySize = 40, kTablesCrc = 104, kFootCrc = 108;  // in the foot
inline constexpr std::size_t kMemberBytes = 16, kReceiptBytes = 24;
inline constexpr std::size_t kChunkBytes = 16UL << 10U;  // a chunk ends with the key that reaches it

inline constexpr std::uint32_t kDelta = 1, kHoled = 2;                    // kind
inline constexpr std::uint64_t kTombstone = 1, kKept = 2, kSubShift = 2;  // beside the sub-revision

}  // namespace tidemark::history::layout
