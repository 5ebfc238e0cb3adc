// Dates as HTTP writes them: "Sun, 06 Nov 1994 08:49:37 GMT".
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace tidemark::net {

// nullopt: not of this form, or no such day. The week day is not checked.
std::optional<Time> parse_http_date(std::string_view text);
std::string print_http_date(Time time);

}  // namespace tidemark::net
