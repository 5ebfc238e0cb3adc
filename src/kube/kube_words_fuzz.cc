// Laws: what users and definitions write is read or refused, and nothing else: selectors, kinds, JSON paths,
// definitions, and whatever a stored object says in a table. The first byte chooses.
#include <nlohmann/json.hpp>

#include "kube/columns.h"
#include "kube/encryption.h"
#include "kube/json_path.h"
#include "kube/json_text.h"
#include "kube/selector.h"
#include "kube/served.h"
#include "kube/storage_value.h"
#include "kube/structural.h"

namespace {

using namespace tidemark;

void show(Bytes object) {
  auto value = kube::parse_json(object);
  if (!value) return;
  const kube::Resources all;
  for (const char* word :
       {"pods", "deploy", "svc", "no", "pvc", "pv", "job", "cj", "ds", "cm", "sts", "crd", "lease"}) {
    const kube::Resource* kind = all.find(word);
    kube::cells_of(*kind, *value, Time());
    nlohmann::json copy = *value;
    kube::as_served(copy, *kind);
  }
}

void define(Bytes text) {
  const auto definition = kube::read_definition(text);
  if (!definition) return;
  const nlohmann::json object{{"spec", {{"a", {1, 2}}}}};
  kube::cells_of(*definition, object, Time());
  const kube::StructuralSchemas schemas{std::string(as_text(text))};
  for (const std::string& version : {definition->version, std::string("v1")}) {
    nlohmann::json copy = object;
    schemas.read(copy, version);
    schemas.convert(copy, version);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const Bytes rest = std::as_bytes(std::span(data, size)).subspan(1);
  const std::string_view text = as_text(rest);
  const nlohmann::json labels{{"app", "web"}, {"n", "7"}};
  switch (data[0] % 7) {
    case 0:
      if (const auto selector = kube::LabelSelector::parse(text)) (void)selector->matches(labels);
      return 0;
    case 1:
      if (const auto selector = kube::FieldSelector::parse(text)) (void)selector->matches("a", "b");
      return 0;
    case 2: (void)kube::Resources().find(text); return 0;
    case 3:
      if (const auto path = kube::JsonPath::parse_inside(text)) (void)path->find(labels);
      return 0;
    case 4: define(rest); return 0;
    case 5: show(rest); return 0;
    default: break;
  }
  if (kube::encoding_of(rest) == kube::Encoding::encrypted) (void)kube::Decryptor().open(rest, "/registry/a");
  return 0;
}
