#include "store/gcs_store.h"

#include <algorithm>

#include "crypto/crc32c.h"
#include "io/file.h"
#include "store/gcs_client.h"
#include "store/gcs_writer.h"
#include "store/listing.h"
#include "store/resuming_source.h"

namespace tidemark::store {
namespace {

constexpr std::size_t kChunkUnit = 256UL << 10U;
constexpr std::uint64_t kLargestOffset = 1ULL << 60U;  // far beyond the service's largest object

// What the first answer says about an object that is read.
struct Opened {
  std::string generation;
  std::optional<std::uint64_t> size;
  std::optional<std::uint32_t> crc32c;
};

// "crc32c=…,md5=…", in one header or in several.
std::optional<std::uint32_t> promised_crc32c(const net::Answer& answer) {
  constexpr std::string_view kName = "crc32c=";
  for (const net::Header& header : answer.headers) {
    if (net::header_value({header}, "x-goog-hash").empty()) continue;
    const std::size_t at = header.value.find(kName);
    if (at == std::string::npos) continue;
    const std::string_view value = std::string_view(header.value).substr(at + kName.size());
    return parse_crc32c(value.substr(0, value.find(',')));
  }
  return std::nullopt;
}

// The whole object, passed on; its last byte only when the CRC-32C of all fits.
class CheckedSource final : public io::Source {
 public:
  CheckedSource(std::unique_ptr<io::Source> from, std::string key, std::shared_ptr<const Opened> opened)
      : from_(std::move(from)), key_(std::move(key)), opened_(std::move(opened)) {}
  Result<std::size_t> read(MutableBytes into) override {
    TM_LET(const std::size_t n, from_->read(into));
    crc_ = crypto::crc32c(crc_, into.first(n));
    done_ += n;
    const bool all = n == 0 ? !into.empty() : done_ == opened_->size;
    if (!all || crc_ == opened_->crc32c) return n;
    return fail(Errc::corrupt, "get '{}': CRC-32C is {:08x}, the store says {:08x}", key_, crc_, *opened_->crc32c);
  }

