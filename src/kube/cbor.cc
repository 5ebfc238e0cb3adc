#include "kube/cbor.h"

#include <bit>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/base64.h"
#include "base/rfc3339.h"
#include "kube/json_text.h"
#include "kube/utf8.h"

namespace tidemark::kube {

namespace {

using nlohmann::json;

enum Major : unsigned { kUnsigned, kNegative, kByteString, kText, kArray, kMap, kTag, kSimple };
enum class Wanted : std::uint8_t { text, base64url, base64, base16 };  // what byte strings become

std::string base64_text(std::string_view bytes) {
  std::string text(base64_size(bytes.size()), '=');
  base64_encode(as_bytes(bytes), text.data());
  return text;
}

// Without padding, as Go's RawURLEncoding.
std::string base64url_text(std::string_view bytes) {
  std::string text = base64_text(bytes);
  while (text.ends_with('=')) text.pop_back();
  for (char& c : text) c = c == '+' ? '-' : c == '/' ? '_' : c;
  return text;
}

double half(std::uint64_t bits) {
  const int exponent = static_cast<int>(bits >> 10U & 31U);
  const auto mantissa = static_cast<double>(bits & 1023U);
  double value = 0;
  if (exponent == 31) {
    value = mantissa == 0 ? INFINITY : NAN;
  } else {
    value = exponent == 0 ? std::ldexp(mantissa, -24) : std::ldexp(mantissa + 1024, exponent - 25);
  }
  return (bits & 0x8000U) != 0 ? -value : value;
}

class Reader {
 public:
  explicit Reader(Bytes bytes) : all_(bytes.size()), left_(bytes) {}

  Result<json> document() {
    TM_LET(json value, item(Wanted::text, 0));
    if (!left_.empty()) return wrong("bytes behind the end");
    return value;
  }

 private:
  struct Head {
    unsigned major, minor;
    std::uint64_t argument;
    bool open() const { return minor == 31; }  // of a length: until a break
  };

  std::unexpected<Error> wrong(std::string_view what) const {
    return fail(Errc::corrupt, "CBOR: byte {}: {}", all_ - left_.size(), what);
  }

  Result<Head> head() {
    if (left_.empty()) return wrong("it ends too early");
    const auto first = static_cast<unsigned>(left_[0]);
    Head h{first >> 5U, first & 31U, first & 31U};
    left_ = left_.subspan(1);
    if (h.minor < 24 || h.minor == 31) return h;
    if (h.minor > 27) return wrong("a reserved head");
    const std::size_t width = std::size_t{1} << (h.minor - 24U);
    if (left_.size() < width) return wrong("it ends too early");
    h.argument = 0;
    for (const std::byte b : left_.first(width)) h.argument = h.argument << 8U | static_cast<unsigned>(b);
    left_ = left_.subspan(width);
    return h;
  }

  // True: the break that ends a list, map or string without length was there, and is taken.
  bool take_break() {
    if (left_.empty() || left_[0] != std::byte{0xff}) return false;
    left_ = left_.subspan(1);
    return true;
  }

  Result<std::string> string(const Head& h) {
    if (!h.open()) {
      if (h.argument > left_.size()) return wrong("a string that is longer than what is left");
      std::string text(as_text(left_.first(static_cast<std::size_t>(h.argument))));
      if (h.major == kText && !is_utf8(text)) return wrong("text that is not UTF-8");
      left_ = left_.subspan(text.size());
      return text;
    }
    std::string text;
    while (!take_break()) {
      TM_LET(const Head chunk, head());
      if (chunk.major != h.major || chunk.open()) return wrong("a piece of a string that is none");
      TM_LET(const std::string piece, string(chunk));
      text += piece;
    }
    return text;
  }

