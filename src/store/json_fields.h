// Small JSON documents of services and their credentials, read without exceptions. Private to store/.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tidemark::store {

// Errc::corrupt: no JSON object.
inline Result<nlohmann::json> parse_object(std::string_view text) {
  nlohmann::json value = nlohmann::json::parse(text, nullptr, false);
  if (value.is_discarded() || !value.is_object()) return fail(Errc::corrupt, "no JSON object");
  return value;
}

// A string of an object; empty when it is missing or something else.
inline std::string text_of(const nlohmann::json& object, const char* name) {
  const auto it = object.find(name);
  return it != object.end() && it->is_string() ? it->get<std::string>() : std::string();
}

// An object within an object; an empty one when it is missing or something else. Not a copy: copying recurses, and what
// comes from outside may be nested deeper than the stack.
inline const nlohmann::json& object_of(const nlohmann::json& object, const char* name) {
  static const nlohmann::json kNone = nlohmann::json::object();
  const auto it = object.find(name);
  return it != object.end() && it->is_object() ? *it : kNone;
}

}  // namespace tidemark::store
