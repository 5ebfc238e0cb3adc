#include "store/azure_store.h"

#include <algorithm>

#include "base/log.h"
#include "net/http_date.h"
#include "store/azure_client.h"
#include "store/azure_writer.h"
#include "store/listing.h"
#include "store/resuming_source.h"
#include "store/xml.h"

namespace tidemark::store {
namespace {

constexpr const char* kExcludeTag = "x-etcd-snapshot-exclude";
constexpr std::uint64_t kMostForRangeMd5 = 4UL << 20U;  // more the service does not hash

struct Entry {
  ObjectInfo object;
  bool tagged = false, directory = false;
};

struct Entries {
  std::vector<Entry> all;
  std::string next;
};

Result<Entries> parse_page(std::string_view xml) {
  Entries page;
  Entry entry;
  TM_CHECK(read_xml(xml, [&](const XmlElement& e) -> Status {
    if (e.root != "EnumerationResults") return fail(Errc::corrupt, "'{}' is no listing", e.root);
    constexpr std::string_view kProperties = "Blobs/Blob/Properties/";
    if (e.path == "Blobs/Blob/Name") {
      entry.object.key = e.text;
    } else if (e.path == "Blobs/Blob") {
      page.all.push_back(std::exchange(entry, {}));
    } else if (e.path == "NextMarker") {
      page.next = e.text;
    } else if (e.path.starts_with(kProperties)) {
      const std::string_view name = e.path.substr(kProperties.size());
      if (name == "Content-Length") {
        const auto size = parse_decimal(e.text);
        if (!size) return fail(Errc::corrupt, "'{}' is no size", e.text);
        entry.object.size = *size;
      } else if (name == "Last-Modified") {
        const auto time = net::parse_http_date(e.text);
        if (!time) return fail(Errc::corrupt, "'{}' is no date", e.text);
        entry.object.modified = *time;
      } else if (name == "ResourceType") {
        entry.directory = e.text == "directory";
      } else if (name == "TagCount") {
        entry.tagged = e.text != "0";
      }
    }
    return {};
  }));
  return page;
}

std::optional<crypto::Md5Digest> digest_of(std::string_view base64) {
  const auto bytes = crypto::from_base64(base64);
  crypto::Md5Digest digest{};
  if (!bytes || bytes->size() != digest.size()) return std::nullopt;
  std::ranges::copy(*bytes, digest.begin());
  return digest;
}

// Content-MD5 is of what is in the answer; x-ms-blob-content-md5 of the whole blob, which a range may cover.
std::optional<crypto::Md5Digest> promised_md5(const net::Answer& answer) {
  if (auto own = digest_of(answer.header("Content-MD5"))) return own;
  const std::string_view range = answer.header("Content-Range");
  const std::string_view length = answer.header("Content-Length");
  if (!range.starts_with("bytes 0-") || !range.ends_with(fmt::format("/{}", length))) return std::nullopt;
  return digest_of(answer.header("x-ms-blob-content-md5"));
}

}  // namespace

Result<std::unique_ptr<AzureStore>> AzureStore::open(std::string_view url, const AzureSurroundings& around) {
  TM_LET(AzureOptions options, parse_azure_url(url, around.environment));
  auto client = std::make_shared<AzureClient>(std::move(options), around.environment, *around.clock, around.seed,
                                              around.stop, around.wait);
  return std::unique_ptr<AzureStore>(new AzureStore(std::move(client), around));
}

AzureStore::AzureStore(std::shared_ptr<AzureClient> client, const AzureSurroundings& around)
    : client_(std::move(client)),
      read_only_(around.read_only),
      block_bytes_(around.block_bytes),
      page_keys_(around.page_keys) {}

AzureStore::~AzureStore() = default;

std::string AzureStore::url() const { return client_->options().url; }

const net::Traffic& AzureStore::traffic() const { return client_->traffic(); }

std::string AzureStore::full_key(std::string_view key) const { return key_in_bucket(client_->options().prefix, key); }

Status AzureStore::writable(std::string_view key) const {
  TM_CHECK(check_key(key));
  if (read_only()) return fail(Errc::denied, "write '{}': store {} is opened read-only", key, url());
  return {};
}

Result<std::unique_ptr<ObjectWriter>> AzureStore::create(std::string_view key) {
  TM_CHECK(writable(key));
  return std::make_unique<AzureWriter>(client_, full_key(key), block_bytes_);
}

Result<std::unique_ptr<io::Source>> AzureStore::open(std::string_view key, std::uint64_t offset, std::uint64_t length) {
  TM_CHECK(check_key(key));
  constexpr std::uint64_t kNoSuchByte = 1ULL << 53U;
  if (length == 0 || offset >= kNoSuchByte) {
    TM_CHECK(stat(key));
    return std::make_unique<io::BytesSource>(Bytes{});
  }
  const std::string full = full_key(key);
  RangeRead range{.what = fmt::format("get '{}'", full), .offset = offset, .length = length};
  range.promised_md5 = promised_md5;
  range.ask = [client = client_, full,
               small = length <= kMostForRangeMd5](const net::Headers& headers) -> Result<net::Answer> {
    AzureCall call{.what = "get", .key = full, .headers = client->key_headers()};
    call.headers.insert(call.headers.end(), headers.begin(), headers.end());
    if (small) call.headers.push_back({"x-ms-range-get-content-md5", "true"});
    TM_LET(net::Answer answer, client->stream(call));
    if (answer.ok() || answer.status == 416) return answer;
    if (answer.status == 412 && read_azure_refusal(answer).code != "LeaseIdMissing") return answer;
    return client->refused(call, answer);
  };
  return open_resuming(std::move(range), client_->gate(), client_->stop());
}

Result<ObjectInfo> AzureStore::stat(std::string_view key) {
  TM_CHECK(check_key(key));
  const std::string full = full_key(key);
  TM_LET(const net::Answer answer,
         client_->demand({.what = "stat", .method = "HEAD", .key = full, .headers = client_->key_headers()}));
  const auto size = parse_decimal(answer.header("Content-Length"));
  if (!size) return fail(Errc::corrupt, "stat '{}': the answer has no length", full);
  return ObjectInfo{std::string(key), *size, net::parse_http_date(answer.header("Last-Modified")).value_or(Time{})};
}

// Whoever may list may not always read tags; then nothing is known to be excluded, and that is said.
Result<bool> AzureStore::excluded(const std::string& full_key) {
  const AzureCall call{.what = "read the tags of", .key = full_key, .query = {{"comp", "tags"}}};
  TM_LET(const net::Answer answer, client_->call(call));
  if (answer.status == 404) return true;  // removed since
  if (answer.status == 403 && !tags_denied_.exchange(true)) {
    log_warning("index tags cannot be read: excluded snapshots are listed too", "container={} tag={}",
                client_->options().container, kExcludeTag);
  }
  if (answer.status == 403) return false;
  if (!answer.ok()) return client_->refused(call, answer);
  bool found = false;
  std::string key, value;
  TM_CHECK(
      named(fmt::format("read the tags of '{}'", full_key), read_xml(answer.text(), [&](const XmlElement& e) -> Status {
              if (e.path == "TagSet/Tag/Key") key = e.text;
              if (e.path == "TagSet/Tag/Value") value = e.text;
              if (e.path == "TagSet/Tag") found = found || (key == kExcludeTag && value == "true");
              return {};
            })));
  return found;
}

Result<std::vector<ObjectInfo>> AzureStore::list(std::string_view prefix) {
  const std::string full = full_key(prefix);
  return list_pages(client_->options().prefix, prefix, [&](const std::string& marker) -> Result<ListPage> {
    net::Query query{{"comp", "list"}, {"restype", "container"}, {"maxresults", std::to_string(page_keys_)}};
    if (!full.empty()) query.emplace_back("prefix", full);
    if (!marker.empty()) query.emplace_back("marker", marker);
    TM_LET(const net::Answer answer, client_->demand({.what = "list", .query = std::move(query)}));
    TM_LET(Entries entries, named(fmt::format("list '{}'", client_->options().container), parse_page(answer.text())));
    ListPage page;
    page.next = std::move(entries.next);
    for (Entry& entry : entries.all) {
      if (entry.directory) continue;
      if (entry.tagged) {
        TM_LET(const bool skip, excluded(entry.object.key));
        if (skip) continue;
      }
      page.objects.push_back(std::move(entry.object));
    }
    return page;
  });
}

Status AzureStore::remove(std::string_view key) {
  TM_CHECK(writable(key));
  const AzureCall call{.what = "remove", .method = "DELETE", .key = full_key(key)};
  TM_LET(const net::Answer answer, client_->call(call));
  if (answer.ok()) return {};
  if (answer.status == 404 && answer.tries > 1 && read_azure_refusal(answer).code == "BlobNotFound") {
    return {};  // by the try whose answer got lost
  }
  return client_->refused(call, answer);
}

}  // namespace tidemark::store
