// Laws: the fast decoder and the plain one agree; what is decoded, encoded again, is the text; neither writes past its
// room.
#include <algorithm>
#include <cstdlib>
#include <vector>

#include "base/base64.h"
#include "base/bytes.h"

using namespace tidemark;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // Exactly as large as they must be, so that a sanitizer sees one byte more.
  const std::vector<char> text(data, data + size);
  const std::string_view view(text.data(), text.size());
  std::vector<std::byte> fast(base64_most_bytes(size)), plain(fast.size());
  const auto a = base64_decode(view, fast.data()), b = base64_decode_scalar(view, plain.data());
  if (a != b || (a && (*a > fast.size() ||
                       !std::equal(fast.begin(), fast.begin() + static_cast<std::ptrdiff_t>(*a), plain.begin()))))
    std::abort();
  const auto encode = [](Bytes from, auto how) {
    std::vector<char> to(base64_size(from.size()));
    how(from, to.data());
    return to;
  };
  if (a && encode(Bytes(fast).first(*a), base64_encode) != text) std::abort();
  const Bytes all(reinterpret_cast<const std::byte*>(data), size);
  const auto encoded = encode(all, base64_encode);
  if (encoded != encode(all, base64_encode_scalar)) std::abort();
  std::vector<std::byte> back(base64_most_bytes(encoded.size()));
  const auto length = base64_decode({encoded.data(), encoded.size()}, back.data());
  if (length != size || !std::equal(all.begin(), all.end(), back.begin())) std::abort();
  return 0;
}
