// Laws: whatever a server sends, a feed ends by the end or an error, gives no value larger than it was told, and the
// values that it gives are in the text in that order. Refusals are read without harm.
#include <cstdlib>

#include "link/json_feed.h"
#include "link/kube_refusal.h"

namespace {

using namespace tidemark;

void must(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kMost = 64;
  const Bytes bytes = std::as_bytes(std::span(data, size));
  io::BytesSource source(bytes);
  link::JsonFeed feed(source, kMost);
  std::size_t at = 0;
  for (;;) {
    const auto next = feed.peek();
    if (!next || *next == '\0') break;
    const auto value = feed.value();
    if (!value) break;
    must(!value->empty() && value->size() <= kMost + 1);
    at = as_text(bytes).find(*value, at);
    must(at != std::string_view::npos);
    at += value->size();
  }
  io::BytesSource again(bytes);
  link::JsonFeed object(again, kMost);
  (void)link::read_members(object, [&](const std::string&) -> Status {
    return link::read_elements(object, [](std::string_view) -> Status { return {}; });
  });
  must(!link::error_of(link::read_refusal(500, as_text(bytes)), "x").what.empty());
  return 0;
}
