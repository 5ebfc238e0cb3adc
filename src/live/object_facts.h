// What is asked of an object again and again: its place, its identity, and whether two states of it say the same.
// Threads: any.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "live/json_reach.h"

namespace tidemark::live {

inline std::string uid_in(const nlohmann::json& object) { return text_at(object, "/metadata/uid"); }
inline std::string version_in(const nlohmann::json& object) { return text_at(object, "/metadata/resourceVersion"); }
inline std::string name_in(const nlohmann::json& object) { return text_at(object, "/metadata/name"); }
inline std::string namespace_in(const nlohmann::json& object) { return text_at(object, "/metadata/namespace"); }
// Where `live` has another value than `wanted`: ".spec.replicas". nullopt: every value of `wanted` is in it, perhaps
// with more beside. What a server leaves out because it is empty counts as there, and null asks for nothing: the rules
// of an aggregated role are its controller's.
std::optional<std::string> uncovered(const nlohmann::json& live, const nlohmann::json& wanted);
inline bool covers(const nlohmann::json& live, const nlohmann::json& wanted) { return !uncovered(live, wanted); }

// We wrote some of it: our name is among its field managers.
bool bears_our_name(const nlohmann::json& object);

// What keeps an object that is going, as far as it says: "held by the finalizers a, b"; of a namespace what its
// controller says. Empty: nothing.
std::string held_by(const nlohmann::json& object);

// The same apart from status and what the server itself counts: a state that was planned on still holds.
bool same_substance(const nlohmann::json& a, const nlohmann::json& b);

}  // namespace tidemark::live
