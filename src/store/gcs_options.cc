#include "store/gcs_options.h"

#include <algorithm>

#include "net/url.h"
#include "store/customer_key.h"
#include "store/object_store.h"

namespace tidemark::store {
namespace {

Status check_bucket(std::string_view bucket) {
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz0123456789-_.";
  const bool plain = bucket.find_first_not_of(kLetters) == std::string_view::npos;
  const bool ends = !bucket.starts_with('.') && !bucket.starts_with('-') && !bucket.ends_with('.');
  if (bucket.size() < 3 || bucket.size() > 222 || !plain || !ends) {
    return fail(Errc::invalid, "'{}' is no name of a bucket", bucket);
  }
  return {};
}

// "projects/P/locations/L/keyRings/R/cryptoKeys/K"; a version of a key cannot be asked for.
Status check_kms_key(std::string_view name) {
  constexpr std::string_view kParts[] = {"projects/", "/locations/", "/keyRings/", "/cryptoKeys/"};
  std::string_view rest = name;
  bool good = rest.starts_with(kParts[0]);
  for (const std::string_view part : kParts) {
    const std::size_t at = rest.find(part);
    good = good && at != std::string_view::npos;
    if (good) rest.remove_prefix(at + part.size());
  }
  if (good && !rest.empty() && rest.find('/') == std::string_view::npos) return {};
  return fail(Errc::invalid, "kms-key={}: expected projects/P/locations/L/keyRings/R/cryptoKeys/K", name);
}

Status take_option(GcsOptions& o, const std::string& name, const std::string& value, bool& has_endpoint) {
  if (name == "endpoint") {
    TM_LET(o.endpoint, named("endpoint", net::parse_origin(value)));
    has_endpoint = true;
  } else if (name == "anonymous") {
    if (value != "1" && value != "0") return fail(Errc::invalid, "anonymous={}: 1 or 0 is expected", value);
    o.anonymous = value == "1";
  } else if (name == "kms-key") {
    TM_CHECK(check_kms_key(value));
    o.kms_key = value;
  } else if (name == "storage-class") {
    o.storage_class = value;
  } else if (name == "user-project") {
    o.user_project = value;
  } else if (name == "ca-file") {
    o.ca_file = value;
  } else {
    return fail(Errc::invalid, "unknown option '{}'", name);
  }
  return {};
}

Status finish(GcsOptions& o, const Environment& environment, bool has_endpoint) {
  if (o.anonymous && !has_endpoint) return fail(Errc::invalid, "anonymous=1 is for emulators: it needs endpoint=…");
  const bool plain = o.endpoint.starts_with("http://");
  if (plain) o.anonymous = true;
  if (const std::string file = environment("TIDEMARK_CSEK_FILE"); !file.empty()) {
    TM_LET(o.customer_key, named("TIDEMARK_CSEK_FILE", read_customer_key(file)));
  }
  if (o.customer_key.empty()) return {};
  if (!o.kms_key.empty()) return fail(Errc::invalid, "kms-key and a customer's own key exclude each other");
  if (plain) return fail(Errc::invalid, "a customer's key is sent with each request: the endpoint must be https");
  return {};
}

}  // namespace

Result<GcsOptions> parse_gcs_url(std::string_view url, const Environment& environment) {
  const auto parse = [&]() -> Result<GcsOptions> {
    GcsOptions options;
    options.url = url;
    std::string_view text = url;
    if (!text.starts_with("gs://")) return fail(Errc::invalid, "expected gs://bucket/prefix");
    text.remove_prefix(5);
    const std::size_t question = std::min(text.find('?'), text.size());
    const std::string_view place = text.substr(0, question);
    const std::size_t slash = std::min(place.find('/'), place.size());
    options.bucket = place.substr(0, slash);
    TM_CHECK(check_bucket(options.bucket));
    if (slash < place.size()) options.prefix = place.substr(slash + 1);
    while (options.prefix.ends_with('/')) options.prefix.pop_back();
    if (!options.prefix.empty()) TM_CHECK(named("prefix", check_key(options.prefix)));
    bool has_endpoint = false;
    if (question < text.size()) {
      TM_LET(const net::Query query, net::parse_query(text.substr(question + 1)));
      for (const auto& [name, value] : query) TM_CHECK(take_option(options, name, value, has_endpoint));
    }
    TM_CHECK(finish(options, environment, has_endpoint));
    return options;
  };
  // Without the query: somebody may have put a key there.
  return named(fmt::format("store '{}'", url.substr(0, url.find('?'))), parse());
}

}  // namespace tidemark::store
