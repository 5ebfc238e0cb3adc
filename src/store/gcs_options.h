// What the URL of a Google Cloud Storage store says.
//
//   gs://bucket/prefix?kms-key=projects/P/locations/L/keyRings/R/cryptoKeys/K
//
// endpoint       default: https://storage.googleapis.com. Another one for Private Service Connect or an emulator.
//                Without a scheme: https. An http:// endpoint is an emulator: no credentials are ever sent to it
// anonymous      1: no credentials; only together with endpoint
// kms-key        the Cloud KMS key for new objects (CMEK). Default: the bucket's
// storage-class  for new objects, for example NEARLINE. Default: the bucket's
// user-project   who pays, where the bucket lets its readers pay
// ca-file        authorities to trust beside the system's (PEM)
// A customer's own key (CSEK) is never in a URL: TIDEMARK_CSEK_FILE names a file with its 32 bytes, or base64 of them.
// No credentials: a URL is printed and logged.
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "store/environment.h"

namespace tidemark::store {

struct GcsOptions {
  std::string url;  // as given
  std::string bucket;
  std::string prefix;  // without slash at the end; may be empty
  std::string endpoint = "https://storage.googleapis.com";
  bool anonymous = false;
  std::string kms_key, storage_class, user_project, ca_file;
  Buffer customer_key;  // 32 bytes, or none
};

// Errc::invalid names what is wrong; unknown options are refused.
Result<GcsOptions> parse_gcs_url(std::string_view url, const Environment& environment);

}  // namespace tidemark::store
