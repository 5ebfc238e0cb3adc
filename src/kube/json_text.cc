#include "kube/json_text.h"

#include <cmath>
#include <nlohmann/json.hpp>

namespace tidemark::kube {

namespace {

using nlohmann::json;

constexpr std::string_view kSelfDescribedCbor = "\xd9\xd9\xf7";

// Whether CBOR is nested deeper than we allow, by its heads alone: the parser calls itself for each level.
// True as well for what ends early or makes no sense, as the parser will say why.
bool shallow(Bytes bytes) {
  constexpr std::uint64_t kUntilBreak = UINT64_MAX;
  std::vector<std::uint64_t> open;  // items that each level still wants
  const auto close = [&] {
    while (!open.empty() && open.back() == 0) open.pop_back();
  };
  while (!bytes.empty()) {
    const auto head = static_cast<unsigned>(bytes[0]);
    const unsigned major = head >> 5U, minor = head & 31U;
    bytes = bytes.subspan(1);
    std::uint64_t count = minor;
    if (minor >= 24 && minor <= 27) {
      const std::size_t width = std::size_t{1} << (minor - 24U);
      if (bytes.size() < width) return true;
      count = 0;
      for (const std::byte b : bytes.first(width)) count = count << 8U | static_cast<unsigned>(b);
      bytes = bytes.subspan(width);
    }
    const bool until_break = minor == 31;
    if (head == 0xff) {
      if (open.empty()) return true;
      open.pop_back();
      close();
      continue;
    }
    if (!open.empty() && open.back() != kUntilBreak) open.back()--;
    if (major == 6) {  // a tag: the item itself follows
      if (!open.empty() && open.back() != kUntilBreak) open.back()++;
      continue;
    }
    if (until_break) {
      open.push_back(kUntilBreak);
    } else if (major == 2 || major == 3) {
      if (count > bytes.size()) return true;
      bytes = bytes.subspan(static_cast<std::size_t>(count));
    } else if (major == 4 || major == 5) {
      if (count > bytes.size()) return true;
      open.push_back(major == 5 ? count * 2 : count);
    }
    if (open.size() > kMostDepth) return false;
    close();
  }
  return true;
}

}  // namespace

Result<json> parse_json(Bytes text) {
  bool too_deep = false;
  const auto guard = [&](int depth, json::parse_event_t, json&) {
    too_deep |= depth > kMostDepth;
    return !too_deep;
  };
  try {
    json value = json::parse(as_text(text), guard);
    if (too_deep) return fail(Errc::corrupt, "JSON: more than {} levels", kMostDepth);
    return value;
  } catch (const json::exception& e) {
    return fail(Errc::corrupt, "JSON: {}", e.what());
  }
}

Result<json> parse_cbor(Bytes bytes) {
  if (as_text(bytes).starts_with(kSelfDescribedCbor)) bytes = bytes.subspan(kSelfDescribedCbor.size());
  if (!shallow(bytes)) return fail(Errc::corrupt, "CBOR: more than {} levels", kMostDepth);
  try {
    const auto* at = reinterpret_cast<const std::uint8_t*>(bytes.data());
    return json::from_cbor(at, at + bytes.size(), true, true, json::cbor_tag_handler_t::ignore);
  } catch (const json::exception& e) {
    return fail(Errc::corrupt, "CBOR: {}", e.what());
  }
}

Result<json> parse_json_or_cbor(Bytes bytes) {
  return as_text(bytes).starts_with(kSelfDescribedCbor) ? parse_cbor(bytes) : parse_json(bytes);
}

void print_json(const json& value, JsonWriter& to) {
  switch (value.type()) {
    case json::value_t::object:
      to.begin_object();
      for (const auto& [key, inner] : value.items()) {  // a std::map: sorted by bytes
        to.key(key);
        print_json(inner, to);
      }
      to.end_object();
      return;
    case json::value_t::array:
      to.begin_array();
      for (const json& inner : value) print_json(inner, to);
      to.end_array();
      return;
    case json::value_t::string: to.string(value.get_ref<const std::string&>()); return;
    case json::value_t::boolean: to.boolean(value.get<bool>()); return;
    case json::value_t::number_integer: to.number(value.get<std::int64_t>()); return;
    case json::value_t::number_unsigned: {
      const auto number = value.get<std::uint64_t>();
      // As Go reads it: what an int64 does not hold is a float64.
      if (number <= INT64_MAX) {
        to.number(static_cast<std::int64_t>(number));
      } else {
        to.number(static_cast<double>(number));
      }
      return;
    }
    case json::value_t::number_float: {
      const double number = value.get<double>();
      if (std::isfinite(number)) {
        to.number(number);
      } else {
        to.null();  // only CBOR can say it, and the server refuses it
      }
      return;
    }
    case json::value_t::binary: {
      const auto& bytes = value.get_binary();
      to.base64(std::as_bytes(std::span(bytes)));
      return;
    }
    case json::value_t::null:
    case json::value_t::discarded: to.null(); return;
  }
}

}  // namespace tidemark::kube
