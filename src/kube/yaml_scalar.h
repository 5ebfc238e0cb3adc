// What an unquoted YAML scalar is read as. Private to kube/.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace tidemark::kube {

struct WholeNumber {
  bool negative = false;
  std::uint64_t magnitude = 0;  // of a negative one at most 2^63
};

struct PlainScalar {
  enum class Kind : std::uint8_t {
    string,
    null,
    boolean,
    whole,
    floating,
    time,     // a string to JSON, but not to YAML
    no_json,  // infinities and NaN
  };
  Kind kind = Kind::string;
  bool boolean = false;
  WholeNumber whole = {};
  double floating = 0;
};

PlainScalar read_plain(std::string_view text);

}  // namespace tidemark::kube
