#include "cli/log_output.h"

#include <nlohmann/json.hpp>
#include <ostream>

#include "base/rfc3339.h"
#include "cli/object_reading.h"
#include "cli/output.h"
#include "cli/points.h"

namespace tidemark::cli {
namespace {

using history::LogEntry;
using nlohmann::json;
using Json = nlohmann::ordered_json;

const char* operation_word(LogEntry::Operation operation) {
  switch (operation) {
    case LogEntry::Operation::created: return "created";
    case LogEntry::Operation::updated: return "updated";
    case LogEntry::Operation::deleted: return "deleted";
  }
  return "";
}

// "2026-11-21T10:00:00Z", "2026-11-21T09:00:00Z/2026-11-21T10:00:00Z" (between), "<=2026-11-21T10:00:00Z".
std::string time_words(const history::When& when) {
  if (when.received) return print_rfc3339(*when.received);
  if (when.not_before) return print_rfc3339(*when.not_before) + "/" + print_rfc3339(when.not_after);
  return "<=" + print_rfc3339(when.not_after);
}

std::string manager_words(const std::vector<kube::ChangedBy>& managers) {
  std::string text;
  for (const kube::ChangedBy& m : managers) {
    if (!text.empty()) text += ",";
    text += m.manager.empty() ? "?" : m.manager;
    if (!m.subresource.empty()) text += "/" + m.subresource;
    if (!m.certain) text += "?";
  }
  return text.empty() ? "-" : text;
}

std::string claimed_time(const LogEntry& entry) {
  return entry.after == nullptr || entry.after->is_null() ? std::string() : kube::newest_claimed_time(*entry.after);
}

std::string entry_name(const LogEntry& entry, bool namespaces) {
  const std::string name = object_name(*entry.resource, entry.name);
  return namespaces && entry.resource->namespaced ? fmt::format("{} -n {}", name, entry.ns) : name;
}

// The two sides of a change as they are shown.
struct Sides {
  json before, after;
};

Sides sides_of(const LogEntry& entry, const ObjectChanges& changes) {
  return {changes.shown(*entry.before), changes.shown(*entry.after)};
}

// Nothing is known of what was before an update: it has no patch.
bool from_nowhere(const LogEntry& entry) {
  return entry.operation == LogEntry::Operation::updated && entry.before->is_null();
}

std::string patch_of(const LogEntry& entry, const Sides& sides) {
  if (!entry.unreadable.empty() || from_nowhere(entry)) return "";
  const std::string hunks = ObjectChanges::hunks(sides.before, sides.after);
  if (hunks.empty()) return "";
  const std::string before = entry.before->is_null() ? "/dev/null" : fmt::format("rev:{}", entry.before_written);
  const std::string after = entry.after->is_null() ? "/dev/null" : "rev:" + span_words(entry.written);
  return fmt::format("--- {}\n+++ {}\n{}", before, after, hunks);
}

// Streams: columns are as wide as what is usual in them.
class LogTable final : public LogOutput {
 public:
  LogTable(std::ostream& to, const Options& options, const ObjectChanges& changes)
      : to_(to), options_(options), changes_(changes) {}

  void add(const LogEntry& entry) override {
    const Sides sides = sides_of(entry, changes_);
    std::vector<std::string> cells{span_words(entry.written), time_words(entry.when), operation_word(entry.operation)};
    if (options_.many) cells.push_back(entry_name(entry, options_.namespaces));
    if (wide()) cells.push_back(claimed_time(entry).empty() ? "-" : claimed_time(entry));
    cells.push_back(entry.unreadable.empty()       ? manager_words(entry.managers)
                    : entry.reason == Errc::denied ? "<encrypted>"
                                                   : "<unreadable>");
    if (wide()) cells.push_back(ObjectChanges::words(sides.before, sides.after));
    line(cells);
    if (!options_.patch) return;
    const std::string patch = patch_of(entry, sides);
    if (patch.empty() && entry.unreadable.empty()) {
      to_ << (from_nowhere(entry) ? "(the version before it is not in the store)\n"
                                  : "(no change in what is compared: --status, --all-fields)\n");
    }
    to_ << patch << '\n';
  }
  void lost(RevisionSpan span, std::string_view reason) override {
    begin();
    to_ << fmt::format("-- revisions {} are missing: {}\n", span_words(span), reason);
    if (options_.patch) to_ << '\n';
  }

 private:
  bool wide() const { return options_.format == Format::wide; }

  void begin() {
    if (std::exchange(begun_, true) || options_.patch) return;
    std::vector<std::string> headings{"REVISION", "TIME", "OPERATION"};
    if (options_.many) headings.emplace_back("OBJECT");
    if (wide()) headings.emplace_back("CLAIMED");
    headings.emplace_back("WHO");
    if (wide()) headings.emplace_back("WHAT");
    print(headings);
  }
  void line(const std::vector<std::string>& cells) {
    begin();
    print(cells);
  }
  void print(const std::vector<std::string>& cells) {
    constexpr std::size_t kRevision = 8, kTime = 22, kOperation = 9, kObject = 32, kClaimed = 20, kWho = 24;
    std::vector<std::size_t> widths{kRevision, kTime, kOperation};
    if (options_.many) widths.push_back(kObject);
    if (wide()) widths.push_back(kClaimed);
    widths.push_back(kWho);
    std::string text;
    for (std::size_t i = 0; i < cells.size(); i++) {
      text += cells[i];
      if (i < widths.size() && cells[i].size() < widths[i]) text.append(widths[i] - cells[i].size(), ' ');
      text += "  ";
    }
    text.erase(text.find_last_not_of(' ') + 1);
    to_ << text << '\n';
  }

