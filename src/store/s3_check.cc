#include "store/s3_check.h"

#include "store/check_rows.h"
#include "store/s3_client.h"
#include "store/s3_versions.h"
#include "store/xml.h"

namespace tidemark::store {
namespace {

using Verdict = Finding::Verdict;

constexpr const char* kAbortRule =
    "add a rule: {\"Rules\":[{\"ID\":\"abort-uploads\",\"Status\":\"Enabled\",\"Filter\":{\"Prefix\":\"\"},"
    "\"AbortIncompleteMultipartUpload\":{\"DaysAfterInitiation\":2}}]}";

Result<net::Answer> ask(S3Client& client, const char* setting) {
  return client.call({.what = fmt::format("read {} of", setting), .query = {{setting, ""}}});
}

Finding versioning_finding(const std::string& status, const S3Options& options) {
  if (status.empty()) {
    return {"versioning", Verdict::advice, "off, or not ours to ask: who may delete here deletes backups",
            "turn versioning on, better with an object lock"};
  }
  if (options.versions == S3Options::Versions::latest) {
    return {"versioning", Verdict::advice, status + ", but versions=latest: an overwritten or deleted backup is gone",
            "leave versions=latest out"};
  }
  return {"versioning", Verdict::good, status + ": the oldest version of a key counts, nobody can replace a backup"};
}

Finding lock_finding(const net::Answer& answer) {
  const auto fields = read_flat_xml(answer.text());
  if (!answer.ok() || !fields || !fields->contains("ObjectLockEnabled")) {
    return {"object lock", Verdict::advice, "none: stolen credentials can delete backups",
            "make the bucket with an object lock and a default retention"};
  }
  const auto get = [&](const char* name) {
    const auto it = fields->find(std::string("Rule/DefaultRetention/") + name);
    return it == fields->end() ? std::string() : it->second;
  };
  if (get("Mode").empty()) {
    return {"object lock", Verdict::advice, "enabled, but without a default retention: new backups are not held",
            "set a default retention of the bucket"};
  }
  const std::string span = get("Days").empty() ? get("Years") + " years" : get("Days") + " days";
  return {"object lock", Verdict::good, fmt::format("{}, each backup is held for {}", get("Mode"), span)};
}

Finding encryption_finding(const net::Answer& answer, const S3Options& options) {
  if (!options.sse_c_key.empty()) return {"encryption", Verdict::good, "with the customer's key (SSE-C)"};
  if (!options.sse.empty()) return {"encryption", Verdict::good, "asked for with each object: " + options.sse};
  const auto fields = read_flat_xml(answer.text());
  const std::string path = "Rule/ApplyServerSideEncryptionByDefault/SSEAlgorithm";
  if (answer.ok() && fields && fields->contains(path)) {
    return {"encryption", Verdict::good, "the bucket's default: " + fields->at(path)};
  }
  return {"encryption", Verdict::advice, "none that the bucket tells of: a backup of etcd holds every Secret",
          "turn the bucket's default encryption on, or add sse=aws:kms to the URL"};
}

Result<Finding> uploads_finding(S3Client& client) {
  TM_LET(const net::Answer answer, ask(client, "uploads"));
  std::size_t open = 0;
  bool more = false;
  const Status read = !answer.ok() ? Status{} : read_xml(answer.text(), [&](const XmlElement& e) -> Status {
    if (e.path == "Upload/UploadId") ++open;
    if (e.path == "IsTruncated") more = e.text == "true";
    return {};
  });
  TM_CHECK(named("uploads", read));
  if (open == 0) return Finding{"unfinished uploads", Verdict::good, "none"};
  return Finding{
      "unfinished uploads", Verdict::advice,
      fmt::format("{}{} begun and not completed, by whomever: their parts are paid for", open, more ? " or more" : ""),
      kAbortRule};
}

struct Rule {
  std::string id, status, prefix;
  bool aborts = false, expires = false, expires_old = false, archives = false;
};

void take_field(Rule& rule, std::string_view name, std::string_view text) {
  if (name == "ID") rule.id = text;
  if (name == "Status") rule.status = text;
  if (name == "Prefix" || name == "Filter/Prefix" || name == "Filter/And/Prefix") rule.prefix = text;
  if (name == "AbortIncompleteMultipartUpload/DaysAfterInitiation") rule.aborts = true;
  if (name == "Expiration/Days" || name == "Expiration/Date") rule.expires = true;
  if (name == "NoncurrentVersionExpiration/NoncurrentDays") rule.expires_old = true;
  if (name == "Transition/StorageClass" && (text == "GLACIER" || text == "DEEP_ARCHIVE")) rule.archives = true;
}

}  // namespace

Result<std::vector<Finding>> lifecycle_findings(std::string_view xml, std::string_view prefix) {
  std::vector<Finding> findings;
  bool aborts = false;
  Rule rule;
  const auto end_rule = [&](const Rule& r) {
    const bool ours = prefix.starts_with(r.prefix) || r.prefix.starts_with(prefix);
    if (r.status != "Enabled" || !ours) return;
    aborts = aborts || (r.aborts && prefix.starts_with(r.prefix));
    const auto warn = [&](std::string_view does) {
      findings.push_back({"lifecycle", Verdict::advice, fmt::format("rule '{}' {}", r.id, does),
                          "exempt the backups' prefix; retention that knows chains is the recorder's business"});
    };
    if (r.expires) warn("deletes objects by age: a delta whose full is gone cannot be restored");
    if (r.expires_old) warn("deletes old versions by age, and the oldest version is the one that counts");
    if (r.archives) warn("moves objects to an archive, where a restore cannot read them at once");
  };
  TM_CHECK(read_xml(xml, [&](const XmlElement& e) -> Status {
    if (e.path == "Rule") {
      end_rule(std::exchange(rule, {}));
    } else if (e.path.starts_with("Rule/")) {
      take_field(rule, e.path.substr(5), e.text);
    }
    return {};
  }));
  if (aborts) {
    findings.push_back({"abandoned uploads", Verdict::good, "a lifecycle rule removes them"});
  } else {
    findings.push_back({"abandoned uploads", Verdict::advice,
                        "no lifecycle rule removes what a killed recorder leaves of an upload", kAbortRule});
  }
  return findings;
}

Result<std::vector<Finding>> inspect_bucket(S3Store& store, const Clock& clock) {
  S3Client& client = store.client();
  std::vector<Finding> findings;
  findings.push_back(
      {"address", Verdict::good,
       fmt::format("region {}, {} style, credentials from {}", client.region(),
                   client.options().path_style ? "path" : "virtual host", client.credentials().origin())});
  findings.push_back(transport_finding(client.options().endpoint));
  TM_LET(const std::string versioning, versioning_of(client));
  findings.push_back(versioning_finding(versioning, client.options()));
  TM_LET(const net::Answer lock, ask(client, "object-lock"));
  findings.push_back(lock_finding(lock));
  findings.push_back(clock_finding(lock, clock, "15 minutes"));
  TM_LET(const net::Answer encryption, ask(client, "encryption"));
  findings.push_back(encryption_finding(encryption, client.options()));
  TM_LET(Finding uploads, uploads_finding(client));
  findings.push_back(std::move(uploads));
  TM_LET(const net::Answer lifecycle, ask(client, "lifecycle"));
  const std::string_view rules = lifecycle.ok() ? lifecycle.text() : "<LifecycleConfiguration/>";
  const std::string& prefix = client.options().prefix;
  TM_LET(auto more, named("lifecycle", lifecycle_findings(rules, prefix.empty() ? prefix : prefix + "/")));
  findings.insert(findings.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
  return findings;
}

}  // namespace tidemark::store
