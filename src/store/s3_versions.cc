#include "store/s3_versions.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/rfc3339.h"
#include "store/xml.h"

namespace tidemark::store {
namespace {

constexpr const char* kExcludeTag = "x-etcd-snapshot-exclude";

struct Page {
  std::vector<S3Version> versions;
  bool more = false;
  std::string next_key, next_version;
};

Result<std::uint64_t> size_of(std::string_view text) {
  std::uint64_t size = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), size);
  if (error != std::errc() || end != text.data() + text.size()) return fail(Errc::corrupt, "'{}' is no size", text);
  return size;
}

Status take_field(S3Version& version, std::string_view name, std::string_view text) {
  if (name == "Key") {
    version.key = text;
  } else if (name == "VersionId") {
    version.id = text;
  } else if (name == "ETag") {
    version.etag = text;
  } else if (name == "Size") {
    TM_LET(version.size, size_of(text));
  } else if (name == "LastModified") {
    TM_LET(version.modified, parse_rfc3339(text));
  }
  return {};
}

Result<Page> parse_page(std::string_view xml) {
  Page page;
  S3Version version;
  bool encoded = false;
  TM_CHECK(read_xml(xml, [&](const XmlElement& e) -> Status {
    if (e.root != "ListVersionsResult" && e.root != "ListBucketResult") {
      return fail(Errc::corrupt, "'{}' is no list of versions; does the server want path-style=1?", e.root);
    }
    const std::size_t slash = std::min(e.path.find('/'), e.path.size());
    const std::string_view outer = e.path.substr(0, slash);
    if (outer == "Version" || outer == "DeleteMarker") {
      if (slash < e.path.size()) return take_field(version, e.path.substr(slash + 1), e.text);
      version.delete_marker = outer == "DeleteMarker";
      page.versions.push_back(std::exchange(version, {}));
    } else if (e.path == "IsTruncated") {
      page.more = e.text == "true";
    } else if (e.path == "NextKeyMarker") {
      page.next_key = e.text;
    } else if (e.path == "NextVersionIdMarker") {
      page.next_version = e.text;
    } else if (e.path == "EncodingType") {
      encoded = e.text == "url";
    }
    return {};
  }));
  TM_LET(page.next_key, listed_key(page.next_key, encoded));
  for (S3Version& listed : page.versions) {
    TM_LET(listed.key, listed_key(listed.key, encoded));
  }
  return page;
}

Result<std::vector<S3Version>> list_until(S3Client& client, const std::string& prefix, bool only_this_key) {
  std::vector<S3Version> all;
  net::Query query{{"encoding-type", "url"}, {"prefix", prefix}, {"versions", ""}};
  for (Page page;;) {
    net::Query asked = query;
    if (!page.next_key.empty()) asked.emplace_back("key-marker", page.next_key);
    if (!page.next_version.empty()) asked.emplace_back("version-id-marker", page.next_version);
    TM_LET(const net::Answer answer, client.demand({.what = "list versions of", .query = std::move(asked)}));
    TM_LET(Page next, named("list versions", parse_page(answer.text())));
    if (next.more && next.next_key == page.next_key && next.next_version == page.next_version) {
      return fail(Errc::corrupt, "list versions of '{}': the same page again and again", client.options().bucket);
    }
    page = std::move(next);
    for (S3Version& version : page.versions) all.push_back(std::move(version));
    if (!page.more || (only_this_key && !all.empty() && all.back().key > prefix)) break;
  }
  if (only_this_key) std::erase_if(all, [&](const S3Version& v) { return v.key != prefix; });
  // By key; what belongs to one key stays in the order of its versions. Markers and versions come in one sequence.
  std::ranges::stable_sort(all, {}, &S3Version::key);
  return all;
}

// What lies in the asking, not in the bucket: a clock that is not set yet, an old token, too many requests.
bool is_passing(const net::Answer& answer, std::string_view code) {
  if (answer.status == 401 || answer.status == 408 || answer.status == 429) return true;
  if (answer.status >= 500 && answer.status != 501) return true;
  constexpr std::array<std::string_view, 8> kCodes = {
      "NoSuchBucket",          "RequestTimeTooSkewed",         "ExpiredToken",     "InvalidToken", "InvalidAccessKeyId",
      "SignatureDoesNotMatch", "AuthorizationHeaderMalformed", "PermanentRedirect"};
  return std::ranges::find(kCodes, code) != kCodes.end();
}

// Only an answer that is about the tags decides: taken for "not excluded", any other would show what is hidden.
bool says_no_tags(const net::Answer& answer) {
  const std::string code = read_refusal(answer).code;
  if (is_passing(answer, code)) return false;
  const bool none = answer.status == 404 || code == "NoSuchTagSet";
  const bool not_ours = answer.status == 403 && code == "AccessDenied";
  const bool unknown_there = answer.status == 405 || answer.status == 501 || code == "NotImplemented";
  return none || not_ours || unknown_there;
}

Result<bool> excluded(S3Client& client, const S3Version& version) {
  const S3Call call{
      .what = "read the tags of", .key = version.key, .query = {{"tagging", ""}, {"versionId", version.id}}};
  TM_LET(const net::Answer answer, client.call(call));
  if (!answer.ok()) {
    if (says_no_tags(answer)) return false;
    return client.refused(call, answer);
  }
  bool found = false;
  bool tags = false;
  std::string key;
  std::string value;
  TM_CHECK(named("tags", read_xml(answer.text(), [&](const XmlElement& e) -> Status {
                   tags = tags || e.root == "Tagging";
                   if (e.path == "TagSet/Tag/Key") key = e.text;
                   if (e.path == "TagSet/Tag/Value") value = e.text;
                   if (e.path != "TagSet/Tag") return {};
                   found = found || (key == kExcludeTag && value == "true");
                   key.clear();
                   value.clear();
                   return {};
                 })));
  if (!tags) return fail(Errc::corrupt, "tags of '{}': the answer has none", version.key);
  return found;
}

}  // namespace

Result<std::string> versioning_of(S3Client& client) {
  const S3Call call{.what = "read versioning of", .query = {{"versioning", ""}}};
  TM_LET(const net::Answer answer, client.call(call));
  if (!answer.ok()) {
    // Only a bucket that does not say is taken for one without versions; what passes would otherwise be remembered for
    // as long as the program runs.
    if (is_passing(answer, read_refusal(answer).code)) return client.refused(call, answer);
    return std::string();
  }
  TM_LET(const auto fields, named("versioning", read_flat_xml(answer.text())));
  const auto status = fields.find("Status");
  return status == fields.end() ? std::string() : status->second;
}

Result<std::vector<S3Version>> list_versions(S3Client& client, const std::string& prefix) {
  return list_until(client, prefix, false);
}

Result<std::vector<S3Version>> versions_of(S3Client& client, const std::string& key) {
  return list_until(client, key, true);
}

Result<std::optional<S3Version>> counting_version(S3Client& client, std::span<const S3Version> of_one_key) {
  const S3Version* oldest = nullptr;
  bool hidden = false;
  for (const S3Version& version : of_one_key) {
    hidden = hidden || version.delete_marker;
    if (!version.delete_marker) oldest = &version;
  }
  if (oldest == nullptr) return std::nullopt;
  if (hidden) {
    TM_LET(const bool gone, excluded(client, *oldest));
    if (gone) return std::nullopt;
  }
  return *oldest;
}

}  // namespace tidemark::store
