// The document of a plan: written once, read back by `apply`. Layout: doc/operate/restore-rules.md.
#include <algorithm>
#include <limits>

#include "crypto/sha256.h"
#include "live/json_reach.h"
#include "live/plan.h"
#include "live/plan_checksum.h"
#include "live/plan_secrets.h"
#include "live/undo_record.h"

namespace tidemark::live {
namespace {

using nlohmann::json;
using Ordered = nlohmann::ordered_json;

constexpr const char* kPlanKind = "RestorePlan";
constexpr int kPlanVersion = 1;

template <class Enum>
struct PlanWord {
  Enum value;
  const char* word;
};
constexpr PlanWord<Action> kActions[] = {
    {Action::create, "create"}, {Action::change, "change"}, {Action::recreate, "recreate"},
    {Action::remove, "remove"}, {Action::keep, "keep"},     {Action::leave_out, "leaveOut"},
};
constexpr PlanWord<Existing> kExisting[] = {
    {Existing::skip, "skip"},
    {Existing::merge, "merge"},
    {Existing::replace, "replace"},
    {Existing::recreate, "recreate"},
};

template <class Enum, std::size_t N>
const char* word_of(const PlanWord<Enum> (&words)[N], Enum value) {
  return std::ranges::find(words, value, &PlanWord<Enum>::value)->word;
}

// ---- writing

// What is kept or left out is only named, and so are Secrets: enough to see whether it has moved since.
json identity_of(const json& object) {
  json identity = json::object();
  for (const std::string_view path : {"/apiVersion", "/kind", "/metadata/name", "/metadata/namespace", "/metadata/uid",
                                      "/metadata/resourceVersion"}) {
    if (reach(object, path) != nullptr) take_at(identity, object, path);
  }
  return identity;
}

Ordered print_plan_kind(const link::KubeKind& kind) {
  return {{"group", kind.group},       {"version", kind.version},
          {"resource", kind.resource}, {"singular", kind.singular},
          {"kind", kind.kind},         {"namespaced", kind.namespaced},
          {"verbs", kind.verbs},       {"subresources", kind.subresources}};
}

Ordered print_plan_step(const Step& step) {
  Ordered printed{{"action", word_of(kActions, step.action)}, {"wave", step.wave}, {"object", step.id()}};
  printed["kind"] = print_plan_kind(step.kind);
  if (step.kind.namespaced) printed["namespace"] = step.name_space;
  printed["name"] = step.name;
  if (!step.kept_as.empty()) printed["keptAs"] = step.kept_as;
  if (step.merge) printed["merge"] = true;
  if (!step.reason.empty()) printed["reason"] = step.reason;
  if (!step.verb_denied.empty()) printed["denied"] = step.verb_denied;
  if (!step.warnings.empty()) printed["warnings"] = step.warnings;
  if (!step.owners.empty()) printed["owners"] = step.owners;
  if (!step.field_owners.empty()) printed["fieldOwners"] = step.field_owners;
  if (!step.body.is_null()) printed["body"] = hidden_body(step);
  if (!step.status.is_null()) printed["status"] = step.status;
  const bool is_shown = step.changes() && !is_secret(step.kind);
  if (!step.before.is_null()) printed["before"] = is_shown ? step.before : identity_of(step.before);
  return printed;
}

// ---- reading: each getter names the field in its failure

class PlanFields {
 public:
  PlanFields(std::string where, const json& object) : where_(std::move(where)), object_(object) {}

  std::unexpected<Error> wrong(std::string_view name, std::string_view want) const {
    return fail(Errc::corrupt, "plan: {}{} is not {}", where_, name, want);
  }
  bool has(const char* name) const { return object_.contains(name); }
  const json& at(const char* name) const { return object_.at(name); }

