// Bytes of an object's text from the middle of it, proven by the checksums of their places.
#pragma once

#include <functional>
#include <memory>
#include <span>

#include "history/index_block.h"

namespace tidemark::history {

// The stored bytes from `offset` on, at most `length`.
using OpenRange = std::function<Result<std::unique_ptr<io::Source>>(std::uint64_t offset, std::uint64_t length)>;

// Hands out the bytes of each place, in the order of their offsets (`places` must ascend by them; none is kept). Places
// near each other come from one range. The views die with the call. Errc::conflict: they are not what was indexed.
// Memory: the largest of them, and the windows of a decompressor.
Status read_places(const BlockAbout& about, std::span<const Place> places, const OpenRange& open,
                   const std::function<Status(std::size_t index, Bytes bytes)>& each);

}  // namespace tidemark::history
