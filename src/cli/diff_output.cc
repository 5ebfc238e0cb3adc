#include "cli/diff_output.h"

#include <ostream>

#include "base/rfc3339.h"
#include "cli/object_reading.h"
#include "cli/output.h"

namespace tidemark::cli {
namespace {

using history::Comparison;
using nlohmann::json;
using Json = nlohmann::ordered_json;

std::string uid_of(const json& object) {
  const json::json_pointer uid("/metadata/uid");
  return object.contains(uid) && object.at(uid).is_string() ? object.at(uid).get<std::string>() : std::string();
}

std::string change_word(const ShownPair& shown) {
  const Comparison::Pair& pair = *shown.pair;
  if (pair.before_written == Revision(0)) return "created";
  if (pair.after_written == Revision(0)) return "deleted";
  if (shown.unreadable.empty() && uid_of(*pair.before) != uid_of(*pair.after)) return "recreated";
  return "changed";
}

std::string pair_name(const Comparison::Pair& pair) {
  const std::string name = object_name(*pair.resource, pair.name);
  return pair.resource->namespaced ? fmt::format("{} -n {}", name, pair.ns) : name;
}

class DiffHunks final : public DiffOutput {
 public:
  explicit DiffHunks(std::ostream& to) : to_(to) {}
  void add(const ShownPair& shown) override {
    const Comparison::Pair& pair = *shown.pair;
    to_ << fmt::format("diff {}\n", pair_name(pair));
    if (!shown.unreadable.empty()) {
      to_ << fmt::format("# {}, and cannot be read\n", change_word(shown));
      return;
    }
    const auto head = [](Revision written) {
      return written == Revision(0) ? std::string("/dev/null") : fmt::format("rev:{}", written);
    };
    to_ << fmt::format("--- {}\n+++ {}\n", head(pair.before_written), head(pair.after_written))
        << ObjectChanges::hunks(shown.before, shown.after);
  }

 private:
  std::ostream& to_;
};

class DiffTable final : public DiffOutput {
 public:
  explicit DiffTable(std::ostream& to) : to_(to) {}
  void add(const ShownPair& shown) override {
    const Comparison::Pair& pair = *shown.pair;
    const auto revision = [](Revision r) { return r == Revision(0) ? std::string("-") : fmt::format("{}", r); };
    table_.add({change_word(shown), pair.resource->namespaced ? std::string(pair.ns) : "-",
                object_name(*pair.resource, pair.name), revision(pair.before_written), revision(pair.after_written),
                shown.unreadable.empty() ? ObjectChanges::words(shown.before, shown.after) : "<unreadable>"});
  }
  void finish() override {
    if (!table_.empty()) to_ << table_.print();
  }

 private:
  std::ostream& to_;
  Table table_{{"CHANGE", "NAMESPACE", "OBJECT", "FROM", "TO", "WHAT"}};
};

class DiffNames final : public DiffOutput {
 public:
  explicit DiffNames(std::ostream& to) : to_(to) {}
  void add(const ShownPair& shown) override { to_ << pair_name(*shown.pair) << '\n'; }

 private:
  std::ostream& to_;
};

Json diff_fields(const ShownPair& shown) {
  const Comparison::Pair& pair = *shown.pair;
  const auto revision = [](Revision r) { return r == Revision(0) ? Json(nullptr) : Json(r.raw()); };
  Json row;
  row["change"] = change_word(shown);
  row["resource"] = pair.resource->full_name();
  row["kind"] = pair.resource->kind;
  if (pair.resource->namespaced) row["namespace"] = pair.ns;
  row["name"] = pair.name;
  row["from"] = revision(pair.before_written);
  row["to"] = revision(pair.after_written);
  if (!shown.unreadable.empty()) {
    row["unreadable"] = shown.unreadable;
    return row;
  }
  row["changes"] = ObjectChanges::list(shown.before, shown.after);
  if (shown.before.is_null()) row["object"] = shown.after;
  if (shown.after.is_null()) row["object"] = shown.before;
  return row;
}

Json side_fields(const DiffOutput::Side& side) {
  return {{"revision", side.revision.raw()}, {"time", print_rfc3339_nano(side.time)}};
}

// {"kind":"ObjectDiff","formatVersion":1,"from":{…},"to":{…},"items":[…]}, an item at a time.
class DiffJson final : public DiffOutput {
 public:
  DiffJson(std::ostream& to, const Side& from, const Side& until) : to_(to) {
    to_ << "{\n  \"kind\": \"ObjectDiff\",\n  \"formatVersion\": 1,\n  \"from\": " << side_fields(from).dump()
        << ",\n  \"to\": " << side_fields(until).dump() << ",\n  \"items\": [";
  }
  void add(const ShownPair& shown) override {
    to_ << (std::exchange(any_, true) ? ",\n    " : "\n    ");
    std::string text = print_json(diff_fields(shown));
    text.pop_back();
    for (const char c : text) {
      to_ << c;
      if (c == '\n') to_ << "    ";
    }
  }
  void finish() override { to_ << (any_ ? "\n  ]\n}\n" : "]\n}\n"); }

 private:
  std::ostream& to_;
  bool any_ = false;
};

class DiffYaml final : public DiffOutput {
 public:
  DiffYaml(std::ostream& to, const Side& from, const Side& until) : to_(to) {
    to_ << print_yaml(
        Json{{"kind", "ObjectDiff"}, {"formatVersion", 1}, {"from", side_fields(from)}, {"to", side_fields(until)}});
  }
  void add(const ShownPair& shown) override {
    if (!std::exchange(any_, true)) to_ << "items:\n";
    to_ << print_yaml(Json::array({diff_fields(shown)}));
  }
  void finish() override {
    if (!any_) to_ << "items: []\n";
  }

 private:
  std::ostream& to_;
  bool any_ = false;
};

}  // namespace

std::unique_ptr<DiffOutput> DiffOutput::make(std::ostream& to, DiffFormat format, const Side& from, const Side& until) {
  switch (format) {
    case DiffFormat::json: return std::make_unique<DiffJson>(to, from, until);
    case DiffFormat::yaml: return std::make_unique<DiffYaml>(to, from, until);
    case DiffFormat::name: return std::make_unique<DiffNames>(to);
    case DiffFormat::table: return std::make_unique<DiffTable>(to);
    case DiffFormat::unified: break;
  }
  return std::make_unique<DiffHunks>(to);
}

}  // namespace tidemark::cli
