// The JSON that object stores and token services answer with: any bytes end in a value or in a failure, and nothing
// that is read is larger than what came in.
#include <cstdlib>

#include "store/azure_credentials.h"
#include "store/gcs_client.h"
#include "store/google_tokens.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tidemark;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const Time now{std::chrono::seconds(1'795'246'362)};
  if (const auto page = store::parse_gcs_page(text)) {
    if (page->objects.size() > size || page->next.size() > size) std::abort();
    for (const store::GcsObject& object : page->objects) {
      if (object.key.size() > size) std::abort();
    }
  }
  (void)store::parse_gcs_object(text);
  if (const auto crc = store::parse_crc32c(text)) {
    if (store::parse_crc32c(store::print_crc32c(*crc)) != crc) std::abort();
  }
  net::Answer answer;
  answer.body.assign(reinterpret_cast<const std::byte*>(data), reinterpret_cast<const std::byte*>(data) + size);
  (void)store::read_gcs_refusal(answer);
  if (const auto token = store::parse_azure_token(text, now); token && token->value.empty()) std::abort();
  if (const auto token = store::parse_token_answer(text, now); token && token->text.empty()) std::abort();
  return 0;
}
