#include "store/s3_source.h"

#include "store/resuming_source.h"

namespace tidemark::store {

Result<std::unique_ptr<io::Source>> open_s3(const std::shared_ptr<S3Client>& client, const std::string& key,
                                            const std::string& version, std::uint64_t offset, std::uint64_t length) {
  RangeRead range{.what = fmt::format("get '{}'", key), .offset = offset, .length = length};
  range.ask = [client, key, version](const net::Headers& headers) -> Result<net::Answer> {
    S3Call call{.what = "get", .key = key, .headers = client->customer_key_headers()};
    if (!version.empty()) call.query.emplace_back("versionId", version);
    call.headers.insert(call.headers.end(), headers.begin(), headers.end());
    TM_LET(net::Answer answer, client->stream(call));
    if (answer.ok() || answer.status == 412 || answer.status == 416) return answer;
    return client->refused(call, answer);
  };
  return open_resuming(std::move(range), client->gate(), client->stop());
}

}  // namespace tidemark::store
