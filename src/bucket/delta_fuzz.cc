// Laws: read_delta never crashes; both readers of an event agree wherever the fast one has an answer; what was read can
// be written and read again as the same events.
#include <cstdlib>
#include <vector>

#include "bucket/event_json.h"
#include "crypto/sha256.h"

using namespace tidemark;

namespace {

bool same(const bucket::DeltaEvent& a, const bucket::DeltaEvent& b) {
  return a.deletion == b.deletion && compare(a.key, b.key) == 0 && compare(a.value, b.value) == 0 &&
         a.create == b.create && a.mod == b.mod && a.version == b.version && a.lease == b.lease && a.time == b.time;
}

void scan_and_parse(std::string_view text) {
  bucket::EventScratch fast_room, slow_room;
  bucket::DeltaEvent fast, slow;
  std::size_t length = 0, measured = 0;
  if (bucket::scan_event(text, fast_room, fast, length) != bucket::Scan::done) return;
  if (bucket::measure_object(text, measured) != bucket::Scan::done || measured != length) std::abort();
  if (!bucket::parse_event(text.substr(0, length), slow_room, slow) || !same(fast, slow)) std::abort();
}

void rewrite(Bytes body) {
  io::BufferSink to;
  bucket::DeltaWriter writer(to);
  io::BytesSource from(body);
  const auto status = bucket::read_delta(from, [&](const bucket::DeltaEvent& e) { return writer.add(e); });
  if (!status || writer.events() == 0) return;
  if (!writer.finish()) std::abort();
  io::BufferSink again;
  bucket::DeltaWriter second(again);
  io::BytesSource rewritten(to.buffer());
  if (!bucket::read_delta(rewritten, [&](const bucket::DeltaEvent& e) { return second.add(e); })) std::abort();
  if (!second.finish() || to.buffer() != again.buffer()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes bytes(reinterpret_cast<const std::byte*>(data), size);
  const std::string_view text = as_text(bytes);
  if (const std::size_t at = text.find('{'); at != std::string_view::npos) scan_and_parse(text.substr(at));
  rewrite(bytes);
  // With the right digest behind it, so that a mutation gets past it.
  Buffer body(bytes.begin(), bytes.end());
  if (body.size() > 32) body.resize(body.size() - 32);
  const auto digest = crypto::sha256(body);
  body.insert(body.end(), digest.begin(), digest.end());
  rewrite(body);
  return 0;
}
