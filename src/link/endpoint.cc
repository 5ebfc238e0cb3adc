#include "link/endpoint.h"

#include <algorithm>
#include <charconv>

namespace tidemark::link {

namespace {

bool take(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

bool is_port(std::string_view text) {
  unsigned port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size() && port >= 1 && port <= 65535;
}

bool is_host(std::string_view text) {
  if (text.starts_with('[')) return text.ends_with(']') && text.size() > 2;
  return !text.empty() &&
         std::ranges::none_of(text, [](char c) { return c == ':' || c == '/' || c == '@' || c <= ' '; });
}

}  // namespace

Result<Endpoint> parse_endpoint(std::string_view text, bool tls_given) {
  Endpoint endpoint{std::string(text), {}, false};
  std::string_view rest = text;
  const bool unix_plain = take(rest, "unix:");
  const bool unix_tls = !unix_plain && take(rest, "unixs:");
  if (unix_plain || unix_tls) {
    take(rest, "//");
    if (rest.empty() || rest == "/") return fail(Errc::invalid, "endpoint '{}' has no path of a socket", text);
    endpoint.target = "unix:" + std::string(rest);
    endpoint.tls = unix_tls;
    return endpoint;
  }

  if (take(rest, "https://")) {
    endpoint.tls = true;
  } else if (!take(rest, "http://")) {
    if (rest.find("://") != std::string_view::npos) {
      return fail(Errc::invalid, "endpoint '{}' has an unknown scheme (http, https, unix, unixs)", text);
    }
    endpoint.tls = tls_given;
  }
  if (rest.ends_with('/')) rest.remove_suffix(1);
  const std::size_t colon = rest.rfind(':');
  if (colon == std::string_view::npos || !is_host(rest.substr(0, colon)) || !is_port(rest.substr(colon + 1))) {
    return fail(Errc::invalid, "endpoint '{}' is not of the form [scheme://]host:port", text);
  }
  endpoint.target = "dns:///" + std::string(rest);
  return endpoint;
}

}  // namespace tidemark::link