  std::ostream& to_;
  const Options options_;
  const ObjectChanges& changes_;
  bool begun_ = false;
};

Json time_or_null(const std::optional<Time>& time) { return time ? Json(print_rfc3339_nano(*time)) : Json(nullptr); }

Json entry_fields(const LogEntry& entry, const ObjectChanges& changes, bool patch) {
  const Sides sides = sides_of(entry, changes);
  const bool exact = entry.written.first == entry.written.last;
  Json row;
  row["revision"] = exact ? Json(entry.written.last.raw()) : Json(nullptr);
  if (!exact) row["between"] = {entry.written.first.raw(), entry.written.last.raw()};
  row["operation"] = operation_word(entry.operation);
  row["resource"] = entry.resource->full_name();
  row["kind"] = entry.resource->kind;
  if (entry.resource->namespaced) row["namespace"] = entry.ns;
  row["name"] = entry.name;
  const std::string claimed = claimed_time(entry);
  row["time"] = {{"received", time_or_null(entry.when.received)},
                 {"notBefore", time_or_null(entry.when.not_before)},
                 {"notAfter", print_rfc3339_nano(entry.when.not_after)},
                 {"claimed", claimed.empty() ? Json(nullptr) : Json(claimed)}};
  row["managers"] = Json::array();
  for (const kube::ChangedBy& m : entry.managers) {
    row["managers"].push_back({{"manager", m.manager},
                               {"operation", m.operation},
                               {"subresource", m.subresource},
                               {"time", m.time},
                               {"certain", m.certain}});
  }
  if (!entry.unreadable.empty()) {
    row["unreadable"] = entry.unreadable;
    return row;
  }
  row["before"] = entry.before_written == Revision(0) ? Json(nullptr) : Json(entry.before_written.raw());
  row["changes"] = ObjectChanges::list(sides.before, sides.after);
  if (entry.operation == LogEntry::Operation::deleted) row["lastState"] = sides.before;
  if (patch) row["patch"] = patch_of(entry, sides);
  return row;
}

// One document of items, written one by one, and at its end what was lost.
class LogDocument : public LogOutput {
 public:
  LogDocument(std::ostream& to, const Options& options, const ObjectChanges& changes)
      : to_(to), options_(options), changes_(changes) {}
  void lost(RevisionSpan span, std::string_view reason) override {
    lost_.push_back({{"first", span.first.raw()}, {"last", span.last.raw()}, {"reason", reason}});
  }

 protected:
  Json fields(const LogEntry& entry) const { return entry_fields(entry, changes_, options_.patch); }
  std::ostream& to_;
  Json lost_ = Json::array();
  bool any_ = false;

 private:
  const Options options_;
  const ObjectChanges& changes_;
};

// {"kind":"ObjectLog","formatVersion":1,"items":[…],"lost":[…]}, an item at a time.
class LogJson final : public LogDocument {
 public:
  using LogDocument::LogDocument;
  void add(const LogEntry& entry) override {
    to_ << (any_ ? ",\n" : std::string(kHead) + "\n");
    any_ = true;
    std::string text = print_json(fields(entry));
    text.pop_back();
    to_ << "    ";
    for (const char c : text) {
      to_ << c;
      if (c == '\n') to_ << "    ";
    }
  }
  void finish() override {
    to_ << (any_ ? "\n  ]" : std::string(kHead) + "]") << ",\n  \"lost\": " << lost_.dump() << "\n}\n";
  }

 private:
  static constexpr const char* kHead = "{\n  \"kind\": \"ObjectLog\",\n  \"formatVersion\": 1,\n  \"items\": [";
};

class LogYaml final : public LogDocument {
 public:
  using LogDocument::LogDocument;
  void add(const LogEntry& entry) override {
    if (!std::exchange(any_, true)) to_ << kHead << "items:\n";
    to_ << print_yaml(Json::array({fields(entry)}));
  }
  void finish() override {
    if (!any_) to_ << kHead << "items: []\n";
    to_ << print_yaml(Json{{"lost", lost_}});
  }

 private:
  static constexpr const char* kHead = "kind: ObjectLog\nformatVersion: 1\n";
};

// What `get` takes: "configmap/x -n shop --at rev:12"; of a deletion the last revision that had it.
class LogNames final : public LogOutput {
 public:
  explicit LogNames(std::ostream& to) : to_(to) {}
  void add(const LogEntry& entry) override {
    to_ << fmt::format("{} --at rev:{}\n", entry_name(entry, true), entry.shown_at);
  }
  void lost(RevisionSpan, std::string_view) override {}

 private:
  std::ostream& to_;
};

}  // namespace

std::unique_ptr<LogOutput> LogOutput::make(std::ostream& to, const Options& options, const ObjectChanges& changes) {
  switch (options.format) {
    case Format::json: return std::make_unique<LogJson>(to, options, changes);
    case Format::yaml: return std::make_unique<LogYaml>(to, options, changes);
    case Format::name: return std::make_unique<LogNames>(to);
    case Format::table:
    case Format::wide: break;
  }
  return std::make_unique<LogTable>(to, options, changes);
}

}  // namespace tidemark::cli
