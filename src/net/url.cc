#include "net/url.h"

#include <algorithm>

namespace tidemark::net {
namespace {

bool unreserved(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

}  // namespace

std::string percent_encode(std::string_view text, bool keep_slash) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    if (unreserved(c) || (keep_slash && c == '/')) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += kHex[byte >> 4U];
    out += kHex[byte & 15U];
  }
  return out;
}

Result<std::string> percent_decode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? hex_value(text[i + 2]) : -1;
    if (high < 0 || low < 0) return fail(Errc::invalid, "'{}': a '%' without two hexadecimal digits", text);
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

std::string print_query(Query query) {
  for (auto& [name, value] : query) {
    name = percent_encode(name);
    value = percent_encode(value);
  }
  std::ranges::sort(query);
  std::string text;
  for (const auto& [name, value] : query) text += (text.empty() ? "" : "&") + name + "=" + value;
  return text;
}

Result<Query> parse_query(std::string_view text) {
  Query query;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('&'), text.size());
    const std::string_view pair = text.substr(0, end);
    const std::size_t equals = std::min(pair.find('='), pair.size());
    TM_LET(std::string name, percent_decode(pair.substr(0, equals)));
    TM_LET(std::string value, percent_decode(equals == pair.size() ? "" : pair.substr(equals + 1)));
    if (!pair.empty()) query.emplace_back(std::move(name), std::move(value));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return query;
}

std::string Url::host_header() const {
  const std::string_view own = scheme == "https" ? ":443" : ":80";
  return host.ends_with(own) ? host.substr(0, host.size() - own.size()) : host;
}

bool is_address(std::string_view host) {
  if (host.starts_with('[')) return true;
  host = host.substr(0, host.find(':'));
  return host == "localhost" || host.find_first_not_of("0123456789.") == std::string_view::npos;
}

bool is_loopback(std::string_view host) {
  const std::string_view name = host.substr(0, host.find(host.starts_with('[') ? ']' : ':'));
  return name == "localhost" || name == "[::1" || (is_address(name) && name.starts_with("127."));
}

bool is_private(std::string_view url) {
  const auto parts = parse_url(url);
  return parts && (parts->scheme == "https" || is_loopback(parts->host));
}

Result<Url> parse_url(std::string_view text) {
  Url url;
  const std::string_view whole = text;
  const std::size_t scheme = text.find("://");
  url.scheme = text.substr(0, scheme == std::string_view::npos ? 0 : scheme);
  if (url.scheme != "http" && url.scheme != "https") {
    return fail(Errc::invalid, "'{}' is no http:// or https:// URL", whole);
  }
  text.remove_prefix(scheme + 3);
  const std::size_t host_end = std::min(text.find_first_of("/?#"), text.size());
  url.host = text.substr(0, host_end);
  text.remove_prefix(host_end);
  if (url.host.empty() || url.host.find_first_of("@ ") != std::string::npos) {
    return fail(Errc::invalid, "a host name is wanted after '{}://', without user or password", url.scheme);
  }
  if (text.find('#') != std::string_view::npos) return fail(Errc::invalid, "'{}' has a '#'", whole);
  const std::size_t query = std::min(text.find('?'), text.size());
  url.path = text.substr(0, query);
  if (query < text.size()) url.query = text.substr(query + 1);
  return url;
}

Result<std::string> parse_origin(std::string text) {
  if (text.find("://") == std::string::npos) text.insert(0, "https://");
  while (text.ends_with('/')) text.pop_back();
  TM_LET(const Url url, parse_url(text));
  if (!url.path.empty() || !url.query.empty()) {
    return fail(Errc::invalid, "'{}': scheme, host and port are all that it may have", text);
  }
  return url.origin();
}

}  // namespace tidemark::net
