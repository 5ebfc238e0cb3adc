// Dates and durations as people and Go programs write them.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace tidemark {

// RFC 3339, with any zone offset and any number of fraction digits ("2024-05-01T12:00:00.123456789Z",
// "2024-05-01T14:00:00+02:00"). Errc::invalid names the character where reading stopped.
Result<Time> parse_rfc3339(std::string_view text);

// UTC with "Z"; fraction digits only as needed (Go's RFC3339Nano), or none at all.
std::string print_rfc3339_nano(Time t);
std::string print_rfc3339(Time t);  // seconds; cuts the fraction

// Go's duration words: "5m", "1h30m", "250ms", "24h", also "7d" and "2w". A leading '-' is allowed.
Result<std::chrono::nanoseconds> parse_duration(std::string_view text);
std::string print_duration(
    std::chrono::nanoseconds d);  // "1h30m0s" style, cut to what a person reads: "4m12s", "350ms"

}  // namespace tidemark
