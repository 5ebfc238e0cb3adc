// Percent-encoding, and the parts of a URL that who signs a request needs.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace tidemark::net {

// Everything but letters, digits and -._~ as %XX in upper case (RFC 3986). `keep_slash`: '/' stands as it is.
std::string percent_encode(std::string_view text, bool keep_slash = false);
// Errc::invalid: a '%' without two hexadecimal digits. '+' is a plus.
Result<std::string> percent_decode(std::string_view text);

using Query = std::vector<std::pair<std::string, std::string>>;  // decoded
// "a=1&b=x%20y"; sorted by the encoded name, as signatures want it. A value may be empty: "uploads=".
std::string print_query(Query query);
Result<Query> parse_query(std::string_view text);  // without the '?'

struct Url {
  std::string scheme;  // "http", "https"
  std::string host;    // with ":port" when one was given
  std::string path;    // as it stands, begins with '/' or is empty
  std::string query;   // as it stands, without '?'
  std::string origin() const { return scheme + "://" + host; }
  // As a Host header has it: without the scheme's own port.
  std::string host_header() const;
};
// Of a host, with or without a port. An address: digits and dots, brackets, or localhost: no name to put another name
// in front of.
bool is_address(std::string_view host);
bool is_loopback(std::string_view host);  // localhost, 127.…, [::1]: nobody else's network lies between
// https, or this machine: what is said there nobody on the way hears. False for what is no URL.
bool is_private(std::string_view url);

// Errc::invalid: not http or https, no host, a user or a fragment in it.
Result<Url> parse_url(std::string_view text);
// "host:port", or with a scheme; https where none is given. Errc::invalid: anything behind it.
Result<std::string> parse_origin(std::string text);

}  // namespace tidemark::net
