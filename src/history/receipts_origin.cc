#include "history/receipts_origin.h"

#include "bucket/delta.h"
#include "restore/replay.h"

namespace tidemark::history {
namespace {

class OwnedSource final : public io::Source {
 public:
  explicit OwnedSource(Buffer bytes) : bytes_(std::move(bytes)), source_(bytes_) {}
  Result<std::size_t> read(MutableBytes into) override { return source_.read(into); }

 private:
  Buffer bytes_;
  io::BytesSource source_;
};

}  // namespace

Result<std::unique_ptr<io::Source>> ReceiptsOrigin::body(const catalog::Point& point) {
  if (point.name.kind == bucket::Kind::full) return from_.body(point);
  io::BufferSink text;
  bool holed = false;
  const Status written = index_.with(point, [&](const Block& block) -> Status {
    holed = block.about().holed;
    text.buffer().clear();
    bucket::DeltaWriter writer(text);
    for (const Receipt& receipt : block.about().receipts) {
      TM_CHECK(writer.add({.deletion = true,
                           .key = as_bytes("-"),
                           .value = {},
                           .create = 0,
                           .mod = receipt.first.raw(),
                           .version = 0,
                           .lease = 0,
                           .time = receipt.time}));
    }
    return writer.finish();
  });
  if (!written && !restore::is_objects_fault(written.error().code)) return std::unexpected(written.error());
  // How far a bad one can be read, and what is behind a hole, no block knows.
  if (!written || holed) return from_.body(point);
  return std::make_unique<OwnedSource>(std::move(text.buffer()));
}

}  // namespace tidemark::history
