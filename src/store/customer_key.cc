#include "store/customer_key.h"

#include "crypto/sign.h"
#include "io/file.h"

namespace tidemark::store {

Result<Buffer> read_customer_key(const std::string& path) {
  constexpr std::size_t kBytes = 32;
  TM_LET(Buffer key, io::read_file(path, 1024));
  if (key.size() == kBytes) return key;
  std::string text(as_text(key));
  while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
  auto decoded = crypto::from_base64(text);
  if (decoded && decoded->size() == kBytes) return *std::move(decoded);
  return fail(Errc::invalid, "'{}' holds neither 32 bytes nor base64 of 32 bytes", path);
}

}  // namespace tidemark::store
