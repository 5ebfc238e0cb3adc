// What the caller may do: read everything, change nothing. Reviews are posted, and create nothing.
// Source: k8s.io/api authorization/v1, authentication/v1 (types.go).
#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>

#include "base/proto.h"
#include "kube/json_text.h"
#include "kube/storage_value.h"
#include "serve/asked.h"
#include "serve/failure.h"

namespace tidemark::serve {
namespace {

using nlohmann::json;

constexpr std::string_view kVerbs[] = {"get", "list", "watch"};

std::string text_at(const json& object, const char* pointer) {
  const json::json_pointer at(pointer);
  if (!object.contains(at)) return {};
  const json& value = object.at(at);
  return value.is_string() ? value.get<std::string>() : std::string();
}

// The text fields of a message, by their numbers from 1 on; others are passed over. nullopt: no message.
std::optional<json> read_texts(Bytes message, std::span<const char* const> names) {
  json texts = json::object();
  proto::Fields fields(message);
  while (fields.next()) {
    if (fields.wire() != proto::Wire::bytes || fields.number() > names.size()) continue;
    texts[names[fields.number() - 1]] = std::string(as_text(fields.bytes()));
  }
  return fields.bad() ? std::nullopt : std::optional(std::move(texts));
}

// Clients of Kubernetes' own kinds prefer protocol buffers: of a review its spec, and of that who asks for what.
std::optional<json> read_message(Bytes review, bool is_access) {
  constexpr const char* kOfResource[] = {"namespace", "verb", "group", "version", "resource", "subresource", "name"};
  constexpr const char* kOfPath[] = {"path", "verb"};
  constexpr const char* kOfRules[] = {"namespace"};
  json spec = json::object();
  proto::Fields fields(review);
  while (fields.next()) {
    if (!fields.is(2, proto::Wire::bytes)) continue;
    if (!is_access) {
      auto texts = read_texts(fields.bytes(), kOfRules);
      if (!texts) return std::nullopt;
      spec = *std::move(texts);
      continue;
    }
    proto::Fields parts(fields.bytes());
    while (parts.next()) {
      if (parts.wire() != proto::Wire::bytes || parts.number() > 2) continue;
      const bool of_resource = parts.number() == 1;
      auto texts = of_resource ? read_texts(parts.bytes(), kOfResource) : read_texts(parts.bytes(), kOfPath);
      if (!texts) return std::nullopt;
      spec[of_resource ? "resourceAttributes" : "nonResourceAttributes"] = *std::move(texts);
    }
    if (parts.bad()) return std::nullopt;
  }
  if (fields.bad()) return std::nullopt;
  return json{{"spec", std::move(spec)}};
}

std::optional<json> read_review(Bytes body, bool is_access) {
  if (kube::encoding_of(body) == kube::Encoding::protobuf) {
    const auto envelope = kube::read_envelope(body);
    return envelope ? read_message(envelope->message, is_access) : std::nullopt;
  }
  auto review = kube::parse_json(body);
  return review && review->is_object() ? std::optional(*std::move(review)) : std::nullopt;
}

json access(const json& review) {
  std::string verb = text_at(review, "/spec/resourceAttributes/verb");
  if (verb.empty()) verb = text_at(review, "/spec/nonResourceAttributes/verb");
  const bool allowed = std::ranges::find(kVerbs, verb) != std::end(kVerbs);
  return {{"allowed", allowed}, {"reason", allowed ? "" : "the past can be read, not changed"}};
}

json rules() {
  const json any = json::array({"*"});
  return {{"resourceRules", json::array({{{"verbs", kVerbs}, {"apiGroups", any}, {"resources", any}}})},
          {"nonResourceRules", json::array({{{"verbs", json::array({"get"})}, {"nonResourceURLs", any}}})},
          {"incomplete", false}};
}

json self() { return {{"userInfo", {{"username", "tidemark:reader"}, {"groups", {"system:authenticated"}}}}}; }

}  // namespace

bool answer_review(const Asked& asked) {
  const Route& route = asked.route;
  const bool of_rights = route.group == "authorization.k8s.io" && route.version == "v1";
  const bool of_user = route.group == "authentication.k8s.io" && route.version == "v1";
  const bool is_access = of_rights && route.resource == "selfsubjectaccessreviews";
  const bool is_rules = of_rights && route.resource == "selfsubjectrulesreviews";
  const bool is_self = of_user && route.resource == "selfsubjectreviews";
  if (route.to != Route::To::objects || (!is_access && !is_rules && !is_self)) return false;
  auto review = read_review(as_bytes(asked.request.body), is_access);
  if (!review) {
    refuse(asked.reply, failure(415, "a review as JSON or protocol buffers expected"));
    return true;
  }
  (*review)["kind"] = is_access ? "SelfSubjectAccessReview" : is_rules ? "SelfSubjectRulesReview" : "SelfSubjectReview";
  (*review)["apiVersion"] = route.group + "/" + route.version;
  if (!review->contains("metadata")) (*review)["metadata"] = json::object();
  (*review)["status"] = is_access ? access(*review) : is_rules ? rules() : self();
  send_json(asked.reply, 201, *review);
  return true;
}

}  // namespace tidemark::serve
