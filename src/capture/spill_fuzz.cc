// Any bytes as a segment of the spill: never a crash, never an event outside the committed span, and what is good stays
// good when the rest is cut off.
#include <cstdlib>

#include "capture/segment.h"

using namespace tidemark;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  static const auto dir = io::TempDir::create();
  const io::Path path = dir->path() / "fuzz.segment";
  std::filesystem::remove(path);
  if (!io::write_file_durably(path, Bytes(reinterpret_cast<const std::byte*>(bytes), size))) std::abort();
  const auto scan = capture::scan_segment(path);
  if (!scan) return 0;
  std::uint64_t events = 0;
  const auto read = capture::read_segment(path, scan->facts, scan->facts.span, [&](const bucket::DeltaEvent& event) {
    if (!scan->facts.span.contains(Revision(event.mod))) std::abort();
    events++;
    return Status{};
  });
  if (!read || events != scan->facts.events) std::abort();
  std::filesystem::resize_file(path, scan->facts.file_bytes);
  const auto again = capture::scan_segment(path);
  if (!again || !again->tail || again->facts.span != scan->facts.span) std::abort();
  return 0;
}
