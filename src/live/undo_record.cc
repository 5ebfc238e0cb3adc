#include "live/undo_record.h"

#include <array>
#include <nlohmann/json.hpp>

#include "base/rfc3339.h"
#include "catalog/sidecar_fields.h"

namespace tidemark::live {
namespace {

using catalog::Fields;
using nlohmann::json;
using Ordered = nlohmann::ordered_json;

constexpr const char* kBegin = "UndoBegin";
constexpr const char* kAgain = "UndoAgain";
constexpr const char* kEnd = "UndoEnd";

template <class Value>
struct Word {
  std::string_view word;
  Value value;
};
constexpr std::array kActionWords{Word<Action>{"create", Action::create}, Word<Action>{"change", Action::change},
                                  Word<Action>{"recreate", Action::recreate}, Word<Action>{"remove", Action::remove}};
constexpr std::array kExistingWords{Word<Existing>{"skip", Existing::skip}, Word<Existing>{"merge", Existing::merge},
                                    Word<Existing>{"replace", Existing::replace},
                                    Word<Existing>{"recreate", Existing::recreate}};
constexpr std::array kOutcomeWords{Word<UndoEnd::Outcome>{"done", UndoEnd::Outcome::done},
                                   Word<UndoEnd::Outcome>{"partly", UndoEnd::Outcome::partly},
                                   Word<UndoEnd::Outcome>{"undone", UndoEnd::Outcome::undone},
                                   Word<UndoEnd::Outcome>{"nothing", UndoEnd::Outcome::nothing}};

template <class Words, class Value>
std::string_view word_for(const Words& words, Value value) {
  for (const auto& row : words) {
    if (row.value == value) return row.word;
  }
  return "";
}

template <class Value, std::size_t kCount>
Result<Value> value_for(const std::array<Word<Value>, kCount>& words, const Fields& fields, const char* name) {
  TM_LET(const std::string said, fields.text(name));
  for (const auto& row : words) {
    if (row.word == said) return row.value;
  }
  return fields.wrong(name, "one of the words that it may be");
}

Ordered runner_fields(const Runner& runner) {
  return {{"host", runner.host}, {"pid", runner.pid}, {"started", runner.started}};
}

Result<Runner> read_runner(const Fields& of, std::string_view where) {
  TM_LET(const json* object, of.need("runner"));
  if (!object->is_object()) return of.wrong("runner", "an object");
  const Fields fields(where, *object);
  Runner runner;
  TM_LET(runner.host, fields.text("host"));
  TM_LET(runner.pid, fields.number("pid", catalog::kAnyNumber));
  TM_LET(runner.started, fields.number("started", catalog::kAnyNumber));
  return runner;
}

Ordered kind_fields(const link::KubeKind& kind) {
  return {{"group", kind.group},
          {"version", kind.version},
          {"resource", kind.resource},
          {"kind", kind.kind},
          {"namespaced", kind.namespaced},
          {"verbs", kind.verbs},
          {"subresources", kind.subresources}};
}

Result<link::KubeKind> read_kind(const json& object) {
  const Fields fields("UndoBegin: a step's resource", object);
  link::KubeKind kind;
  TM_LET(kind.group, fields.text("group"));
  TM_LET(kind.version, fields.text("version"));
  TM_LET(kind.resource, fields.text("resource"));
  TM_LET(kind.kind, fields.text("kind"));
  TM_LET(kind.namespaced, fields.flag_or_false("namespaced"));
  TM_LET(kind.verbs, fields.texts("verbs"));
  TM_LET(kind.subresources, fields.texts("subresources"));
  return kind;
}

Ordered step_fields(const Step& step) {
  Ordered printed{{"action", word_for(kActionWords, step.action)},
                  {"wave", step.wave},
                  {"merge", step.merge},
                  {"resource", kind_fields(step.kind)},
                  {"namespace", step.name_space},
                  {"name", step.name},
                  {"body", Ordered(step.body)},
                  {"status", Ordered(step.status)},
                  {"before", Ordered(step.before)},
                  {"owners", step.owners}};
  if (!step.kept_as.empty()) printed["keptAs"] = step.kept_as;
  return printed;
}

Result<Step> read_step(const json& object) {
  if (!object.is_object()) return fail(Errc::corrupt, "UndoBegin: a step is no object");
  const Fields fields("UndoBegin: a step", object);
  Step step;
  TM_LET(step.action, value_for(kActionWords, fields, "action"));
  TM_LET(const std::int64_t wave, fields.whole("wave"));
  step.wave = static_cast<int>(wave);
  TM_LET(step.merge, fields.flag_or_false("merge"));
  if (object.contains("keptAs")) {
    TM_LET(step.kept_as, fields.text("keptAs"));
  }
  TM_LET(const json* kind, fields.need("resource"));
  if (!kind->is_object()) return fields.wrong("resource", "an object");
  TM_LET(step.kind, read_kind(*kind));
  TM_LET(step.name_space, fields.text("namespace"));
  TM_LET(step.name, fields.text("name"));
  const std::pair<const char*, json*> objects[] = {
      {"body", &step.body}, {"status", &step.status}, {"before", &step.before}};
  for (const auto& [name, to] : objects) {
    TM_LET(const json* value, fields.need(name));
    if (!value->is_null() && !value->is_object()) return fields.wrong(name, "an object or null");
    *to = *value;
  }
  TM_LET(step.owners, fields.texts("owners"));
  return step;
}

// Unlike a sidecar's, its checksum is never missing: there are none from before there was one.
Result<json> parse_summed(const char* kind, std::string_view text) {
  TM_LET(json object, catalog::parse_kind(kind, text));
  TM_CHECK(Fields(kind, object).need(catalog::kChecksum));
  return object;
}

}  // namespace

std::string_view outcome_word(UndoEnd::Outcome outcome) { return word_for(kOutcomeWords, outcome); }

std::string print_record(const UndoBegin& record) {
  Ordered fields = catalog::begin(kBegin);
  fields["number"] = record.number;
  fields["undoes"] = record.undoes;
  fields["what"] = record.what;
  fields["cluster"] = record.cluster;
  fields["runner"] = runner_fields(record.runner);
  fields["created"] = print_rfc3339_nano(record.created);
  fields["existing"] = word_for(kExistingWords, record.existing);
  fields["status"] = record.status;
  fields["steps"] = Ordered::array();
  for (const Step& step : record.steps) fields["steps"].push_back(step_fields(step));
  return catalog::line(fields);
}

std::string print_record(const UndoAgain& record) {
  Ordered fields = catalog::begin(kAgain);
  fields["runner"] = runner_fields(record.runner);
  fields["created"] = print_rfc3339_nano(record.created);
  return catalog::line(fields);
}

std::string print_record(const UndoEnd& record) {
  Ordered fields = catalog::begin(kEnd);
  fields["outcome"] = word_for(kOutcomeWords, record.outcome);
  fields["ended"] = print_rfc3339_nano(record.ended);
  fields["made"] = Ordered::array();
  for (const auto& [id, uid] : record.made) fields["made"].push_back({{"object", id}, {"uid", uid}});
  fields["failed"] = record.failed;
  return catalog::line(fields);
}

Result<UndoBegin> parse_undo_begin(std::string_view text) {
  TM_LET(const json object, parse_summed(kBegin, text));
  const Fields fields(kBegin, object);
  UndoBegin record;
  TM_LET(const std::uint64_t number, fields.number("number", kMostUndoNumber));
  TM_LET(const std::uint64_t undoes, fields.number("undoes", kMostUndoNumber));
  record.number = static_cast<std::uint32_t>(number);
  record.undoes = static_cast<std::uint32_t>(undoes);
  TM_LET(record.what, fields.text("what"));
  TM_LET(record.cluster, fields.text("cluster"));
  TM_LET(record.runner, read_runner(fields, kBegin));
  TM_LET(record.created, fields.time("created"));
  TM_LET(record.existing, value_for(kExistingWords, fields, "existing"));
  TM_LET(record.status, fields.flag_or_false("status"));
  TM_CHECK(fields.need("steps"));
  TM_LET(const json* steps, fields.array("steps"));
  for (const json& one : *steps) {
    TM_LET(Step step, read_step(one));
    record.steps.push_back(std::move(step));
  }
  return record;
}

Result<UndoAgain> parse_undo_again(std::string_view text) {
  TM_LET(const json object, parse_summed(kAgain, text));
  const Fields fields(kAgain, object);
  UndoAgain record;
  TM_LET(record.runner, read_runner(fields, kAgain));
  TM_LET(record.created, fields.time("created"));
  return record;
}

Result<UndoEnd> parse_undo_end(std::string_view text) {
  TM_LET(const json object, parse_summed(kEnd, text));
  const Fields fields(kEnd, object);
  UndoEnd record;
  TM_LET(record.outcome, value_for(kOutcomeWords, fields, "outcome"));
  TM_LET(record.ended, fields.time("ended"));
  TM_LET(const json* made, fields.array("made"));
  for (const json& one : *made) {
    if (!one.is_object()) return fields.wrong("made", "an array of objects");
    const Fields of("UndoEnd: made", one);
    TM_LET(std::string id, of.text("object"));
    TM_LET(record.made[id], of.text("uid"));
  }
  TM_LET(record.failed, fields.texts("failed"));
  return record;
}

std::string undo_key(std::uint32_t number, std::string_view part) {
  return fmt::format("{}{:06}/{}", kUndoPrefix, number, part);
}

std::optional<UndoKey> parse_undo_key(std::string_view key) {
  if (!key.starts_with(kUndoPrefix)) return std::nullopt;
  key.remove_prefix(kUndoPrefix.size());
  if (key.size() < 8 || key[6] != '/') return std::nullopt;
  std::uint32_t number = 0;
  for (const char c : key.substr(0, 6)) {
    if (c < '0' || c > '9') return std::nullopt;
    number = number * 10 + static_cast<std::uint32_t>(c - '0');
  }
  const std::string_view part = key.substr(7);
  const bool known = part == "begin" || part == "end" || (part.size() == 9 && part.starts_with("again-"));
  if (number == 0 || !known) return std::nullopt;
  return UndoKey{number, part};
}

}  // namespace tidemark::live
