#include "crypto/sign.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <cstdlib>

namespace tidemark::crypto {
namespace {

constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

const unsigned char* raw(Bytes bytes) { return reinterpret_cast<const unsigned char*>(bytes.data()); }

std::uint32_t byte_at(Bytes bytes, std::size_t at) {
  return at < bytes.size() ? std::to_integer<std::uint32_t>(bytes[at]) : 0;
}

}  // namespace

Sha256Digest hmac_sha256(Bytes key, Bytes text) {
  Sha256Digest digest;
  const std::byte none{};  // OpenSSL wants a key that is there, even when it is empty
  const Bytes given = key.empty() ? Bytes(&none, 0) : key;
  auto* out = reinterpret_cast<unsigned char*>(digest.data());
  if (HMAC(EVP_sha256(), given.data(), static_cast<int>(given.size()), raw(text), text.size(), out, nullptr) ==
      nullptr) {
    std::abort();  // out of memory or a broken library
  }
  return digest;
}

Md5Digest md5(Bytes bytes) {
  Md5Digest digest;
  auto* out = reinterpret_cast<unsigned char*>(digest.data());
  if (EVP_Digest(bytes.data(), bytes.size(), out, nullptr, EVP_md5(), nullptr) != 1) std::abort();
  return digest;
}

void Md5::Free::operator()(evp_md_ctx_st* context) const { EVP_MD_CTX_free(context); }

Md5::Md5() : context_(EVP_MD_CTX_new()) {
  if (EVP_DigestInit_ex(context_.get(), EVP_md5(), nullptr) != 1) std::abort();
}

void Md5::update(Bytes bytes) {
  if (EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) != 1) std::abort();
}

Md5Digest Md5::finish() {
  Md5Digest digest;
  auto* out = reinterpret_cast<unsigned char*>(digest.data());
  if (EVP_DigestFinal_ex(context_.get(), out, nullptr) != 1) std::abort();
  if (EVP_DigestInit_ex(context_.get(), EVP_md5(), nullptr) != 1) std::abort();
  return digest;
}

std::string to_base64(Bytes bytes) {
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::uint32_t three = byte_at(bytes, i) << 16U | byte_at(bytes, i + 1) << 8U | byte_at(bytes, i + 2);
    for (unsigned digit = 0; digit < 4; ++digit) {
      text += i + digit <= bytes.size() ? kLetters[three >> (18 - 6 * digit) & 63U] : '=';
    }
  }
  return text;
}

Result<Buffer> from_base64(std::string_view text) {
  const auto refuse = [](std::string_view why) { return fail(Errc::invalid, "no base64: {}", why); };
  if (text.size() % 4 != 0) return refuse("its length is no multiple of 4");
  const std::size_t pad = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  text.remove_suffix(pad);
  Buffer bytes;
  bytes.reserve(text.size() / 4 * 3 + 3);
  std::uint32_t held = 0;
  unsigned bits = 0;
  for (const char c : text) {
    const std::size_t digit = kLetters.find(c);
    if (digit == std::string_view::npos) return refuse("a character that is none of it");
    held = held << 6U | static_cast<std::uint32_t>(digit);
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes.push_back(static_cast<std::byte>(held >> bits & 255U));
  }
  if ((held & ((1U << bits) - 1)) != 0) return refuse("bits are left over");
  return bytes;
}

}  // namespace tidemark::crypto
