// Laws: a template is parsed or refused, at a character that it has, and says the same of an object each time. The
// first line is the template, the rest the object.
#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "kube/json_path.h"
#include "kube/json_text.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tidemark;
  constexpr std::size_t kMostBytes = 4096;  // what multiplies is bounded, and so slow
  if (size > kMostBytes) return 0;
  const std::string_view text = as_text(std::as_bytes(std::span(data, size)));
  const std::size_t line = std::min(text.find('\n'), text.size());
  const std::string_view path = text.substr(0, line);
  const auto object = kube::parse_json(as_bytes(text.substr(std::min(line + 1, text.size()))));
  for (const auto& read : {kube::JsonPath::parse(path), kube::JsonPath::parse_column(path)}) {
    if (!read) {
      if (read.error().code != Errc::invalid) std::abort();
      continue;
    }
    const auto printed = read->print(object.value_or(nullptr)), again = read->print(object.value_or(nullptr));
    if (printed.has_value() != again.has_value() || (printed && *printed != *again)) std::abort();
    if (!printed && printed.error().code != Errc::unsupported) std::abort();
    (void)read->print_as_json(object.value_or(nullptr));
  }
  return 0;
}
