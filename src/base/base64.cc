#include "base/base64.h"

#include <array>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace tidemark {

namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t kBad = 0xff;

constexpr std::array<std::uint8_t, 256> kValue = [] {
  std::array<std::uint8_t, 256> value{};
  value.fill(kBad);
  for (std::size_t i = 0; i < kAlphabet.size(); i++) value[static_cast<std::uint8_t>(kAlphabet[i])] = i;
  return value;
}();

std::uint32_t octet(std::byte b) { return std::to_integer<std::uint32_t>(b); }

// Four characters as 24 bits; kBad in any of them makes the result larger.
std::uint32_t quad(const char* text) {
  std::uint32_t bits = 0;
  std::uint8_t all = 0;
  for (int i = 0; i < 4; i++) {
    const std::uint8_t v = kValue[static_cast<std::uint8_t>(text[i])];
    all |= v;
    bits = bits << 6U | (v & 63U);
  }
  return (all & 0x80U) != 0 ? 1U << 24U : bits;
}

#if defined(__x86_64__)

bool have_avx2() {
  static const bool have = __builtin_cpu_supports("avx2");
  return have;
}

// 24 bytes to 32 characters at a time; returns the bytes done. Reads 28 bytes for each 24.
__attribute__((target("avx2"))) std::size_t encode_avx2(Bytes from, char* to) {
  std::size_t done = 0;
  // Each 128-bit half gets 12 bytes, laid out so that every 32-bit lane holds bytes b c a b... of its three.
  const __m256i spread = _mm256_setr_epi8(1, 0, 2, 1, 4, 3, 5, 4, 7, 6, 8, 7, 10, 9, 11, 10, 1, 0, 2, 1, 4, 3, 5, 4, 7,
                                          6, 8, 7, 10, 9, 11, 10);
  // By class of the 6-bit value (upper case 13, lower case 0, digits 1..10, '+' 11, '/' 12): what to add to it.
  const __m256i offsets = _mm256_setr_epi8(71, -4, -4, -4, -4, -4, -4, -4, -4, -4, -4, -19, -16, 65, 0, 0, 71, -4, -4,
                                           -4, -4, -4, -4, -4, -4, -4, -4, -19, -16, 65, 0, 0);
  for (; done + 28 <= from.size(); done += 24, to += 32) {
    const __m128i low = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from.data() + done));
    const __m128i high = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from.data() + done + 12));
    const __m256i in = _mm256_shuffle_epi8(_mm256_set_m128i(high, low), spread);
    const __m256i odd =
        _mm256_mulhi_epu16(_mm256_and_si256(in, _mm256_set1_epi32(0x0fc0fc00)), _mm256_set1_epi32(0x04000040));
    const __m256i even =
        _mm256_mullo_epi16(_mm256_and_si256(in, _mm256_set1_epi32(0x003f03f0)), _mm256_set1_epi32(0x01000010));
    const __m256i value = _mm256_or_si256(odd, even);
    __m256i kind = _mm256_subs_epu8(value, _mm256_set1_epi8(51));
    const __m256i upper = _mm256_cmpgt_epi8(_mm256_set1_epi8(26), value);
    kind = _mm256_or_si256(kind, _mm256_and_si256(upper, _mm256_set1_epi8(13)));
    const __m256i text = _mm256_add_epi8(value, _mm256_shuffle_epi8(offsets, kind));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), text);
  }
  return done;
}

