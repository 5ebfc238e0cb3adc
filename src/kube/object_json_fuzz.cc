// Laws: whatever the bytes, printing ends; what was printed whole is JSON; JSON that is printed again without a tree is
// printed as by way of one. The first byte chooses whether the rest is a
// stored value as it is, or the message of a kind in a sound envelope: else few inputs would get past that.
#include <array>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "base/proto.h"
#include "kube/json_reprint.h"
#include "kube/json_text.h"
#include "kube/object_json.h"
#include "kube/object_metadata.h"

namespace {

using namespace tidemark;

constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kKinds = {{
    {"v1", "Pod"},
    {"v1", "Event"},
    {"apps/v1", "StatefulSet"},
    {"apps/v1", "ControllerRevision"},
    {"certificates.k8s.io/v1", "CertificateSigningRequest"},
    {"apiextensions.k8s.io/v1", "CustomResourceDefinition"},
}};

Buffer in_envelope(std::size_t kind, Bytes message) {
  using proto::append_field;
  Buffer meta, value;
  append_field(meta, 1, as_bytes(kKinds[kind].first));
  append_field(meta, 2, as_bytes(kKinds[kind].second));
  for (const char c : {'k', '8', 's', '\0'}) value.push_back(static_cast<std::byte>(c));
  append_field(value, 1, Bytes(meta));
  append_field(value, 2, message);
  return value;
}

void print(Bytes value, const kube::ObjectOptions& options) {
  std::string text;
  kube::ObjectPrinter printer(kube::Schema::built_in(), options);
  if (printer.print(value, Revision(7), text) && !nlohmann::json::accept(text)) std::abort();
}

void reprint(Bytes text) {
  std::string ours, trees;
  kube::JsonWriter to(ours), by_tree(trees);
  if (!kube::JsonReprinter().print(text, to)) return;
  const auto value = kube::parse_json(text);
  if (!value) std::abort();
  kube::print_json(*value, by_tree);
  if (ours != trees) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const Bytes rest = std::as_bytes(std::span(data, size)).subspan(1);
  const std::size_t kind = data[0] % (kKinds.size() + 1);
  const Buffer wrapped = kind == kKinds.size() ? Buffer(rest.begin(), rest.end()) : in_envelope(kind, rest);
  kube::ObjectMetadata metadata;
  (void)kube::read_metadata(wrapped, metadata);
  reprint(rest);
  print(wrapped, {.server_minor = 36});
  print(wrapped, {.server_minor = 20, .managed_fields = true, .style = kube::JsonWriter::Style::compact});
  return 0;
}
