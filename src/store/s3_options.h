// What the URL of an S3 store says.
//
//   s3://bucket/prefix?endpoint=https://minio:9000&region=eu-central-1&path-style=1
//
// endpoint      default: Amazon's, or AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL. Without a scheme: https
// region        default: AWS_REGION, AWS_DEFAULT_REGION, the profile's; found out from the bucket when wrong
// path-style    1: bucket in the path, 0: in the host name. Default: in the path where a host name cannot have it
// versions      oldest (default) or latest: which version of an object counts in a bucket that keeps them
// sse           AES256, aws:kms or aws:kms:dsse;  kms-key-id  the key for it
// sse-c-key-file  a file with the customer's key, 32 bytes or base64 of them; also TIDEMARK_SSE_C_KEY_FILE
// storage-class   for example STANDARD_IA
// ca-file       authorities to trust beside the system's (PEM); also AWS_CA_BUNDLE
// checksum      0: no x-amz-checksum headers, for servers that refuse them
// No credentials: a URL is printed and logged.
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "store/environment.h"

namespace tidemark::store {

struct S3Options {
  enum class Versions { oldest, latest };

  std::string url;  // as given
  std::string bucket;
  std::string prefix;    // without slash at the end; may be empty
  std::string endpoint;  // "https://host:port"; empty: Amazon's
  std::string region;    // empty: not known yet
  bool path_style = false;
  Versions versions = Versions::oldest;
  std::string sse, kms_key_id, storage_class, ca_file;
  Buffer sse_c_key;  // 32 bytes, or none
  bool checksums = true;
};

// Errc::invalid names what is wrong; unknown options are refused.
Result<S3Options> parse_s3_url(std::string_view url, const Environment& environment);

}  // namespace tidemark::store
