// Laws: reading ends, whatever the bytes; what was read is printed as YAML that reads as the same again.
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "kube/encryption.h"
#include "kube/yaml_text.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tidemark;
  const Bytes text = std::as_bytes(std::span(data, size));
  const auto configuration = kube::read_encryption_configuration(text);
  const auto value = kube::parse_yaml(text);
  if (configuration && !value) std::abort();
  if (!value) return 0;
  std::string printed;
  kube::print_yaml(*value, printed);
  const auto again = kube::parse_yaml(as_bytes(printed));
  if (!again || *again != *value) std::abort();
  return 0;
}
