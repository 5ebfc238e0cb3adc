#include "live/as_made.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "live/bookkeeping.h"
#include "live/comparison.h"
#include "live/json_reach.h"
#include "live/object_facts.h"
#include "live/preparation_kinds.h"

namespace tidemark::live {
namespace {

using nlohmann::json;

// Those of the taints that every node may get, of its devices, of its namespace.
void drop_more_tolerations(json& live, const json& sent) {
  json* has = reach(live, "/spec/tolerations");
  if (has == nullptr || !has->is_array()) return;
  const json& asked = list_at(sent, "/spec/tolerations");
  std::erase_if(has->get_ref<json::array_t&>(), [&](const json& one) {
    return std::none_of(asked.begin(), asked.end(), [&](const json& wanted) { return covers(one, wanted); });
  });
}

// Leaves what is to be compared.
void leave_comparable(const link::KubeKind& kind, json& is, json& asked) {
  if (asked.is_object()) asked.erase("status");  // whoever serves the kind keeps it
  drop_bookkeeping(kind, asked);
  const std::string name = kind.full_name();
  drop_gathered_rules(name, asked);
  if (name != "pods") return;
  for (json* pod : {&is, &asked}) {
    if (json* spec = reach(*pod, "/spec"); spec != nullptr) drop_token_volumes(*spec);
  }
  drop_more_tolerations(is, asked);
}

}  // namespace

std::optional<std::string> unlike_sent(const link::KubeKind& kind, const json& live, const json& sent) {
  json is = live;
  json asked = sent;
  leave_comparable(kind, is, asked);
  return uncovered(is, asked);
}

bool has_all_sent(const link::KubeKind& kind, const json& live, const json& sent) {
  json is = live;
  json asked = sent;
  leave_comparable(kind, is, asked);
  return has_all_of(is, asked);
}

}  // namespace tidemark::live
