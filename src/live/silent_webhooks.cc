#include "live/silent_webhooks.h"

#include <map>
#include <nlohmann/json.hpp>

#include "live/object_facts.h"

namespace tidemark::live {
namespace {

using nlohmann::json;

std::string backend_of(const json& webhook) {
  const json* service = reach(webhook, "/clientConfig/service");
  if (service == nullptr) return text_at(webhook, "/clientConfig/url");
  return fmt::format("services {}/{}", text_at(*service, "/namespace"), text_at(*service, "/name"));
}

}  // namespace

std::string silent_webhook_in(const Error& error) {
  constexpr std::string_view kWords = "failed calling webhook \"";
  const std::size_t at = error.what.find(kWords);
  if (at == std::string::npos) return {};
  const std::size_t begin = at + kWords.size();
  const std::size_t end = error.what.find('"', begin);
  return end == std::string::npos ? std::string() : error.what.substr(begin, end - begin);
}

std::vector<SilentWebhook> silent_webhooks(link::KubeClient& client, const ServedKinds& served,
                                           const std::vector<StepFailure>& failures, const std::stop_token& stop) {
  std::map<std::string, SilentWebhook> by_name;
  for (const StepFailure& one : failures) {
    const std::string name = silent_webhook_in(one.error);
    if (name.empty()) continue;
    by_name[name].name = name;
    by_name[name].refused++;
  }
  if (by_name.empty()) return {};
  for (const char* kind : {"mutatingwebhookconfigurations", "validatingwebhookconfigurations"}) {
    const link::KubeKind* known = served.find(kind, "admissionregistration.k8s.io");
    if (known == nullptr) continue;
    // Who may not list them is told the name alone.
    (void)client.list(
        *known, {},
        [&](json& object) -> Status {
          for (const json& webhook : list_at(object, "/webhooks")) {
            const auto found = by_name.find(text_at(webhook, "/name"));
            if (found == by_name.end()) continue;
            found->second.configuration = fmt::format("{}/{}", kind, name_in(object));
            found->second.backend = backend_of(webhook);
          }
          return {};
        },
        stop);
  }
  std::vector<SilentWebhook> all;
  for (auto& [name, webhook] : by_name) all.push_back(std::move(webhook));
  return all;
}

std::string way_around(const SilentWebhook& webhook) {
  const std::string where = webhook.configuration.empty() ? "" : " of " + webhook.configuration;
  return fmt::format(
      "webhook {}{} stands in the way of {} and nobody answers it: bring back {}, or set its "
      "failurePolicy to Ignore for the time",
      webhook.name, where, webhook.refused == 1 ? "1 object" : fmt::format("{} objects", webhook.refused),
      webhook.backend.empty() ? "who should" : webhook.backend);
}

}  // namespace tidemark::live
