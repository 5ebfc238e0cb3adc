#include "live/permissions.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <tuple>

namespace tidemark::live {
namespace {

using link::KubeKind;
using nlohmann::json;

struct Question {
  std::string verb, subresource;
};

std::vector<Question> questions_of(const Step& step) {
  std::vector<Question> all;
  switch (step.action) {
    case Action::create: all.push_back({"create", ""}); break;
    case Action::change: all.push_back({step.merge ? "patch" : "update", ""}); break;
    case Action::recreate: all = {{"delete", ""}, {"create", ""}}; break;
    case Action::remove: all.push_back({"delete", ""}); break;
    case Action::keep:
    case Action::leave_out: return all;
  }
  if (step.action != Action::remove) all.push_back({"get", ""});
  if (!step.status.is_null()) all.push_back({"update", "status"});
  return all;
}

class Asker {
 public:
  Asker(link::KubeClient& client, const KubeKind& reviews, bool many_namespaces, const std::stop_token& stop)
      : client_(client), reviews_(reviews), many_namespaces_(many_namespaces), stop_(stop) {}

  // Who may do it to all is asked first, for one answer serves many: in all namespaces when the plan is about several,
  // in this one, and then to this name, for a role may be about single names.
  Result<bool> may(const Question& question, const Step& step) {
    const std::string ns = step.kind.namespaced ? step.name_space : std::string();
    if (!ns.empty() && many_namespaces_) {
      TM_LET(const bool everywhere, may(question, step, "", ""));
      if (everywhere) return true;
    }
    TM_LET(const bool all, may(question, step, ns, ""));
    if (all || step.name.empty() || question.verb == "create") return all;
    return may(question, step, ns, step.name);
  }

 private:
  using Key = std::tuple<std::string, std::string, std::string, std::string, std::string, std::string>;

  Result<bool> may(const Question& question, const Step& step, const std::string& ns, const std::string& name) {
    const Key key{question.verb, step.kind.group, step.kind.resource, question.subresource, ns, name};
    if (const auto known = answers_.find(key); known != answers_.end()) return known->second;
    json attributes{{"verb", question.verb},
                    {"group", step.kind.group},
                    {"version", step.kind.version},
                    {"resource", step.kind.resource}};
    if (!question.subresource.empty()) attributes["subresource"] = question.subresource;
    if (!ns.empty()) attributes["namespace"] = ns;
    if (!name.empty()) attributes["name"] = name;
    const json review{{"apiVersion", reviews_.api_version()},
                      {"kind", reviews_.kind},
                      {"spec", {{"resourceAttributes", std::move(attributes)}}}};
    // A question stores nothing anyway; said so, it is asked again when its answer is lost.
    TM_LET(const json answer, client_.create(reviews_, {}, review, {.dry_run = true}, stop_));
    const bool allowed = answer.value(json::json_pointer("/status/allowed"), false);
    answers_[key] = allowed;
    return allowed;
  }

  link::KubeClient& client_;
  const KubeKind& reviews_;
  const bool many_namespaces_;
  const std::stop_token& stop_;
  std::map<Key, bool> answers_;
};

std::string denial(const Question& question, const Step& step) {
  std::string text = fmt::format("{} {}{}{}", question.verb, step.kind.full_name(),
                                 question.subresource.empty() ? "" : "/", question.subresource);
  if (step.kind.namespaced) text += " in namespace " + step.name_space;
  return text;
}

}  // namespace

Result<std::vector<std::string>> ask_permissions(link::KubeClient& client, const ServedKinds& served, Plan& plan,
                                                 const std::stop_token& stop) {
  std::vector<std::string> denied;
  const KubeKind* reviews = served.find("selfsubjectaccessreviews", "authorization.k8s.io");
  if (reviews == nullptr) return denied;
  std::set<std::string> namespaces;
  for (const Step& step : plan.steps) {
    if (step.changes() && step.kind.namespaced) namespaces.insert(step.name_space);
  }
  Asker asker(client, *reviews, namespaces.size() > 1, stop);
  for (Step& step : plan.steps) {
    step.verb_denied.clear();
    for (const Question& question : questions_of(step)) {
      TM_LET(const bool may, asker.may(question, step));
      if (may) continue;
      if (step.verb_denied.empty()) step.verb_denied = denial(question, step);
      if (std::string text = denial(question, step); std::ranges::find(denied, text) == denied.end()) {
        denied.push_back(std::move(text));
      }
    }
  }
  return denied;
}

}  // namespace tidemark::live
