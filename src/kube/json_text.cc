#include "kube/json_text.h"

#include <nlohmann/json.hpp>

#include "kube/cbor.h"

namespace tidemark::kube {

namespace {

using nlohmann::json;

constexpr std::string_view kSelfDescribedCbor = "\xd9\xd9\xf7";

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

Result<json> parse_json_or_cbor(Bytes bytes) {
  // FieldsV1 leaves the tag out: a map of CBOR begins with a byte that no JSON begins with.
  const bool is_map = !bytes.empty() && (static_cast<unsigned>(bytes[0]) & 0xe0U) == 0xa0U;
  return is_map || as_text(bytes).starts_with(kSelfDescribedCbor) ? parse_cbor(bytes) : parse_json(bytes);
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
      const auto number = value.get<double>();
      // A server sends a negative zero as -0, and kubectl reads that as an integer.
      to.number(number == 0 ? 0 : number);
      return;
    }
    case json::value_t::null:
    case json::value_t::binary:
    case json::value_t::discarded: to.null(); return;
  }
}

}  // namespace tidemark::kube
