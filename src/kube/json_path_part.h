// A JSONPath template as the parser leaves it and as the finder walks it. Private to kube/.
#pragma once

#include <array>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tidemark::kube {

struct PathNode {
  enum class Kind : std::uint8_t {
    field,      // .name
    members,    // .*
    recursive,  // ..
    slice,      // [1]  [1:5:2]  [*]
    each,       // [0,2]  ['a','b']: what each of `inner` finds
    exists,     // [?(@.a)]: one `inner`
    compare,    // [?(@.a=="b")]: two of them
    literal,    // "text"  7  true
    begin,      // range
    end,        // end
  };
  // `from` and `to` count from the end when they are negative.
  struct Slice {
    std::optional<std::int64_t> from, to, step;
    bool one = false;  // a single index, `to` follows from it
  };
  enum class Is : std::uint8_t { less, greater, equal, not_equal, at_most, at_least };

  Kind kind{};
  std::size_t at = 0;  // the byte of the template where it begins
  std::string name = {};
  Slice slice = {};
  Is is = Is::equal;
  nlohmann::json literal = nullptr;
  std::vector<std::vector<PathNode>> inner = {};
};
using PathNodes = std::vector<PathNode>;

struct PathPart {
  bool expression = false;  // else text, a literal
  PathNodes nodes = {};
};

// Errc::invalid, with the character.
Result<std::vector<PathPart>> parse_path(std::string_view text);

using PathFound = std::vector<const nlohmann::json*>;
// Errc::unsupported, with the character in `text`.
Result<std::vector<PathFound>> find_parts(const std::vector<PathPart>& parts, std::string_view text,
                                          const nlohmann::json& object);

// "character 7": a byte of the template as people count.
std::string path_place(std::string_view text, std::size_t at);

}  // namespace tidemark::kube