// 32 characters to 24 bytes at a time; returns the characters done, stops early at a bad one. Writes 32 bytes for each
// 24, so it needs 44 characters of text left.
__attribute__((target("avx2"))) std::size_t decode_avx2(std::string_view text, std::byte* to) {
  std::size_t done = 0;
  // A character is good when the sets of its two nibbles have no bit in common.
  const __m256i by_high =
      _mm256_setr_epi8(0x10, 0x10, 0x01, 0x02, 0x04, 0x08, 0x04, 0x08, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10,
                       0x10, 0x10, 0x01, 0x02, 0x04, 0x08, 0x04, 0x08, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10);
  const __m256i by_low =
      _mm256_setr_epi8(0x15, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x13, 0x1a, 0x1b, 0x1b, 0x1b, 0x1a,
                       0x15, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x13, 0x1a, 0x1b, 0x1b, 0x1b, 0x1a);
  const __m256i roll = _mm256_setr_epi8(0, 16, 19, 4, -65, -65, -71, -71, 0, 0, 0, 0, 0, 0, 0, 0, 0, 16, 19, 4, -65,
                                        -65, -71, -71, 0, 0, 0, 0, 0, 0, 0, 0);
  const __m256i gather = _mm256_setr_epi8(2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, -1, -1, -1, -1, 2, 1, 0, 6, 5, 4, 10,
                                          9, 8, 14, 13, 12, -1, -1, -1, -1);
  const __m256i slash = _mm256_set1_epi8('/');
  for (; done + 44 <= text.size(); done += 32, to += 24) {
    const __m256i in = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(text.data() + done));
    const __m256i high = _mm256_and_si256(_mm256_srli_epi32(in, 4), _mm256_set1_epi8(0x0f));
    const __m256i low = _mm256_and_si256(in, _mm256_set1_epi8(0x0f));
    const __m256i good = _mm256_shuffle_epi8(by_high, high);
    if (_mm256_testz_si256(good, _mm256_shuffle_epi8(by_low, low)) == 0) break;
    const __m256i is_slash = _mm256_cmpeq_epi8(in, slash);
    const __m256i value = _mm256_add_epi8(in, _mm256_shuffle_epi8(roll, _mm256_add_epi8(is_slash, high)));
    const __m256i pairs = _mm256_maddubs_epi16(value, _mm256_set1_epi32(0x01400140));
    const __m256i triples = _mm256_shuffle_epi8(_mm256_madd_epi16(pairs, _mm256_set1_epi32(0x00011000)), gather);
    const __m256i packed = _mm256_permutevar8x32_epi32(triples, _mm256_setr_epi32(0, 1, 2, 4, 5, 6, 7, 7));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), packed);
  }
  return done;
}

#else

bool have_avx2() { return false; }
std::size_t encode_avx2(Bytes, char*) { return 0; }
std::size_t decode_avx2(std::string_view, std::byte*) { return 0; }

#endif

}  // namespace

void base64_encode_scalar(Bytes from, char* to) {
  const auto put = [&](std::uint32_t bits, int characters) {
    for (int i = 0; i < 4; i++) *to++ = i < characters ? kAlphabet[bits >> (18 - 6 * i) & 63U] : '=';
  };
  for (; from.size() >= 3; from = from.subspan(3))
    put(octet(from[0]) << 16U | octet(from[1]) << 8U | octet(from[2]), 4);
  if (from.size() == 1) put(octet(from[0]) << 16U, 2);
  if (from.size() == 2) put(octet(from[0]) << 16U | octet(from[1]) << 8U, 3);
}

std::optional<std::size_t> base64_decode_scalar(std::string_view text, std::byte* to) {
  if (text.size() % 4 != 0) return std::nullopt;
  if (text.empty()) return 0;
  std::byte* const begin = to;
  const auto put = [&](std::uint32_t bits, int bytes) {
    for (int i = 0; i < bytes; i++) *to++ = static_cast<std::byte>(bits >> (16 - 8 * i));
  };
  for (; text.size() > 4; text.remove_prefix(4)) {
    const std::uint32_t bits = quad(text.data());
    if (bits >> 24U != 0) return std::nullopt;
    put(bits, 3);
  }
  const int padding = text[3] != '=' ? 0 : text[2] != '=' ? 1 : 2;
  char last[4] = {text[0], text[1], padding == 2 ? 'A' : text[2], padding > 0 ? 'A' : text[3]};
  const std::uint32_t bits = quad(last);
  // Bits that belong to no byte must be zero: two texts for the same bytes would break "re-encoded is equal".
  if (bits >> 24U != 0 || (bits & ((1U << 8U * static_cast<unsigned>(padding)) - 1)) != 0) return std::nullopt;
  put(bits, 3 - padding);
  return static_cast<std::size_t>(to - begin);
}

void base64_encode(Bytes from, char* to) {
  const std::size_t done = have_avx2() ? encode_avx2(from, to) : 0;
  base64_encode_scalar(from.subspan(done), to + done / 3 * 4);
}

std::optional<std::size_t> base64_decode(std::string_view text, std::byte* to) {
  const std::size_t done = have_avx2() ? decode_avx2(text, to) : 0;
  const auto rest = base64_decode_scalar(text.substr(done), to + done / 4 * 3);
  if (!rest) return std::nullopt;
  return done / 4 * 3 + *rest;
}

}  // namespace tidemark
