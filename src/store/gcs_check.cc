#include "store/gcs_check.h"

#include <algorithm>

#include "base/rfc3339.h"
#include "store/check_rows.h"
#include "store/gcs_client.h"
#include "store/json_fields.h"
#include "store/resuming_source.h"

namespace tidemark::store {
namespace {

using nlohmann::json;
using Verdict = Finding::Verdict;

bool is_true(const json& object, const char* name) {
  const auto it = object.find(name);
  return it != object.end() && it->is_boolean() && it->get<bool>();
}

// "604800", a number in quotes, as a span of time; empty: not set, or none.
std::string span_of(const json& object, const char* name) {
  const auto seconds = parse_decimal(text_of(object, name));
  constexpr std::uint64_t kMostSeconds = 9'000'000'000;  // nanoseconds must hold it
  if (!seconds || *seconds == 0 || *seconds > kMostSeconds) return {};
  return print_duration(std::chrono::seconds(*seconds));
}

Finding versioning_finding(const json& bucket, bool kept_otherwise) {
  if (is_true(object_of(bucket, "versioning"), "enabled")) {
    return {"versioning", Verdict::good, "on: what is removed stays as a noncurrent version"};
  }
  if (kept_otherwise) return {"versioning", Verdict::good, "off; other settings keep what is removed"};
  return {"versioning", Verdict::advice,
          "off, and nothing else keeps what is removed: who may delete here deletes backups",
          "gcloud storage buckets update gs://BUCKET --soft-delete-duration=7d, or --versioning"};
}

Finding soft_delete_finding(const std::string& span) {
  if (span.empty()) return {"soft delete", Verdict::good, "off"};
  return {"soft delete", Verdict::good, fmt::format("what is removed can be had back for {}, and is paid for", span)};
}

Finding retention_finding(const json& policy) {
  const std::string span = span_of(policy, "retentionPeriod");
  if (span.empty()) {
    return {"retention policy", Verdict::advice, "none: stolen credentials can remove backups",
            "gcloud storage buckets update gs://BUCKET --retention-period=14d"};
  }
  if (is_true(policy, "isLocked")) {
    return {"retention policy", Verdict::good, fmt::format("locked, each object is kept for {}", span)};
  }
  return {"retention policy", Verdict::advice,
          fmt::format("each object is kept for {}, but who may change the bucket may end that", span),
          "lock it when the time is right for good: gcloud storage buckets update gs://BUCKET --lock-retention-period"};
}

Finding hold_finding(const json& bucket) {
  if (!is_true(bucket, "defaultEventBasedHold")) return {"object holds", Verdict::good, "none by default"};
  return {"object holds", Verdict::advice,
          "every new object is held until somebody releases it: old backups do not go away",
          "gcloud storage buckets update gs://BUCKET --no-default-event-based-hold, unless that is wanted"};
}

Finding encryption_finding(const json& bucket, const GcsOptions* options) {
  if (options != nullptr && !options->customer_key.empty()) {
    return {"encryption", Verdict::good, "with the customer's key (CSEK)"};
  }
  if (options != nullptr && !options->kms_key.empty()) {
    return {"encryption", Verdict::good, "asked for with each object: " + options->kms_key};
  }
  const std::string key = text_of(object_of(bucket, "encryption"), "defaultKmsKeyName");
  return {"encryption", Verdict::good, key.empty() ? "with Google's keys" : "the bucket's default: " + key};
}

bool has(const json& object, const char* name) { return object.find(name) != object.end(); }

// Could a rule with these conditions mean an object below `prefix`?
bool concerns(const json& condition, std::string_view prefix) {
  const auto prefixes = condition.find("matchesPrefix");
  if (prefixes == condition.end() || !prefixes->is_array() || prefixes->empty()) return true;
  return std::ranges::any_of(*prefixes, [&](const json& item) {
    const std::string one = item.is_string() ? item.get<std::string>() : std::string();
    return prefix.starts_with(one) || one.starts_with(prefix);
  });
}

std::optional<std::string> harm_of(const json& rule) {
  const json& condition = object_of(rule, "condition");
  const std::string kind = text_of(object_of(rule, "action"), "type");
  // These mean versions that nobody lists.
  const auto live = condition.find("isLive");
  const bool only_old = (live != condition.end() && live->is_boolean() && !live->get<bool>()) ||
                        has(condition, "numNewerVersions") || has(condition, "daysSinceNoncurrentTime") ||
                        has(condition, "noncurrentTimeBefore");
  if (only_old || kind != "Delete") return std::nullopt;
  const auto age = condition.find("age");
  if (age == condition.end() || !age->is_number_integer())
    return "deletes objects that it finds by other than their age";
  return fmt::format("deletes objects after {} days", age->get<std::int64_t>());
}

void add_lifecycle(std::vector<Finding>& findings, const json& bucket, std::string_view prefix) {
  const std::size_t before = findings.size();
  const auto rules = object_of(bucket, "lifecycle").find("rule");
  if (rules != object_of(bucket, "lifecycle").end() && rules->is_array()) {
    for (const json& rule : *rules) {
      if (!rule.is_object() || !concerns(object_of(rule, "condition"), prefix)) continue;
      if (const auto harm = harm_of(rule)) {
        findings.push_back({"lifecycle", Verdict::advice,
                            fmt::format("a rule {}: a delta whose full is gone cannot be restored", *harm),
                            "exempt the backups' prefix; retention that knows chains is the recorder's business"});
      }
    }
  }
  if (findings.size() == before) findings.push_back({"lifecycle", Verdict::good, "no rule deletes backups"});
}

Result<std::vector<Finding>> findings_of(const json& bucket, std::string_view prefix, const GcsOptions* options) {
  std::vector<Finding> findings;
  const std::string soft = span_of(object_of(bucket, "softDeletePolicy"), "retentionDurationSeconds");
  const json& policy = object_of(bucket, "retentionPolicy");
  findings.push_back(versioning_finding(bucket, !soft.empty() || !span_of(policy, "retentionPeriod").empty()));
  findings.push_back(soft_delete_finding(soft));
  findings.push_back(retention_finding(policy));
  findings.push_back(hold_finding(bucket));
  findings.push_back(encryption_finding(bucket, options));
  add_lifecycle(findings, bucket, prefix);
  // Other than a multipart upload of S3, a session that nobody completes ends by itself.
  findings.push_back({"abandoned uploads", Verdict::good, "sessions that are not completed vanish after a week"});
  return findings;
}

}  // namespace

Result<std::vector<Finding>> gcs_bucket_findings(std::string_view text, std::string_view prefix) {
  TM_LET(const json bucket, parse_object(text));
  return findings_of(bucket, prefix, nullptr);
}

Result<std::vector<Finding>> inspect_gcs_bucket(GcsStore& store, const Clock& clock) {
  GcsClient& client = store.client();
  const GcsOptions& options = client.options();
  const GcsCall call{.what = "describe", .key = {}, .url = client.bucket_url()};
  TM_LET(const net::Answer answer, client.call(call));
  std::vector<Finding> findings;
  const std::string origin = options.anonymous ? "nowhere" : client.credentials().origin();
  // Credentials that may write objects often may not read the bucket; Google tells that as any of these.
  const bool may_not_be_read = answer.status == 401 || answer.status == 403 || answer.status == 404;
  if (!answer.ok() && !may_not_be_read) return client.refused(call, answer);
  json bucket = json::object();
  if (answer.ok()) {
    TM_LET(bucket, named("describe the bucket", parse_object(answer.text())));
  }
  findings.push_back({"address", Verdict::good,
                      fmt::format("location {}, class {}, credentials from {}", text_of(bucket, "location"),
                                  text_of(bucket, "storageClass"), origin)});
  if (!answer.ok()) findings.back().detail = fmt::format("credentials from {}", origin);
  findings.push_back(transport_finding(options.endpoint));
  findings.push_back(clock_finding(answer, clock, "5 minutes"));
  if (!answer.ok()) {
    findings.push_back({"settings", Verdict::advice,
                        "not ours to read: soft delete, retention, holds and lifecycle rules are not known",
                        "run this check once with the permission storage.buckets.get"});
    return findings;
  }
  const std::string& prefix = options.prefix;
  TM_LET(auto more, findings_of(bucket, prefix.empty() ? prefix : prefix + "/", &options));
  findings.insert(findings.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
  return findings;
}

}  // namespace tidemark::store
