// Names of the numbers in doc/format/spill.md.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace tidemark::capture {

inline constexpr std::string_view kSegmentMagic{"tidemark-spill\n\0", 16};
inline constexpr std::size_t kSegmentHeaderSize = 52;  // magic, version, reserved, cluster, first, created, crc
inline constexpr std::size_t kFrameHeaderSize = 16;    // length, payload crc, type, flags, reserved, header crc
inline constexpr std::uint8_t kEventsFrame = 2;
inline constexpr std::uint8_t kSealFrame = 3;
inline constexpr std::uint8_t kCommits = 1;           // flag: with this frame everything since the last commit counts
inline constexpr std::size_t kSealSize = 32;          // first, last, unix, events
inline constexpr std::size_t kFrameFill = 1U << 20U;  // a writer begins a new frame when one holds so much

}  // namespace tidemark::capture
