#include "store/s3_store.h"

#include <algorithm>
#include <charconv>

#include "base/rfc3339.h"
#include "net/http_date.h"
#include "store/listing.h"
#include "store/s3_client.h"
#include "store/s3_source.h"
#include "store/s3_versions.h"
#include "store/s3_writer.h"
#include "store/xml.h"

namespace tidemark::store {
namespace {

Result<ListPage> parse_page(std::string_view xml) {
  ListPage page;
  ObjectInfo object;
  bool encoded = false;
  bool more = false;
  TM_CHECK(read_xml(xml, [&](const XmlElement& e) -> Status {
    // A list of buckets, or a proxy's page, must not be an empty bucket.
    if (e.root != "ListBucketResult") {
      return fail(Errc::corrupt, "'{}' is no list of objects; does the server want path-style=1?", e.root);
    }
    if (e.path == "Contents/Key") {
      object.key = e.text;
    } else if (e.path == "Contents/Size") {
      const auto [end, error] = std::from_chars(e.text.data(), e.text.data() + e.text.size(), object.size);
      if (error != std::errc()) return fail(Errc::corrupt, "'{}' is no size", e.text);
    } else if (e.path == "Contents/LastModified") {
      TM_LET(object.modified, parse_rfc3339(e.text));
    } else if (e.path == "Contents") {
      page.objects.push_back(std::exchange(object, {}));
    } else if (e.path == "IsTruncated") {
      more = e.text == "true";
    } else if (e.path == "NextContinuationToken") {
      page.next = e.text;
    } else if (e.path == "EncodingType") {
      encoded = e.text == "url";
    }
    return {};
  }));
  for (ObjectInfo& listed : page.objects) {
    TM_LET(listed.key, listed_key(listed.key, encoded));
  }
  if (more && page.next.empty()) return fail(Errc::corrupt, "there is more, but not where");
  if (!more) page.next.clear();
  return page;
}

}  // namespace

Result<std::unique_ptr<S3Store>> S3Store::open(std::string_view url, const S3Surroundings& around) {
  TM_LET(S3Options options, parse_s3_url(url, around.environment));
  auto client = std::make_shared<S3Client>(std::move(options), around.environment, *around.clock, around.seed,
                                           around.stop, around.wait);
  return std::unique_ptr<S3Store>(new S3Store(std::move(client), around));
}

S3Store::S3Store(std::shared_ptr<S3Client> client, const S3Surroundings& around)
    : client_(std::move(client)), read_only_(around.read_only), part_bytes_(around.part_bytes) {}

S3Store::~S3Store() = default;

std::string S3Store::url() const { return client_->options().url; }

const net::Traffic& S3Store::traffic() const { return client_->traffic(); }

Status S3Store::writable(std::string_view key) const {
  TM_CHECK(check_key(key));
  if (read_only()) return fail(Errc::denied, "write '{}': store {} is opened read-only", key, url());
  return {};
}

Result<bool> S3Store::by_version() {
  if (client_->options().versions == S3Options::Versions::latest) return false;
  const std::scoped_lock lock(mutex_);
  if (!by_version_) {
    TM_LET(const std::string status, versioning_of(*client_));
    by_version_ = !status.empty();
  }
  return *by_version_;
}

// The version that a listing counted; empty: none has.
std::string S3Store::counted(const std::string& full_key) {
  const std::scoped_lock lock(mutex_);
  const auto known = counted_.find(full_key);
  return known == counted_.end() ? "" : known->second;
}

Result<std::unique_ptr<ObjectWriter>> S3Store::create(std::string_view key) {
  TM_CHECK(writable(key));
  TM_LET(const bool versions, by_version());
  if (versions) {
    // A delete marker would let a second version in, which no reader would see; nor would one behind a version that
    // another tool excluded.
    TM_LET(const auto all, versions_of(*client_, client_->full_key(key)));
    if (!std::ranges::all_of(all, &S3Version::delete_marker)) {
      return fail(Errc::already_exists, "put '{}': the key is taken", key);
    }
  }
  return std::make_unique<S3Writer>(client_, client_->full_key(key), part_bytes_);
}

Result<std::unique_ptr<io::Source>> S3Store::open(std::string_view key, std::uint64_t offset, std::uint64_t length) {
  TM_CHECK(check_key(key));
  constexpr std::uint64_t kNoSuchByte = 1ULL << 62U;
  if (length == 0 || offset >= kNoSuchByte) {
    TM_CHECK(stat(key));
    return std::make_unique<io::BytesSource>(Bytes{});
  }
  const std::string full = client_->full_key(key);
  TM_LET(const bool versions, by_version());
  std::string version;
  if (versions) {
    if (const std::string known = counted(full); !known.empty()) {
      auto source = open_s3(client_, full, known, offset, length);
      if (source || source.error().code != Errc::not_found) return source;  // else it was removed since
    }
    TM_LET(const auto all, versions_of(*client_, full));
    TM_LET(const auto counts, counting_version(*client_, all));
    if (!counts) return fail(Errc::not_found, "get '{}': there is no such object", full);
    version = counts->id;
  }
  return open_s3(client_, full, version, offset, length);
}

Result<ObjectInfo> S3Store::stat(std::string_view key) {
  TM_CHECK(check_key(key));
  const std::string full = client_->full_key(key);
  TM_LET(const bool versions, by_version());
  if (versions) {
    TM_LET(const auto all, versions_of(*client_, full));
    TM_LET(const auto counts, counting_version(*client_, all));
    if (!counts) return fail(Errc::not_found, "stat '{}': there is no such object", full);
    return ObjectInfo{std::string(key), counts->size, counts->modified};
  }
  TM_LET(const net::Answer answer,
         client_->demand({.what = "stat", .method = "HEAD", .key = full, .headers = client_->customer_key_headers()}));
  ObjectInfo info{std::string(key), 0, {}};
  const std::string_view length = answer.header("Content-Length");
  const auto [end, error] = std::from_chars(length.data(), length.data() + length.size(), info.size);
  if (error != std::errc()) return fail(Errc::corrupt, "stat '{}': the answer has no length", full);
  info.modified = net::parse_http_date(answer.header("Last-Modified")).value_or(Time{});
  return info;
}

Result<ListPage> S3Store::plain_page(std::string_view prefix, const std::string& token) {
  net::Query query{{"encoding-type", "url"}, {"list-type", "2"}, {"prefix", client_->full_key(prefix)}};
  if (!token.empty()) query.emplace_back("continuation-token", token);
  TM_LET(const net::Answer answer, client_->demand({.what = "list", .query = std::move(query)}));
  return named("list", parse_page(answer.text()));
}

// All of it at once: the versions of a key may stand on two pages.
Result<ListPage> S3Store::counting_page(std::string_view prefix) {
  ListPage page;
  TM_LET(const auto all, list_versions(*client_, client_->full_key(prefix)));
  for (auto begin = all.begin(); begin != all.end();) {
    const auto end = std::find_if(begin, all.end(), [&](const S3Version& v) { return v.key != begin->key; });
    TM_LET(const auto counts, counting_version(*client_, std::span(begin, end)));
    if (counts) page.objects.push_back({counts->key, counts->size, counts->modified});
    if (counts && read_only_) {
      const std::scoped_lock lock(mutex_);
      counted_.insert_or_assign(counts->key, counts->id);
    }
    begin = end;
  }
  return page;
}

Result<std::vector<ObjectInfo>> S3Store::list(std::string_view prefix) {
  TM_LET(const bool versions, by_version());
  return list_pages(client_->options().prefix, prefix, [&](const std::string& token) {
    return versions ? counting_page(prefix) : plain_page(prefix, token);
  });
}

Status S3Store::remove(std::string_view key) {
  TM_CHECK(writable(key));
  TM_CHECK(stat(key));
  const std::string full = client_->full_key(key);
  TM_LET(const bool versions, by_version());
  if (!versions) {
    TM_CHECK(client_->demand({.what = "remove", .method = "DELETE", .key = full}));
    return {};
  }
  // The newest first: the one that counts goes last, so that a removal that fails half-way changes nothing to see.
  TM_LET(const auto all, versions_of(*client_, full));
  for (const S3Version& version : all) {
    TM_CHECK(hinted(
        client_->demand({.what = "remove", .method = "DELETE", .key = full, .query = {{"versionId", version.id}}}),
        "an object lock may hold it: tidemark store check tells"));
  }
  return {};
}

}  // namespace tidemark::store
