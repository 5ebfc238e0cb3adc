#include "store/sigv4.h"

#include <algorithm>
#include <map>

#include "crypto/sha256.h"
#include "crypto/sign.h"
#include "net/url.h"

namespace tidemark::store {
namespace {

// "20150830T123600Z"
std::string amz_date(Time time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(std::chrono::floor<std::chrono::seconds>(time - day));
  return fmt::format("{:04}{:02}{:02}T{:02}{:02}{:02}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), clock.hours().count(),
                     clock.minutes().count(), clock.seconds().count());
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return out;
}

// Without blanks at the ends, and one where there were several.
std::string squeezed(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == ' ' && (out.empty() || out.back() == ' ')) continue;
    out += c;
  }
  if (out.ends_with(' ')) out.pop_back();
  return out;
}

struct SignedHeaders {
  std::string names;  // "host;x-amz-date"
  std::string lines;
};

SignedHeaders signed_headers(const net::Headers& headers, const std::string& host) {
  std::map<std::string, std::string> sorted{{"host", host}};
  for (const net::Header& header : headers) {
    std::string& value = sorted[lower(header.name)];
    if (lower(header.name) == "host") value.clear();
    value += (value.empty() ? "" : ",") + squeezed(header.value);
  }
  SignedHeaders out;
  for (const auto& [name, value] : sorted) {
    out.names += (out.names.empty() ? "" : ";") + name;
    out.lines += name + ":" + value + "\n";
  }
  return out;
}

std::string hex_sha256(std::string_view text) { return to_hex(crypto::sha256(as_bytes(text))); }

}  // namespace

Status sign_v4(net::Request& request, const AwsCredentials& who, const SigningScope& scope,
               std::string_view body_sha256, Time now) {
  TM_LET(const net::Url url, net::parse_url(request.url));
  const std::string date = amz_date(now);
  const std::string day = date.substr(0, 8);
  request.headers.push_back({"X-Amz-Date", date});
  if (!who.session_token.empty()) request.headers.push_back({"X-Amz-Security-Token", who.session_token});

  const SignedHeaders headers = signed_headers(request.headers, url.host_header());
  const std::string canonical = fmt::format("{}\n{}\n{}\n{}\n{}\n{}", request.method, url.path.empty() ? "/" : url.path,
                                            url.query, headers.lines, headers.names, body_sha256);
  const std::string place = fmt::format("{}/{}/{}/aws4_request", day, scope.region, scope.service);
  const std::string text = fmt::format("AWS4-HMAC-SHA256\n{}\n{}\n{}", date, place, hex_sha256(canonical));

  auto key = crypto::hmac_sha256(as_bytes("AWS4" + who.secret_key), as_bytes(day));
  key = crypto::hmac_sha256(key, as_bytes(scope.region));
  key = crypto::hmac_sha256(key, as_bytes(scope.service));
  key = crypto::hmac_sha256(key, as_bytes("aws4_request"));
  request.headers.push_back(
      {"Authorization", fmt::format("AWS4-HMAC-SHA256 Credential={}/{}, SignedHeaders={}, Signature={}", who.access_key,
                                    place, headers.names, to_hex(crypto::hmac_sha256(key, as_bytes(text))))});
  return {};
}

}  // namespace tidemark::store
