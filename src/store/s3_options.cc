#include "store/s3_options.h"

#include <algorithm>
#include <cstdlib>
#include <optional>

#include "net/url.h"
#include "store/customer_key.h"
#include "store/object_store.h"

namespace tidemark::store {
namespace {

Result<bool> parse_switch(std::string_view name, std::string_view text) {
  if (text == "1" || text == "true") return true;
  if (text == "0" || text == "false") return false;
  return fail(Errc::invalid, "{}={}: 1 or 0 is expected", name, text);
}

Status check_bucket(std::string_view bucket) {
  const bool plain = std::ranges::all_of(bucket, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
           c == '_';
  });
  if (bucket.size() < 3 || bucket.size() > 255 || !plain) {
    return fail(Errc::invalid, "'{}' is no name of a bucket", bucket);
  }
  return {};
}

// A name that DNS can have in front of a host: no dots (certificates cover one level), no capitals.
bool fits_host_name(std::string_view bucket) {
  return bucket.size() <= 63 && std::ranges::all_of(bucket, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
         });
}

std::string first_of(const Environment& environment, std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names) {
    if (std::string value = environment(name); !value.empty()) return value;
  }
  return {};
}

Status take_option(S3Options& o, const std::string& name, const std::string& value, std::string& key_file,
                   std::optional<bool>& path_style) {
  if (name == "endpoint") {
    o.endpoint = value;
  } else if (name == "region") {
    o.region = value;
  } else if (name == "path-style") {
    TM_LET(path_style, parse_switch(name, value));
  } else if (name == "versions" && (value == "oldest" || value == "latest")) {
    o.versions = value == "oldest" ? S3Options::Versions::oldest : S3Options::Versions::latest;
  } else if (name == "sse" && (value == "AES256" || value == "aws:kms" || value == "aws:kms:dsse")) {
    o.sse = value;
  } else if (name == "versions" || name == "sse") {
    return fail(Errc::invalid, "{}={}: expected {}", name, value,
                name == "sse" ? "AES256, aws:kms or aws:kms:dsse" : "oldest or latest");
  } else if (name == "kms-key-id") {
    o.kms_key_id = value;
  } else if (name == "sse-c-key-file") {
    key_file = value;
  } else if (name == "storage-class") {
    o.storage_class = value;
  } else if (name == "ca-file") {
    o.ca_file = value;
  } else if (name == "checksum") {
    TM_LET(o.checksums, parse_switch(name, value));
  } else {
    return fail(Errc::invalid, "unknown option '{}'", name);
  }
  return {};
}

Status finish(S3Options& o, const Environment& environment, std::string key_file, std::optional<bool> path_style) {
  if (o.endpoint.empty()) o.endpoint = first_of(environment, {"AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"});
  if (!o.endpoint.empty()) {
    TM_LET(o.endpoint, named("endpoint", net::parse_origin(o.endpoint)));
  }
  if (o.region.empty()) o.region = first_of(environment, {"AWS_REGION", "AWS_DEFAULT_REGION"});
  if (o.ca_file.empty()) o.ca_file = environment("AWS_CA_BUNDLE");
  if (key_file.empty()) key_file = environment("TIDEMARK_SSE_C_KEY_FILE");
  if (!key_file.empty()) {
    TM_LET(o.sse_c_key, named("sse-c-key-file", read_customer_key(key_file)));
  }
  if (!o.sse_c_key.empty() && !o.sse.empty()) return fail(Errc::invalid, "sse and a customer's key exclude each other");
  if (!o.kms_key_id.empty() && !o.sse.starts_with("aws:kms")) {
    return fail(Errc::invalid, "kms-key-id needs sse=aws:kms");
  }
  if (!o.sse_c_key.empty() && !o.endpoint.empty() && !net::is_private(o.endpoint)) {
    return fail(Errc::invalid, "a customer's key is sent with each request: the endpoint must be https");
  }
  const std::size_t host = o.endpoint.find("://");
  const bool local = host != std::string::npos && net::is_address(std::string_view(o.endpoint).substr(host + 3));
  o.path_style = path_style.value_or(local || !fits_host_name(o.bucket));
  return {};
}

}  // namespace

Environment process_environment() {
  return [](std::string_view name) {
    const char* value = std::getenv(std::string(name).c_str());
    return std::string(value != nullptr ? value : "");
  };
}

Result<S3Options> parse_s3_url(std::string_view url, const Environment& environment) {
  const auto parse = [&]() -> Result<S3Options> {
    S3Options options;
    options.url = url;
    std::string_view text = url;
    if (!text.starts_with("s3://")) return fail(Errc::invalid, "expected s3://bucket/prefix");
    text.remove_prefix(5);
    const std::size_t question = std::min(text.find('?'), text.size());
    const std::string_view place = text.substr(0, question);
    const std::size_t slash = std::min(place.find('/'), place.size());
    options.bucket = place.substr(0, slash);
    TM_CHECK(check_bucket(options.bucket));
    if (slash < place.size()) options.prefix = place.substr(slash + 1);
    while (options.prefix.ends_with('/')) options.prefix.pop_back();
    if (!options.prefix.empty()) TM_CHECK(named("prefix", check_key(options.prefix)));
    std::string key_file;
    std::optional<bool> path_style;
    if (question < text.size()) {
      TM_LET(const net::Query query, net::parse_query(text.substr(question + 1)));
      for (const auto& [name, value] : query) {
        TM_CHECK(take_option(options, name, value, key_file, path_style));
      }
    }
    TM_CHECK(finish(options, environment, std::move(key_file), path_style));
    return options;
  };
  // Without the query: somebody may have put a key there.
  return named(fmt::format("store '{}'", url.substr(0, url.find('?'))), parse());
}

}  // namespace tidemark::store
