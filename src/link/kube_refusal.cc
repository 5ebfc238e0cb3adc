#include "link/kube_refusal.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace tidemark::link {
namespace {

using nlohmann::json;

constexpr std::size_t kMostCauses = 8, kMostWords = 300;

std::string text_in(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// One line of what may be a proxy's page.
std::string first_words(std::string_view body) {
  std::string text(body.substr(0, kMostWords));
  std::ranges::replace_if(text, [](char c) { return static_cast<unsigned char>(c) < ' '; }, ' ');
  text.erase(std::min(text.find_last_not_of(' ') + 1, text.size()));
  return text;
}

void read_details(const json& details, KubeRefusal& to) {
  if (const auto seconds = details.find("retryAfterSeconds"); seconds != details.end() && seconds->is_number_integer())
    to.after = std::chrono::seconds(std::clamp<std::int64_t>(seconds->get<std::int64_t>(), 0, 3600));
  const auto causes = details.find("causes");
  if (causes == details.end() || !causes->is_array()) return;
  for (const json& cause : *causes) {
    if (!cause.is_object()) continue;
    to.causes.push_back({text_in(cause, "reason"), text_in(cause, "message"), text_in(cause, "field")});
  }
}

Errc code_of(const KubeRefusal& refusal) {
  if (refusal.reason == "StorageReadError") return Errc::corrupt;
  switch (refusal.code) {
    case 401:
    case 403: return Errc::denied;
    case 404: return Errc::not_found;
    case 409: return refusal.reason == "AlreadyExists" ? Errc::already_exists : Errc::conflict;
    case 410: return Errc::compacted;
    case 405:
    case 406:
    case 415: return Errc::unsupported;
    case 408:
    case 504: return Errc::timeout;
    default: return refusal.code == 429 || refusal.code >= 500 ? Errc::unavailable : Errc::invalid;
  }
}

std::string hint_of(const KubeRefusal& refusal) {
  const auto because = [&](std::string_view reason) {
    return std::ranges::any_of(refusal.causes, [&](const KubeRefusal::Cause& cause) { return cause.reason == reason; });
  };
  if (because("ResourceVersionTooLarge")) return "the server's past is shorter than ours: was it restored? list again";
  switch (refusal.code) {
    case 401:
      return "the server does not believe who we are: is the token or the certificate expired or of another cluster?";
    case 403: return "grant it by a role and its binding; kubectl auth can-i --list shows what is granted";
    case 409:
      if (because("FieldManagerConflict")) return "others own these fields; only by force are they taken over";
      return refusal.reason == "AlreadyExists" ? "" : "it has changed meanwhile: read it again";
    case 410: return "list again: the server has forgotten what lies between";
    case 429: return "the server is asked too much; it has limits for each user (flowcontrol.apiserver.k8s.io)";
    default: return "";
  }
}

}  // namespace

KubeRefusal read_refusal(int http_status, std::string_view body) {
  KubeRefusal refusal;
  refusal.code = http_status;
  const json status = json::parse(body, nullptr, false);
  if (!status.is_object() || text_in(status, "kind") != "Status") {
    refusal.message = first_words(body);
    return refusal;
  }
  refusal.reason = text_in(status, "reason");
  refusal.message = text_in(status, "message");
  // An error in a watch comes with HTTP's 200.
  const auto code = status.find("code");
  if (http_status < 300 && code != status.end() && code->is_number_integer()) refusal.code = code->get<int>();
  const auto details = status.find("details");
  if (details != status.end() && details->is_object()) read_details(*details, refusal);
  return refusal;
}

Error error_of(const KubeRefusal& refusal, std::string_view doing) {
  std::string what = fmt::format("{}: {}", doing, refusal.code);
  if (!refusal.reason.empty()) what += " " + refusal.reason;
  if (!refusal.message.empty()) what += ": " + refusal.message;
  std::size_t told = 0;
  for (const KubeRefusal::Cause& cause : refusal.causes) {
    // The message of an object that is refused has its causes already, as a rule.
    if (cause.message.empty() || refusal.message.find(cause.message) != std::string::npos) continue;
    if (++told > kMostCauses) break;
    what += fmt::format("; {}{}{}", cause.field, cause.field.empty() ? "" : ": ", cause.message);
  }
  return {code_of(refusal), std::move(what), hint_of(refusal)};
}

}  // namespace tidemark::link