  Result<json> item(Wanted wanted, int depth) {
    if (depth > kMostDepth) return wrong(fmt::format("more than {} levels", kMostDepth));
    TM_LET(const Head h, head());
    if (h.open() && (h.major < kByteString || h.major == kTag)) return wrong("a reserved head");
    switch (h.major) {
      case kUnsigned:
        if (h.argument > INT64_MAX) return wrong("an integer beyond 64 bits");
        return json(static_cast<std::int64_t>(h.argument));
      case kNegative:
        if (h.argument > INT64_MAX) return wrong("an integer beyond 64 bits");
        return json(-1 - static_cast<std::int64_t>(h.argument));
      case kByteString: {
        TM_LET(std::string bytes, string(h));
        return as_wanted(std::move(bytes), wanted);
      }
      case kText: {
        TM_LET(std::string text, string(h));
        return json(std::move(text));
      }
      case kArray: return list(h, wanted, depth);
      case kMap: return map(h, wanted, depth);
      case kTag: return tagged(h.argument, wanted, depth);
      default: return simple(h);
    }
  }

  static json as_wanted(std::string bytes, Wanted wanted) {
    switch (wanted) {
      case Wanted::base64url: return base64url_text(bytes);
      case Wanted::base64: return base64_text(bytes);
      case Wanted::base16: return to_hex(as_bytes(bytes));
      case Wanted::text: break;
    }
    return bytes;
  }

  Result<json> list(const Head& h, Wanted wanted, int depth) {
    if (!h.open() && h.argument > left_.size()) return wrong("a list that is longer than what is left");
    json all = json::array();
    for (std::uint64_t i = 0; h.open() ? !take_break() : i < h.argument; i++) {
      TM_LET(json value, item(wanted, depth + 1));
      all.push_back(std::move(value));
    }
    return all;
  }

  Result<json> map(const Head& h, Wanted wanted, int depth) {
    if (!h.open() && h.argument > left_.size() / 2) return wrong("a map that is longer than what is left");
    json all = json::object();
    for (std::uint64_t i = 0; h.open() ? !take_break() : i < h.argument; i++) {
      TM_LET(const Head key_head, head());
      if (key_head.major != kByteString && key_head.major != kText) return wrong("a key that is no string");
      TM_LET(const std::string key, string(key_head));
      if (all.contains(key)) return wrong(fmt::format("the key '{}' once more", key));
      TM_LET(json value, item(wanted, depth + 1));
      all[key] = std::move(value);
    }
    return all;
  }

  Result<json> tagged(std::uint64_t tag, Wanted wanted, int depth) {
    switch (tag) {
      case 0:
      case 1: return time(tag, depth);
      case 2:
      case 3: return wrong("an integer of any length");
      case 21: return item(Wanted::base64url, depth + 1);
      case 22: return item(Wanted::base64, depth + 1);
      case 23: return item(Wanted::base16, depth + 1);
      default: return item(wanted, depth + 1);
    }
  }

  Result<json> time(std::uint64_t tag, int depth) {
    TM_LET(const json value, item(Wanted::text, depth + 1));
    if (tag == 0) {
      if (!value.is_string()) return wrong("a time that is no text");
      const auto parsed = parse_rfc3339(value.get_ref<const std::string&>());
      if (!parsed) return wrong(parsed.error().what);
      return json(print_rfc3339_nano(*parsed));
    }
    constexpr double kMost = 9.2e9;  // seconds of what a Time holds in nanoseconds
    if (!value.is_number() || std::abs(value.get<double>()) > kMost) return wrong("a time that is none");
    const double seconds = value.get<double>();
    const auto whole = static_cast<std::int64_t>(std::floor(seconds));
    const auto ns = static_cast<std::int64_t>(std::llround((seconds - std::floor(seconds)) * 1e9));
    return json(print_rfc3339_nano(Time(std::chrono::seconds(whole) + std::chrono::nanoseconds(ns))));
  }

  Result<json> simple(const Head& h) {
    switch (h.minor) {
      case 20: return json(false);
      case 21: return json(true);
      case 22: return json(nullptr);
      case 25: return number(half(h.argument));
      case 26: return number(static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(h.argument))));
      case 27: return number(std::bit_cast<double>(h.argument));
      default: return wrong("a value that JSON does not have");
    }
  }

  Result<json> number(double value) {
    if (!std::isfinite(value)) return wrong("a number that JSON does not have");
    return json(value);
  }

  const std::size_t all_;
  Bytes left_;
};

}  // namespace

Result<json> parse_cbor(Bytes bytes) { return Reader(bytes).document(); }

}  // namespace tidemark::kube
