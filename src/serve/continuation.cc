#include "serve/continuation.h"

#include "base/base64.h"
#include "base/bytes.h"

namespace tidemark::serve {
namespace {

// Longer is no key of etcd that an object has, and no memory is asked for it.
constexpr std::size_t kMostBytes = 8192;

std::string head_of(Revision at) { return fmt::format("tidemark:{}:", at); }

}  // namespace

std::string print_continuation(Revision at, std::string_view last_key) {
  const std::string text = head_of(at) + std::string(last_key);
  std::string token(base64_size(text.size()), '\0');
  base64_encode(as_bytes(text), token.data());
  return token;
}

Result<std::string> read_continuation(std::string_view token, Revision at) {
  const auto other = [&] {
    return fail(Errc::compacted, "the continue token is not of this list at revision {}: list from the beginning", at);
  };
  if (token.size() > kMostBytes) return other();
  std::string text(base64_most_bytes(token.size()), '\0');
  const auto size = base64_decode(token, reinterpret_cast<std::byte*>(text.data()));
  if (!size) return other();
  text.resize(*size);
  const std::string head = head_of(at);
  if (!text.starts_with(head)) return other();
  return text.substr(head.size());
}

}  // namespace tidemark::serve
