#include "store/azure_check.h"

#include "store/azure_client.h"
#include "store/check_rows.h"
#include "store/xml.h"

namespace tidemark::store {
namespace {

using Verdict = Finding::Verdict;

// A refusal of what only some rights may ask is an answer too; nothing else is.
Result<net::Answer> ask(AzureClient& client, const AzureCall& call) {
  TM_LET(net::Answer answer, client.call(call));
  const bool not_ours = answer.status == 400 || answer.status == 403 || answer.status == 404 || answer.status == 501;
  if (!answer.ok() && !not_ours) return client.refused(call, answer);
  return answer;
}

Finding unread(const char* name, std::string_view what) {
  return {name, Verdict::advice, fmt::format("not ours to read: {}", what),
          "run this check once with an account key, or look at the account's settings"};
}

// The id of the version that a write made; empty: none are kept. nullopt: nothing may be written.
Result<std::optional<std::string>> version_of_a_write(AzureClient& client, const std::string& key) {
  AzureCall put{.what = "put", .method = "PUT", .key = key, .headers = client.write_headers()};
  put.headers.push_back({"x-ms-blob-type", "BlockBlob"});
  TM_LET(const net::Answer answer, ask(client, put));
  if (!answer.ok()) return std::nullopt;
  // A policy may keep it: the rows about removal have told that.
  TM_CHECK(client.call({.what = "remove", .method = "DELETE", .key = key}));
  return std::string(answer.header("x-ms-version-id"));
}

Finding versioning_finding(const std::optional<std::string>& version) {
  if (!version) return unread("versioning", "nothing may be written here");
  if (version->empty()) {
    return {"versioning", Verdict::advice, "off: a blob that is removed is gone, unless soft delete keeps it",
            "az storage account blob-service-properties update --enable-versioning true"};
  }
  return {"versioning", Verdict::good, "on: what is removed stays as a previous version"};
}

Finding namespace_finding(const net::Answer& account) {
  const std::string_view flat = account.header("x-ms-is-hns-enabled");
  if (!account.ok() || flat.empty()) return unread("hierarchical namespace", "whether the account has one");
  if (flat == "true") {
    return {"hierarchical namespace", Verdict::advice, "on: such accounts keep no versions of blobs",
            "an account without it is the better place for backups; soft delete works in both"};
  }
  return {"hierarchical namespace", Verdict::good, "off"};
}

Finding encryption_finding(const AzureOptions& options, const net::Answer& container) {
  if (!options.encryption_key.empty()) return {"encryption", Verdict::good, "with the customer's key"};
  if (!options.encryption_scope.empty()) {
    return {"encryption", Verdict::good, "asked for with each blob: scope " + options.encryption_scope};
  }
  const std::string_view scope = container.header("x-ms-default-encryption-scope");
  if (scope.empty() || scope == "$account-encryption-key") {
    return {"encryption", Verdict::good, "with the account's key"};
  }
  return {"encryption", Verdict::good, fmt::format("the container's default: scope {}", scope)};
}

}  // namespace

std::vector<Finding> azure_container_findings(const net::Headers& headers) {
  const auto is = [&](const char* name) { return net::header_value(headers, name) == "true"; };
  const bool policy = is("x-ms-has-immutability-policy");
  const bool hold = is("x-ms-has-legal-hold");
  const bool each = is("x-ms-immutable-storage-with-versioning-enabled");
  std::vector<Finding> findings;
  if (policy || hold || each) {
    std::string what = policy ? "a retention policy of the container" : "";
    if (hold) what += (what.empty() ? "" : ", ") + std::string("a legal hold");
    if (each) what += (what.empty() ? "" : ", ") + std::string("policies of single versions");
    findings.push_back({"immutability", Verdict::good, what + ": nobody can remove a backup before its time"});
  } else {
    findings.push_back({"immutability", Verdict::advice, "none: stolen credentials can remove backups",
                        "az storage container immutability-policy create --period 14 …"});
  }
  if (hold) {
    findings.push_back({"legal hold", Verdict::advice, "nothing can be removed until it is lifted: old backups stay",
                        "az storage container legal-hold clear, unless that is wanted"});
  }
  if (const std::string_view open = net::header_value(headers, "x-ms-blob-public-access"); !open.empty()) {
    findings.push_back({"public access", Verdict::unfit,
                        fmt::format("{}: everybody can read backups, Secrets included", open),
                        "az storage container set-permission --public-access off"});
  }
  return findings;
}

Result<Finding> azure_soft_delete_finding(std::string_view xml) {
  if (xml.empty()) return unread("soft delete", "whether removed blobs are kept for a while");
  TM_LET(const auto fields, read_flat_xml(xml));
  const auto get = [&](const char* name) {
    const auto it = fields.find(std::string("DeleteRetentionPolicy/") + name);
    return it == fields.end() ? std::string() : it->second;
  };
  if (get("Enabled") == "true") {
    return Finding{"soft delete", Verdict::good,
                   fmt::format("what is removed can be had back for {} days, and is paid for", get("Days"))};
  }
  return Finding{"soft delete", Verdict::advice, "off: who may delete here deletes backups",
                 "az storage account blob-service-properties update --enable-delete-retention true "
                 "--delete-retention-days 14"};
}

Result<std::vector<Finding>> inspect_container(AzureStore& store, const Clock& clock) {
  AzureClient& client = store.client();
  const AzureOptions& options = client.options();
  TM_LET(const net::Answer container,
         ask(client, {.what = "properties of", .method = "HEAD", .query = {{"restype", "container"}}}));
  TM_LET(
      const net::Answer account,
      ask(client, {.what = "account of", .method = "HEAD", .query = {{"comp", "properties"}, {"restype", "account"}}}));
  TM_LET(const net::Answer service, ask(client, {.what = "settings of the account of",
                                                 .query = {{"comp", "properties"}, {"restype", "service"}},
                                                 .of_service = true}));
  std::vector<Finding> findings;
  const std::string_view kind = account.header("x-ms-sku-name");
  findings.push_back({"address", Verdict::good,
                      fmt::format("account {} ({}), credentials from {}", options.account,
                                  kind.empty() ? "kind not ours to read" : kind, client.credentials().origin())});
  findings.push_back(transport_finding(options.endpoint));
  findings.push_back(clock_finding(container, clock, "15 minutes"));
  const std::string key = store.full_key(fmt::format("tidemark/check/version-{:016x}", client.fresh_nonce()));
  TM_LET(const auto version, version_of_a_write(client, key));
  findings.push_back(versioning_finding(version));
  TM_LET(Finding soft, named("settings", azure_soft_delete_finding(service.ok() ? service.text() : "")));
  findings.push_back(std::move(soft));
  if (container.ok()) {
    auto more = azure_container_findings(container.headers);
    findings.insert(findings.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
  } else {
    findings.push_back(unread("immutability", "whether a policy keeps blobs"));
  }
  findings.push_back(namespace_finding(account));
  findings.push_back(encryption_finding(options, container));
  findings.push_back({"lifecycle", Verdict::advice,
                      "the Blob service does not tell rules that delete by age: they cut chains",
                      fmt::format("az storage account management-policy show --account-name {}", options.account)});
  findings.push_back({"abandoned uploads", Verdict::good, "blocks that are not committed vanish after a week"});
  return findings;
}

}  // namespace tidemark::store