  Result<const json*> need(const char* name) const {
    const auto found = object_.find(name);
    if (found == object_.end()) return fail(Errc::corrupt, "plan: {}{} is missing", where_, name);
    return &*found;
  }
  Result<std::string> text(const char* name) const {
    TM_LET(const json* field, need(name));
    if (!field->is_string()) return wrong(name, "a string");
    return field->get<std::string>();
  }
  Result<bool> flag(const char* name) const {
    TM_LET(const json* field, need(name));
    if (!field->is_boolean()) return wrong(name, "true or false");
    return field->get<bool>();
  }
  Result<int> number(const char* name, int most) const {
    TM_LET(const json* field, need(name));
    // Counted in a document that was just made, and unsigned in one that was parsed.
    const bool in_range = field->is_number_unsigned() ? field->get<std::uint64_t>() <= static_cast<std::uint64_t>(most)
                          : field->is_number_integer()
                              ? field->get<std::int64_t>() >= 0 && field->get<std::int64_t>() <= most
                              : false;
    if (!in_range) return wrong(name, fmt::format("a whole number from 0 to {}", most));
    return field->get<int>();
  }
  template <class Enum, std::size_t N>
  Result<Enum> word(const char* name, const PlanWord<Enum> (&words)[N]) const {
    TM_LET(const std::string text, this->text(name));
    for (const PlanWord<Enum>& one : words) {
      if (text == one.word) return one.value;
    }
    return wrong(name, "a word of this version");
  }
  // Missing: none.
  Result<std::vector<std::string>> texts(const char* name) const {
    std::vector<std::string> list;
    if (!has(name)) return list;
    if (!at(name).is_array()) return wrong(name, "a list of strings");
    for (const json& entry : at(name)) {
      if (!entry.is_string()) return wrong(name, "a list of strings");
      list.push_back(entry.get<std::string>());
    }
    return list;
  }
  Result<PlanFields> object(const char* name) const {
    TM_LET(const json* field, need(name));
    if (!field->is_object()) return wrong(name, "a map");
    return PlanFields(fmt::format("{}{}.", where_, name), *field);
  }
  const json& raw() const { return object_; }

