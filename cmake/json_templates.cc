// The class templates of nlohmann-json, compiled once with optimization, for programs that are compiled without it.
//
// Each source that uses JSON makes these functions for itself, and a linker keeps the first copy it meets. This object
// comes first in the sanitizers' programs, so that the copies of -O0 are dropped: half of what tests that are full of
// JSON compute under AddressSanitizer is in them. The functions are checked as all others are.
#include <nlohmann/json.hpp>

using nlohmann::json;

template class nlohmann::basic_json<>;
template class std::vector<json>;
template class std::map<std::string, json, std::less<>>;
template class std::_Rb_tree<std::string, std::pair<const std::string, json>,
                             std::_Select1st<std::pair<const std::string, json>>, std::less<>>;
