// Laws: a target that is read prints, and the print is read as the same; a moment to come is refused; a bump is never
// negative.
#include <cstdlib>

#include "restore/etcd.h"
#include "restore/target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tidemark;
  using namespace tidemark::restore;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const Time now{std::chrono::seconds(1'795'246'362)};
  if (const auto target = parse_target(text, now)) {
    if (target->kind == Target::Kind::time && target->time > now) std::abort();
    if (target->kind == Target::Kind::revision && target->revision < Revision(1)) std::abort();
    const auto again = parse_target(print_target(*target), now);
    if (!again || again->kind != target->kind || again->revision != target->revision || again->time != target->time)
      std::abort();
  }
  if (const auto bump = parse_bump(text); bump && bump->by < 0) std::abort();
  return 0;
}
