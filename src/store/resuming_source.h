// Reads one object over HTTP and goes on where the connection was cut. What the sources of all cloud stores are.
//
// Guarantees: every byte is of the one object that the first answer was of (If-Match with its ETag); waits between
// tries come from the store's retry gate and start afresh with every byte that arrives; where the first answer names an
// MD5 of what it promises, the last byte is given only when it fits.
// Threads: one. Memory: the HTTP client's buffer.
#pragma once

#include <functional>
#include <optional>

#include "crypto/sign.h"
#include "net/caller.h"

namespace tidemark::store {

struct RangeRead {
  std::string what;  // for messages: "get 'v2/Full-…'"
  std::uint64_t offset = 0, length = 0;
  // Asks with these headers (Range, If-Match) and returns the answer if it is a 2xx (as a stream), a 412 or a 416;
  // whatever else is said is a failure.
  std::function<Result<net::Answer>(const net::Headers&)> ask{};
  // What the body of the first answer must add up to. May be empty, or find nothing.
  std::function<std::optional<crypto::Md5Digest>(const net::Answer&)> promised_md5{};
};

// Requires: length > 0; the gate outlives the source. A range that begins behind the end reads as empty.
// Errc::conflict, also while reading: the object was replaced. Errc::corrupt: a wrong range, or a wrong MD5.
Result<std::unique_ptr<io::Source>> open_resuming(RangeRead range, net::RetryGate& gate, std::stop_token stop);

// "123" and nothing else.
std::optional<std::uint64_t> parse_decimal(std::string_view text);

}  // namespace tidemark::store
