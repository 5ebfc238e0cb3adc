#include "bucket/testing/bucket_fixtures.h"

#include <algorithm>

#include "crypto/sha256.h"
#include "io/compress.h"

namespace tidemark::bucket::testing {

Event copy_of(const DeltaEvent& e) {
  return {e.deletion, std::string(as_text(e.key)), std::string(as_text(e.value)), e.create, e.mod, e.version, e.lease,
          e.time};
}

DeltaEvent view_of(const Event& e) {
  return {e.deletion, as_bytes(e.key), as_bytes(e.value), e.create, e.mod, e.version, e.lease, e.time};
}

static io::Codec codec_of(Compression compression) {
  switch (compression) {
    case Compression::none: return io::Codec::none;
    case Compression::gzip: return io::Codec::gzip;
    case Compression::lzw: return io::Codec::lzw;
    case Compression::zlib: return io::Codec::zlib;
  }
  return io::Codec::none;
}

Result<std::unique_ptr<io::Source>> open_body(const io::Path& object) {
  TM_LET(const SnapshotName name, parse_name(object.filename().string()));
  TM_LET(auto file, io::FileSource::open(object));
  return io::decompressing(codec_of(name.compression), std::make_unique<io::FileSource>(std::move(file)));
}

Result<Buffer> read_body(const io::Path& object) {
  TM_LET(const auto body, open_body(object));
  return io::read_all(*body, 1UL << 30U);
}

std::vector<Object> objects_in(const io::Path& folder, Kind kind) {
  std::vector<Object> found;
  if (!std::filesystem::is_directory(folder)) return found;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const auto name = parse_name(entry.path().filename().string());
    if (name && name->kind == kind) found.push_back({entry.path(), *name});
  }
  std::ranges::sort(found, {}, [](const Object& o) { return std::pair(o.name.span.last, o.name.unix_s); });
  return found;
}

Result<std::vector<Event>> read_events(io::Source& body) {
  std::vector<Event> events;
  TM_CHECK(read_delta(body, [&](const DeltaEvent& e) -> Status {
    events.push_back(copy_of(e));
    return {};
  }));
  return events;
}

Result<std::vector<Event>> read_events(Bytes body) {
  io::BytesSource source(body);
  return read_events(source);
}

Buffer with_digest(std::string_view text) {
  Buffer body(as_bytes(text).begin(), as_bytes(text).end());
  const auto digest = crypto::sha256(as_bytes(text));
  body.insert(body.end(), digest.begin(), digest.end());
  return body;
}

}  // namespace tidemark::bucket::testing
