#include "store/azure_key.h"

#include <algorithm>
#include <map>

#include <fmt/ranges.h>

#include "crypto/sign.h"
#include "net/http_date.h"
#include "net/url.h"

namespace tidemark::store {
namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return out;
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
  while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
  return text;
}

std::string canonical_headers(const net::Headers& headers) {
  std::map<std::string, std::string> own;
  for (const net::Header& header : headers) {
    const std::string name = lower(header.name);
    if (!name.starts_with("x-ms-")) continue;
    std::string& value = own[name];
    if (!value.empty()) value += ',';
    value += trimmed(header.value);
  }
  std::string text;
  for (const auto& [name, value] : own) text += name + ":" + value + "\n";
  return text;
}

Result<std::string> canonical_resource(const net::Url& url, std::string_view account) {
  TM_LET(const net::Query query, net::parse_query(url.query));
  std::map<std::string, std::vector<std::string>> values;
  for (const auto& [name, value] : query) values[lower(name)].push_back(value);
  std::string text = fmt::format("/{}{}", account, url.path.empty() ? "/" : url.path);
  for (auto& [name, all] : values) {
    std::ranges::sort(all);
    text += fmt::format("\n{}:{}", name, fmt::join(all, ","));
  }
  return text;
}

}  // namespace

Result<std::string> azure_text_to_sign(const net::Request& request, std::string_view account) {
  TM_LET(const net::Url url, net::parse_url(request.url));
  const std::uint64_t size = request.open_body ? request.body_size : request.body.size();
  std::string text = request.method + "\n";
  for (const char* name : {"Content-Encoding", "Content-Language", "", "Content-MD5", "Content-Type", "Date",
                           "If-Modified-Since", "If-Match", "If-None-Match", "If-Unmodified-Since", "Range"}) {
    if (*name == '\0') {  // Content-Length, which the client adds; none is signed as nothing
      text += (size == 0 ? "" : std::to_string(size)) + "\n";
    } else {
      text += fmt::format("{}\n", net::header_value(request.headers, name));
    }
  }
  TM_LET(const std::string resource, canonical_resource(url, account));
  return text + canonical_headers(request.headers) + resource;
}

Status sign_azure(net::Request& request, std::string_view account, Bytes key, Time now) {
  request.headers.push_back({"x-ms-date", net::print_http_date(now)});
  TM_LET(const std::string text, azure_text_to_sign(request, account));
  const std::string signature = crypto::to_base64(crypto::hmac_sha256(key, as_bytes(text)));
  request.headers.push_back({"Authorization", fmt::format("SharedKey {}:{}", account, signature)});
  return {};
}

}  // namespace tidemark::store
