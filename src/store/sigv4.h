// AWS Signature Version 4: what says who sent a request and that nobody changed it. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "net/http.h"

namespace tidemark::store {

struct AwsCredentials {
  std::string access_key, secret_key;
  std::string session_token{};  // of temporary ones
  std::optional<Time> expires{};
};

struct SigningScope {
  std::string region, service;  // "eu-central-1", "s3"
};

// The SHA-256 of nothing, in hexadecimal.
inline constexpr std::string_view kEmptySha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

// Adds X-Amz-Date, X-Amz-Security-Token (when there is one) and Authorization; signs every header the request has, its
// host, and `body_sha256` (hexadecimal). Requires: path and query of the URL are percent-encoded, the query sorted by
// name (net::print_query). Errc::invalid: the URL is none.
Status sign_v4(net::Request& request, const AwsCredentials& who, const SigningScope& scope,
               std::string_view body_sha256, Time now);

}  // namespace tidemark::store