 private:
  std::unique_ptr<io::Source> from_;
  const std::string key_;
  std::shared_ptr<const Opened> opened_;
  std::uint64_t done_ = 0;
  std::uint32_t crc_ = 0;
};

// One GET of an object's bytes, in the generation that the first one was of.
Result<net::Answer> ask(GcsClient& client, const std::string& key, const net::Headers& range, Opened& opened) {
  const bool first = opened.generation.empty();
  net::Query query = {{"alt", "media"}};
  if (!first) query.emplace_back("generation", opened.generation);
  GcsCall call{.what = "get",
               .key = key,
               .url = client.object_url(key, std::move(query)),
               .headers = client.customer_key_headers()};
  // As it is stored: else what somebody uploaded with "Content-Encoding: gzip" comes unpacked, and without ranges.
  call.headers.push_back({"Accept-Encoding", "gzip"});
  for (const net::Header& header : range) {
    if (header.name == "Range") call.headers.push_back(header);  // the generation says more than an ETag
  }
  TM_LET(net::Answer answer, client.stream(call));
  if (answer.status == 404 && !first) return fail(Errc::conflict, "get '{}': it was removed while it was read", key);
  if (!answer.ok() && answer.status != 416) return client.refused(call, answer);
  const std::string_view sent = answer.header("Content-Encoding");
  if (sent == "gzip" && answer.header("x-goog-stored-content-encoding") == "identity") {
    return fail(Errc::unsupported, "get '{}': it comes packed, and is not stored so", key);
  }
  if (first && answer.ok()) {
    opened.generation = answer.header("x-goog-generation");
    opened.size = parse_decimal(answer.header("x-goog-stored-content-length"));
    opened.crc32c = promised_crc32c(answer);
  }
  return answer;
}

}  // namespace

Result<std::unique_ptr<GcsStore>> GcsStore::open(std::string_view url, GcsSurroundings around) {
  if (around.chunk_bytes == 0 || around.chunk_bytes % kChunkUnit != 0) {
    return fail(Errc::invalid, "store '{}': chunks of {} bytes are no multiple of 256 KiB", url, around.chunk_bytes);
  }
  TM_LET(GcsOptions options, parse_gcs_url(url, around.environment));
  auto client = std::make_shared<GcsClient>(std::move(options), around.environment, *around.clock, around.seed,
                                            around.wait, around.stop);
  return std::unique_ptr<GcsStore>(new GcsStore(std::move(client), around));
}

GcsStore::GcsStore(std::shared_ptr<GcsClient> client, const GcsSurroundings& around)
    : client_(std::move(client)), read_only_(around.read_only), chunk_bytes_(around.chunk_bytes) {}

GcsStore::~GcsStore() = default;

std::string GcsStore::url() const { return client_->options().url; }

const net::Traffic& GcsStore::traffic() const { return client_->traffic(); }

std::string GcsStore::full_key(std::string_view key) const { return key_in_bucket(client_->options().prefix, key); }

Status GcsStore::writable(std::string_view key) const {
  TM_CHECK(check_key(key));
  if (read_only()) return fail(Errc::denied, "write '{}': store {} is opened read-only", key, url());
  return {};
}

Result<std::unique_ptr<ObjectWriter>> GcsStore::create(std::string_view key) {
  TM_CHECK(writable(key));
  return std::make_unique<GcsWriter>(client_, full_key(key), chunk_bytes_);
}

Result<std::unique_ptr<io::Source>> GcsStore::open(std::string_view key, std::uint64_t offset, std::uint64_t length) {
  TM_CHECK(check_key(key));
  const std::string name = full_key(key);
  if (length == 0 || offset > kLargestOffset) {
    TM_CHECK(client_->stat(name));
    return std::make_unique<io::BytesSource>(Bytes());
  }
  auto opened = std::make_shared<Opened>();
  RangeRead range{.what = fmt::format("get '{}'", name), .offset = offset, .length = length};
  range.ask = [client = client_, name, opened](const net::Headers& headers) {
    return ask(*client, name, headers, *opened);
  };
  TM_LET(std::unique_ptr<io::Source> source, open_resuming(std::move(range), client_->gate(), client_->stop()));
  const bool whole = offset == 0 && opened->size && length >= *opened->size;
  if (!whole || !opened->crc32c) return source;
  return std::make_unique<CheckedSource>(std::move(source), name, std::move(opened));
}

Result<ObjectInfo> GcsStore::stat(std::string_view key) {
  TM_CHECK(check_key(key));
  TM_LET(const GcsObject object, client_->stat(full_key(key)));
  return ObjectInfo{std::string(key), object.size, object.created};
}

Result<std::vector<ObjectInfo>> GcsStore::list(std::string_view prefix) {
  const std::string& above = client_->options().prefix;
  return list_pages(above, prefix, [&](const std::string& token) -> Result<ListPage> {
    net::Query query = {{"prefix", key_in_bucket(above, prefix)},
                        {"maxResults", "1000"},
                        {"fields", "nextPageToken,items(name,size,timeCreated,updated,metadata)"}};
    if (!token.empty()) query.emplace_back("pageToken", token);
    const GcsCall call{.what = "list", .key = {}, .url = client_->list_url(std::move(query))};
    TM_LET(const net::Answer answer, client_->call(call));
    if (!answer.ok()) return client_->refused(call, answer);
    TM_LET(GcsPage got, named(fmt::format("list '{}'", client_->options().bucket), parse_gcs_page(answer.text())));
    ListPage page{.next = std::move(got.next)};
    for (GcsObject& object : got.objects) {
      if (!object.excluded) page.objects.push_back({std::move(object.key), object.size, object.created});
    }
    return page;
  });
}

Status GcsStore::remove(std::string_view key) {
  TM_CHECK(writable(key));
  const std::string name = full_key(key);
  // Looked at first: what was there and then is not, is what a first try did whose answer got lost. (Answer::tries does
  // not say so: libcurl itself sends again what an old connection swallowed.)
  TM_LET(const GcsObject object, client_->stat(name));
  // A condition, not "generation": who names a generation removes it for good even where the bucket keeps versions.
  const GcsCall call{.what = "remove",
                     .key = name,
                     .method = "DELETE",
                     .url = client_->object_url(name, {{"ifGenerationMatch", object.generation}})};
  TM_LET(const net::Answer answer, client_->call(call));
  if (answer.ok() || answer.status == 404 || answer.status == 412) return {};  // 412: what was looked at is gone
  return client_->refused(call, answer);
}

}  // namespace tidemark::store
