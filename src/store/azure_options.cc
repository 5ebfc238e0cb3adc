#include "store/azure_options.h"

#include <algorithm>
#include <optional>

#include "net/url.h"
#include "store/customer_key.h"
#include "store/object_store.h"

namespace tidemark::store {
namespace {

// Azurite's account; its key is public.
constexpr const char* kEmulatorAccount = "devstoreaccount1";
constexpr const char* kEmulatorKey =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

bool lower_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

Status check_account(std::string_view account) {
  if (account.size() < 3 || account.size() > 24 || !std::ranges::all_of(account, lower_or_digit)) {
    return fail(Errc::invalid, "'{}' is no name of a storage account (3 to 24 small letters and digits)", account);
  }
  return {};
}

Status check_container(std::string_view name) {
  const bool plain = std::ranges::all_of(name, [](char c) { return lower_or_digit(c) || c == '-'; });
  const bool dashes = name.starts_with('-') || name.ends_with('-') || name.find("--") != std::string_view::npos;
  if (name == "$root" || (name.size() >= 3 && name.size() <= 63 && plain && !dashes)) return {};
  return fail(Errc::invalid, "'{}' is no name of a container (3 to 63 small letters, digits and single dashes)", name);
}

Result<net::Url> parse_endpoint(std::string text) {
  if (text.find("://") == std::string::npos) text.insert(0, "https://");
  while (text.ends_with('/')) text.pop_back();
  TM_LET(net::Url url, named("endpoint", net::parse_url(text)));
  if (!url.query.empty()) return fail(Errc::invalid, "endpoint: scheme, host, port and path are all that it may have");
  return url;
}

struct Given {
  std::string endpoint, key_file;
  std::optional<bool> account_in_path;
};

Status take_option(AzureOptions& o, Given& given, const std::string& name, const std::string& value) {
  if (name == "endpoint") {
    given.endpoint = value;
  } else if (name == "account-in-path" && (value == "0" || value == "1")) {
    given.account_in_path = value == "1";
  } else if (name == "encryption-scope") {
    o.encryption_scope = value;
  } else if (name == "encryption-key-file") {
    given.key_file = value;
  } else if (name == "access-tier" && (value == "Hot" || value == "Cool" || value == "Cold")) {
    o.access_tier = value;
  } else if (name == "ca-file") {
    o.ca_file = value;
  } else if (name == "account-in-path" || name == "access-tier") {
    return fail(Errc::invalid, "{}={}: expected {}", name, value,
                name == "access-tier" ? "Hot, Cool or Cold" : "0 or 1");
  } else {
    return fail(Errc::invalid, "unknown option '{}'", name);
  }
  return {};
}

Status find_endpoint(AzureOptions& o, const Given& given, const Environment& environment) {
  std::string text = given.endpoint;
  bool complete = false;  // a connection string's endpoint has the account already
  if (const std::string connection = environment("AZURE_STORAGE_CONNECTION_STRING");
      text.empty() && !connection.empty()) {
    TM_LET(const AzureConnection parsed, parse_azure_connection(connection));
    if (parsed.account.empty() || parsed.account == o.account) text = parsed.blob_endpoint;
    complete = !text.empty();
  }
  if (text.empty()) text = "https://" + o.account + ".blob.core.windows.net";
  TM_LET(const net::Url url, parse_endpoint(text));
  o.endpoint = url.origin() + url.path;
  const bool in_path = given.account_in_path.value_or(!complete && url.path.empty() && net::is_address(url.host));
  if (in_path) o.endpoint += "/" + o.account;
  if (!o.encryption_key.empty() && !net::is_private(o.endpoint)) {
    return fail(Errc::invalid, "a customer's key is sent with each request: the endpoint must be https");
  }
  return {};
}

Status take_place(AzureOptions& o, std::string_view place) {
  const std::size_t slash = place.find('/');
  o.account = place.substr(0, slash);
  TM_CHECK(check_account(o.account));
  if (slash == std::string_view::npos || slash + 1 == place.size()) {
    return fail(Errc::invalid, "no container given, expected az://account/container/prefix");
  }
  place.remove_prefix(slash + 1);
  const std::size_t end = std::min(place.find('/'), place.size());
  o.container = place.substr(0, end);
  TM_CHECK(check_container(o.container));
  if (end < place.size()) o.prefix = place.substr(end + 1);
  while (o.prefix.ends_with('/')) o.prefix.pop_back();
  if (!o.prefix.empty()) TM_CHECK(named("prefix", check_key(o.prefix)));
  return {};
}

std::string with_scheme(const std::string& scheme, const std::string& rest) {
  return (scheme.empty() ? "https" : scheme) + "://" + rest;
}

}  // namespace

Result<AzureOptions> parse_azure_url(std::string_view url, const Environment& environment) {
  const auto parse = [&]() -> Result<AzureOptions> {
    AzureOptions o;
    o.url = url;
    std::string_view text = url;
    if (!text.starts_with("az://")) return fail(Errc::invalid, "expected az://account/container/prefix");
    text.remove_prefix(5);
    const std::size_t question = std::min(text.find('?'), text.size());
    TM_CHECK(take_place(o, text.substr(0, question)));
    Given given;
    if (question < text.size()) {
      TM_LET(const net::Query query, net::parse_query(text.substr(question + 1)));
      for (const auto& [name, value] : query) TM_CHECK(take_option(o, given, name, value));
    }
    if (given.key_file.empty()) given.key_file = environment("TIDEMARK_AZURE_ENCRYPTION_KEY_FILE");
    if (!given.key_file.empty()) {
      TM_LET(o.encryption_key, named("encryption-key-file", read_customer_key(given.key_file)));
    }
    if (!o.encryption_key.empty() && !o.encryption_scope.empty()) {
      return fail(Errc::invalid, "an encryption scope and a customer's key exclude each other");
    }
    TM_CHECK(find_endpoint(o, given, environment));
    return o;
  };
  // A token that somebody put into the URL must not come back in the message.
  return named(fmt::format("store '{}'", url.substr(0, url.find('?'))), parse());
}

Result<AzureConnection> parse_azure_connection(std::string_view text) {
  AzureConnection c;
  std::string protocol, suffix = "core.windows.net";
  bool emulator = false;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(';'), text.size());
    const std::string_view part = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (part.empty()) continue;
    const std::size_t equals = part.find('=');
    if (equals == std::string_view::npos) {
      return fail(Errc::invalid, "AZURE_STORAGE_CONNECTION_STRING: a part without '='");
    }
    const std::string_view name = part.substr(0, equals);
    const std::string value(part.substr(equals + 1));
    if (name == "AccountName") c.account = value;
    if (name == "AccountKey") c.key = value;
    if (name == "SharedAccessSignature") c.sas = value.starts_with('?') ? value.substr(1) : value;
    if (name == "BlobEndpoint") c.blob_endpoint = value;
    if (name == "EndpointSuffix") suffix = value;
    if (name == "DefaultEndpointsProtocol") protocol = value;
    if (name == "UseDevelopmentStorage") emulator = value == "true";
  }
  if (emulator) {
    c = {kEmulatorAccount, kEmulatorKey, {}, fmt::format("http://127.0.0.1:10000/{}", kEmulatorAccount)};
  }
  if (c.blob_endpoint.empty() && !c.account.empty()) {
    c.blob_endpoint = with_scheme(protocol, c.account + ".blob." + suffix);
  }
  while (c.blob_endpoint.ends_with('/')) c.blob_endpoint.pop_back();
  if (c.key.empty() && c.sas.empty()) {
    return fail(Errc::invalid, "AZURE_STORAGE_CONNECTION_STRING has neither AccountKey nor SharedAccessSignature");
  }
  return c;
}

}  // namespace tidemark::store
