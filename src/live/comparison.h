// When two states of an object are the same, and when one has all that the other asks for.
// Only for src/live. Threads: any.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace tidemark::live {

// Both after strip_served(). Paths that differ (".spec.replicas"), without the annotation in which kubectl remembers
// what it was given; empty: the same.
std::vector<std::string> differing_paths(const nlohmann::json& live, const nlohmann::json& target);

// Would a server-side apply of `wanted` find everything there already? Maps may have more members; lists more entries,
// where their entries have names. kubectl's annotation does not count.
bool has_all_of(const nlohmann::json& live, const nlohmann::json& wanted);

// `wanted` without what is not so in `exact`: an apply of it claims nothing that was left to others.
nlohmann::json agreed_part(const nlohmann::json& wanted, const nlohmann::json& exact);

// "differs in .data.a, .spec.replicas and 3 more"
std::string differs_in(const std::vector<std::string>& paths);

}  // namespace tidemark::live
