// Laws: what a client sends is read or refused, and nothing else: paths with queries, Accept headers, selectors of
// fields, tokens. A path that is read has no part that could lead elsewhere. The first byte chooses.
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "serve/api_request.h"
#include "serve/continuation.h"
#include "serve/field_rules.h"
#include "serve/gate.h"
#include "serve/route.h"

namespace {

using namespace tidemark;
using namespace tidemark::serve;

void read_path(std::string_view text) {
  const auto target = read_target(text);
  if (!target) return;
  for (const std::string& part : target->path) {
    if (part.empty() || part == ".." || part.find('/') != std::string::npos) std::abort();
  }
  (void)route_of(target->path);
  for (const auto& [name, value] : target->query) {
    (void)target->flag(name);
    (void)read_count(value);
  }
}

const ServedKind& pods() {
  static const ServedKinds kinds = [] {
    ServedKinds all;
    const kube::Resources resources;
    for (const kube::Resource* resource : resources.all()) {
      if (resource->plural == "pods") all.add_built_in(*resource, "v1");
    }
    all.settle();
    return all;
  }();
  return kinds.all().front();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const Bytes bytes = std::as_bytes(std::span(data, size)).subspan(1);
  const std::string_view text = as_text(bytes);
  switch (data[0] % 6) {
    case 0: read_path(text); break;
    case 1: (void)read_accept(text); break;
    case 2: {
      const nlohmann::json pod{{"metadata", {{"name", "a"}}}, {"spec", {{"nodeName", "b"}}}};
      if (const auto rules = FieldRules::parse(text, pods())) (void)rules->matches(pod);
      break;
    }
    case 3: {
      const auto key = read_continuation(text, Revision(7));
      if (key && read_continuation(print_continuation(Revision(7), *key), Revision(7)) != *key) std::abort();
      break;
    }
    case 4: {
      const Gate gate({"localhost"}, 8001, "secret");
      if (!gate.stopped(text, "Bearer secret") && text.size() != 14) std::abort();
      if (!gate.stopped("localhost:8001", text) && text.size() != 13) std::abort();
      break;
    }
    default: {
      ServedKinds kinds;
      if (kinds.add_definition(bytes)) {
        kinds.settle();
        (void)aggregated_discovery(kinds, false);
      }
    }
  }
  return 0;
}
