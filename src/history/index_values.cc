#include "history/index_values.h"

#include <algorithm>

#include "crypto/crc32c.h"

namespace tidemark::history {
namespace {

// So many stored bytes are rather read for nothing than left out at the price of another request.
constexpr std::uint64_t kSmallGap = 256UL << 10U;

// A stretch of stored bytes, and where its text begins.
struct Range {
  std::uint64_t begin = 0, end = 0, text = 0;
};

Range range_of(const BlockAbout& about, const Place& place) {
  if (about.members.empty()) return {place.offset, place.offset + place.bytes, place.offset};
  const auto after = [&](std::uint64_t text) {
    return std::ranges::upper_bound(about.members, text, {}, &io::GzipMember::text_offset);
  };
  const auto first = after(place.offset) - 1;
  const auto behind = after(place.offset + std::max<std::uint64_t>(place.bytes, 1) - 1);
  return {first->compressed_offset, behind == about.members.end() ? about.stored_bytes : behind->compressed_offset,
          first->text_offset};
}

// What comes after bytes that were not expected is not the object's fault: those that were indexed are another one's.
std::unexpected<Error> changed(const Error& why) {
  if (why.code != Errc::corrupt && why.code != Errc::torn) return std::unexpected(why);
  return fail(Errc::conflict, "it is not what was indexed: {}", why.what);
}

Status skip(io::Source& from, std::uint64_t bytes, Buffer& room) {
  room.resize(256UL << 10U);
  while (bytes > 0) {
    TM_LET(const std::size_t n, from.read(MutableBytes(room).first(std::min<std::uint64_t>(bytes, room.size()))));
    if (n == 0) return fail(Errc::torn, "the text ends {} bytes early", bytes);
    bytes -= n;
  }
  return {};
}

// The places [first, last), all of whose text is in one source that begins at `at`.
Status read_run(io::Source& text, std::uint64_t at, std::span<const Place> places, std::size_t first, std::size_t last,
                const std::function<Status(std::size_t, Bytes)>& each) {
  Buffer bytes, room;
  for (std::size_t i = first; i < last; i++) {
    const Place& place = places[i];
    if (i > first && place.offset < at) {  // the same place again
      if (place.offset != places[i - 1].offset || place.bytes != places[i - 1].bytes) {
        return fail(Errc::conflict, "places overlap at {}", place.offset);
      }
    } else {
      if (const Status skipped = skip(text, place.offset - at, room); !skipped) return changed(skipped.error());
      bytes.resize(place.bytes);
      const auto got = io::read_full(text, bytes);
      if (!got) return changed(got.error());
      if (*got < bytes.size()) return fail(Errc::conflict, "the text ends inside the bytes at {}", place.offset);
      at = place.offset + place.bytes;
    }
    if (crypto::crc32c(0, bytes) != place.crc) {
      return fail(Errc::conflict, "the {} bytes at {} have another checksum", place.bytes, place.offset);
    }
    TM_CHECK(each(i, bytes));
  }
  return {};
}

}  // namespace

Status read_places(const BlockAbout& about, std::span<const Place> places, const OpenRange& open,
                   const std::function<Status(std::size_t index, Bytes bytes)>& each) {
  for (std::size_t first = 0; first < places.size();) {
    Range range = range_of(about, places[first]);
    std::size_t last = first + 1;
    for (; last < places.size(); last++) {
      const Range next = range_of(about, places[last]);
      if (next.begin > range.end + kSmallGap) break;
      range.end = std::max(range.end, next.end);
    }
    auto source = open(range.begin, range.end - range.begin);
    if (!source) return std::unexpected(source.error());
    TM_LET(const auto text,
           io::decompressing(about.members.empty() ? io::Codec::none : io::Codec::gzip, *std::move(source)));
    TM_CHECK(read_run(*text, range.text, places, first, last, each));
    first = last;
  }
  return {};
}

}  // namespace tidemark::history
