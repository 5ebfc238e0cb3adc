// What the URL of an Azure Blob store says.
//
//   az://account/container/prefix?endpoint=https://account.blob.core.chinacloudapi.cn&encryption-scope=backups
//
// endpoint             default: AZURE_STORAGE_CONNECTION_STRING's, else https://ACCOUNT.blob.core.windows.net. Without
// a
//                      scheme: https. May have a path, where a server wants the account in it
// account-in-path      1: /ACCOUNT comes after the endpoint, 0: it does not. Default: where the endpoint is an address
//                      or localhost and has no path (azurite)
// encryption-scope     the scope that what is written is encrypted under
// encryption-key-file  a file with the customer's key, 32 bytes or base64 of them; also
//                      TIDEMARK_AZURE_ENCRYPTION_KEY_FILE
// access-tier          Hot, Cool or Cold for what is written; default: the account's
// ca-file              authorities to trust beside the system's (PEM)
// No credentials: a URL is printed and logged.
#pragma once

#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "store/environment.h"

namespace tidemark::store {

struct AzureOptions {
  std::string url;  // as it was given
  std::string account, container;
  std::string prefix;    // without slashes at its ends; empty: the whole container
  std::string endpoint;  // scheme, host and path, without a slash at the end: what "/container" is put behind
  std::string encryption_scope;
  Buffer encryption_key;  // 32 bytes, or none
  std::string access_tier;
  std::string ca_file;
};

// Errc::invalid with what is wrong; Errc::not_found: no such key file.
Result<AzureOptions> parse_azure_url(std::string_view url, const Environment& environment);

// AZURE_STORAGE_CONNECTION_STRING: "AccountName=…;AccountKey=…" or with SharedAccessSignature, BlobEndpoint,
// EndpointSuffix, DefaultEndpointsProtocol. Messages never hold a value.
struct AzureConnection {
  std::string account, key, sas;  // sas: without '?'
  std::string blob_endpoint;      // without a slash at the end; empty: the usual one
};
Result<AzureConnection> parse_azure_connection(std::string_view text);

}  // namespace tidemark::store
