// Answers of object stores: any bytes end in a value or in a failure.
#include "store/aws_credentials.h"
#include "store/s3_check.h"
#include "store/xml.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tidemark;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  std::size_t elements = 0;
  const Status read = store::read_xml(text, [&](const store::XmlElement& e) -> Status {
    if (e.path.size() > size || e.text.size() > size) __builtin_trap();  // nothing grows beyond what came in
    ++elements;
    return {};
  });
  if (read && elements == 0) __builtin_trap();  // a well-formed document has a root
  (void)store::lifecycle_findings(text, "p/");
  (void)store::find_aws_profile(text, "default");
  (void)store::parse_aws_credentials_json(text);
  return 0;
}
