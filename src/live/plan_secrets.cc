#include "live/plan_secrets.h"

#include <algorithm>
#include <string_view>

#include "live/json_reach.h"

namespace tidemark::live {
namespace {

using nlohmann::json;

// No value of a Secret looks like that: in JSON they are base64.
constexpr const char* kThen = "(as it was)";
constexpr const char* kNow = "(as it is now)";
// It has a copy of what was applied.
constexpr std::string_view kLastApplied = "kubectl.kubernetes.io/last-applied-configuration";

// Calls each(value, the same place of `other` or null) for all that is kept secret. `other` may be anything.
template <class Json, class Each>
void for_each_value(Json& object, const json& other, const Each& each) {
  const auto beside = [](const json& in, const std::string& name) -> const json* {
    if (!in.is_object()) return nullptr;
    const auto found = in.find(name);
    return found == in.end() ? nullptr : &*found;
  };
  static const json kNothing;
  for (const std::string_view map : {"/data", "/stringData"}) {
    auto* values = reach(object, map);
    if (values == nullptr || !values->is_object()) continue;
    const json* others = reach(other, map);
    for (auto& [name, value] : values->items()) each(value, beside(others == nullptr ? kNothing : *others, name));
  }
  auto* annotations = reach(object, "/metadata/annotations");
  if (annotations == nullptr || !annotations->is_object()) return;
  const json* others = reach(other, "/metadata/annotations");
  for (auto& [name, value] : annotations->items()) {
    if (name == kLastApplied) each(value, beside(others == nullptr ? kNothing : *others, name));
  }
}

bool has_value(const Step& step, const char* mark) {
  bool found = false;
  if (!is_secret(step.kind)) return found;
  for_each_value(step.body, json(), [&](const json& value, const json*) { found = found || value == mark; });
  return found;
}

}  // namespace

bool is_secret(const link::KubeKind& kind) { return kind.resource == "secrets" && kind.group.empty(); }

json hidden_body(const Step& step) {
  json body = step.body;
  if (!is_secret(step.kind)) return body;
  for_each_value(body, step.before, [](json& value, const json* now) {
    if (value != kThen && value != kNow) value = now != nullptr && *now == value ? kNow : kThen;
  });
  return body;
}

bool needs_then(const Step& step) { return has_value(step, kThen); }
bool needs_now(const Step& step) { return has_value(step, kNow); }

Status fill_body(Step& step, const json& then) {
  if (!is_secret(step.kind)) return {};
  bool all = true;
  const auto fill_from = [&](const json& source, const char* mark) {
    for_each_value(step.body, source, [&](json& value, const json* found) {
      if (value != mark) return;
      if (found == nullptr) {
        all = false;
      } else {
        value = *found;
      }
    });
  };
  fill_from(step.before, kNow);
  fill_from(then, kThen);
  if (all) return {};
  return fail(Errc::not_found, "{}: what the plan takes from it is not there", step.id());
}

}  // namespace tidemark::live
