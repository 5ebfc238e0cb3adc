// Any JSON as the document of a plan. Laws: what is read is written again as it was; a document that is right but for
// its checksum is refused for it.
#include <cstdlib>

#include "live/json_reach.h"
#include "live/plan.h"
#include "live/plan_checksum.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tidemark;
  using nlohmann::json;
  // The input has no checksum that fits: what is behind it is only reached with one.
  json document = json::parse(data, data + size, nullptr, false);
  if (document.is_discarded()) return 0;
  live::PlanOptions options;
  const auto as_it_is = live::read_plan(document, options);
  if (!document.is_object()) {
    if (as_it_is) std::abort();
    return 0;
  }
  document["checksum"] = live::plan_checksum(document);
  const auto plan = live::read_plan(document, options);
  if (!plan) {
    if (plan.error().what.empty()) std::abort();
    return 0;
  }
  live::PlanOptions options_again;
  const auto again = live::read_plan(json(live::plan_document(*plan, options)), options_again);
  if (!again || again->digest() != plan->digest() || again->steps.size() != plan->steps.size()) std::abort();
  if (options_again.max_share != options.max_share || options_again.namespaces != options.namespaces) std::abort();
  return 0;
}