 private:
  std::string where_;
  const json& object_;
};

Result<PlanOptions> read_plan_options(const PlanFields& fields) {
  PlanOptions options;
  TM_LET(options.existing, fields.word("existing", kExisting));
  TM_LET(options.prune, fields.flag("prune"));
  TM_LET(options.remove_namespaces, fields.flag("removeNamespaces"));
  TM_LET(options.max_share, fields.number("maxShare", 100));
  TM_LET(options.status, fields.flag("status"));
  TM_LET(options.same_cluster, fields.flag("sameCluster"));
  TM_LET(const PlanFields namespaces, fields.object("namespaces"));
  for (const auto& [then, now] : namespaces.raw().items()) {
    if (!now.is_string()) return fields.wrong("namespaces", "a map of names");
    options.namespaces.emplace(then, now.get<std::string>());
  }
  if (fields.has("revision")) {
    const json& revision = fields.at("revision");
    if (!revision.is_number_integer() || revision.get<std::int64_t>() <= 0) {
      return fields.wrong("revision", "a revision");
    }
    options.revision = revision.get<std::int64_t>();
  }
  if (fields.has("undo")) {
    TM_LET(const int undo, fields.number("undo", static_cast<int>(kMostUndoNumber)));
    options.undo = static_cast<std::uint32_t>(undo);
  }
  return options;
}

Result<link::KubeKind> read_plan_kind(const PlanFields& fields) {
  link::KubeKind kind;
  TM_LET(kind.group, fields.text("group"));
  TM_LET(kind.version, fields.text("version"));
  TM_LET(kind.resource, fields.text("resource"));
  TM_LET(kind.singular, fields.text("singular"));
  TM_LET(kind.kind, fields.text("kind"));
  TM_LET(kind.namespaced, fields.flag("namespaced"));
  TM_LET(kind.verbs, fields.texts("verbs"));
  TM_LET(kind.subresources, fields.texts("subresources"));
  return kind;
}

Result<Step> read_plan_step(const PlanFields& fields) {
  Step step;
  TM_LET(step.action, fields.word("action", kActions));
  TM_LET(step.wave, fields.number("wave", std::numeric_limits<int>::max()));
  TM_LET(const PlanFields kind, fields.object("kind"));
  TM_LET(step.kind, read_plan_kind(kind));
  if (step.kind.namespaced) {
    TM_LET(step.name_space, fields.text("namespace"));
  }
  TM_LET(step.name, fields.text("name"));
  if (fields.has("keptAs")) {
    TM_LET(step.kept_as, fields.text("keptAs"));
  }
  if (fields.has("merge")) {
    TM_LET(step.merge, fields.flag("merge"));
  }
  if (fields.has("reason")) {
    TM_LET(step.reason, fields.text("reason"));
  }
  if (fields.has("denied")) {
    TM_LET(step.verb_denied, fields.text("denied"));
  }
  TM_LET(step.warnings, fields.texts("warnings"));
  TM_LET(step.owners, fields.texts("owners"));
  TM_LET(step.field_owners, fields.texts("fieldOwners"));
  for (const auto& [name, to] :
       {std::pair("body", &step.body), std::pair("status", &step.status), std::pair("before", &step.before)}) {
    if (!fields.has(name)) continue;
    if (!fields.at(name).is_object()) return fields.wrong(name, "a map");
    *to = fields.at(name);
  }
  const bool sends = step.action == Action::create || step.action == Action::change || step.action == Action::recreate;
  if (sends && step.body.is_null()) return fields.wrong("body", "there, and this action needs one");
  const bool needs_before =
      step.action == Action::change || step.action == Action::recreate || step.action == Action::remove;
  if (needs_before && step.before.is_null()) return fields.wrong("before", "there, and this action needs one");
  return step;
}

}  // namespace

std::string plan_checksum(const json& document) {
  json rest = document;
  rest.erase("checksum");
  const std::string text = rest.dump(-1, ' ', false, json::error_handler_t::replace);
  return "sha256:" + to_hex(crypto::sha256(as_bytes(text)));
}

Ordered plan_document(const Plan& plan, const PlanOptions& options) {
  Ordered document{{"kind", kPlanKind}, {"formatVersion", kPlanVersion}, {"digest", plan.digest()}};
  document["options"] = {{"existing", word_of(kExisting, options.existing)},
                         {"prune", options.prune},
                         {"removeNamespaces", options.remove_namespaces},
                         {"maxShare", options.max_share},
                         {"status", options.status},
                         {"sameCluster", options.same_cluster},
                         {"namespaces", options.namespaces}};
  if (options.revision != 0) document["options"]["revision"] = options.revision;
  if (options.undo != 0) document["options"]["undo"] = options.undo;
  for (const PlanWord<Action>& action : kActions) document["counts"][action.word] = plan.count(action.value);
  document["warnings"] = plan.warnings;
  document["steps"] = Ordered::array();
  for (const Step& step : plan.steps) document["steps"].push_back(print_plan_step(step));
  document["checksum"] = plan_checksum(json(document));
  return document;
}

Result<Plan> read_plan(const json& document, PlanOptions& options) {
  if (!document.is_object() || text_at(document, "/kind") != kPlanKind) {
    return hinted<Plan>(fail(Errc::corrupt, "plan: this is no {}", kPlanKind),
                        "make one with `tidemark restore ... --dry-run -o yaml`");
  }
  const PlanFields fields("", document);
  TM_LET(const int version, fields.number("formatVersion", std::numeric_limits<int>::max()));
  if (version != kPlanVersion) {
    return hinted<Plan>(
        fail(Errc::unsupported, "plan: format version {}, and this program reads {}", version, kPlanVersion),
        "use the tidemark that made it, or make a new plan");
  }
  TM_LET(const std::string checksum, fields.text("checksum"));
  if (checksum != plan_checksum(document)) {
    return hinted<Plan>(fail(Errc::corrupt, "plan: its checksum does not fit: it was changed after it was made"),
                        "make a new plan that says what is wanted");
  }
  TM_LET(const PlanFields option_fields, fields.object("options"));
  TM_LET(PlanOptions read, read_plan_options(option_fields));
  Plan plan;
  TM_LET(plan.warnings, fields.texts("warnings"));
  TM_LET(const json* steps, fields.need("steps"));
  if (!steps->is_array()) return fields.wrong("steps", "a list");
  for (const json& entry : *steps) {
    const std::string where = fmt::format("steps[{}]", plan.steps.size());
    if (!entry.is_object()) return fields.wrong(where, "a map");
    TM_LET(Step step, read_plan_step(PlanFields(where + ".", entry)));
    plan.steps.push_back(std::move(step));
  }
  TM_LET(const std::string digest, fields.text("digest"));
  if (digest != plan.digest()) return fail(Errc::corrupt, "plan: its digest does not fit its steps");
  options = std::move(read);
  return plan;
}

}  // namespace tidemark::live
