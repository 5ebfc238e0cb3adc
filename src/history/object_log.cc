#include "history/object_log.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "history/object_reader.h"

namespace tidemark::history {
namespace {

using nlohmann::json;

bool labels_match(const kube::LabelSelector& selector, const json& object) {
  const json::json_pointer labels("/metadata/labels");
  return !object.is_null() && selector.matches(object.contains(labels) ? object.at(labels) : json());
}

}  // namespace

// Turns rows into objects and keeps the newest of each.
class ObjectLog::Teller final : public VersionListener {
 public:
  Teller(ObjectLog& log, LogListener& listener)
      : log_(log), listener_(listener), reader_(log.wish_.decryptor, /*managed_fields=*/true) {}

  Status version(const Version& version) override {
    const auto place = log_.wanted_.place_of(version.key);
    if (!place) return {};
    const auto [at, fresh] = states_.try_emplace(std::string(version.key));
    State& state = at->second;
    State next;
    if (version.row != nullptr) next = read(version, *place);
    LogEntry entry;
    entry.resource = place->resource;
    entry.ns = place->ns;
    entry.name = place->name;
    entry.operation = operation(version, state);
    entry.written = version.written;
    entry.when = version.when;
    entry.shown_at = version.shown_at;
    entry.before = &state.object;
    entry.after = &next.object;
    entry.before_written = state.written;
    entry.unreadable = next.unreadable.empty() && version.row == nullptr ? state.unreadable : next.unreadable;
    entry.reason = next.unreadable.empty() ? state.reason : next.reason;
    entry.hint = next.unreadable.empty() ? state.hint : next.hint;
    if (entry.operation == LogEntry::Operation::created) {
      entry.before = &nothing_;
      entry.before_written = Revision(0);
    }
    if (!next.object.is_null()) {
      const json& base = entry.operation == LogEntry::Operation::created ? empty_ : state.object;
      entry.managers = kube::field_managers(base, next.object);
    }
    if (!version.before_since) {
      log_.seen_.emplace(version.key);
      if (shown(entry)) TM_CHECK(listener_.entry(entry));
    }
    if (version.row == nullptr) {
      states_.erase(at);
    } else {
      state = std::move(next);
    }
    return {};
  }
  Status lost(RevisionSpan span, std::string_view reason) override { return listener_.lost(span, reason); }

 private:
  struct State {
    json object;  // null: nothing is known of it, or it cannot be read
    Revision written;
    std::string unreadable;
    Errc reason = Errc::corrupt;
    std::string hint;
  };

  State read(const Version& version, const Wanted::Place& place) {
    State state;
    state.written = version.row->mod;
    auto object = reader_.read(std::string(version.key), *version.row, *place.resource);
    for (; told_ < reader_.notes().size(); told_++) log_.notes_.push_back(reader_.notes()[told_]);
    if (object) {
      state.object = *std::move(object);
    } else {
      state.unreadable = object.error().what;
      state.reason = object.error().code;
      state.hint = object.error().hint;
    }
    return state;
  }

  static LogEntry::Operation operation(const Version& version, const State& before) {
    if (version.row == nullptr) return LogEntry::Operation::deleted;
    // A key that was deleted and written again begins at version 1; where its first write was not recorded, it is as
    // new as that write is behind the last that is known.
    const bool again = before.written != Revision(0) && version.row->create > before.written;
    return version.row->create == version.row->mod || again ? LogEntry::Operation::created
                                                            : LogEntry::Operation::updated;
  }

  bool shown(const LogEntry& entry) const {
    if (log_.wish_.labels.empty() || !entry.unreadable.empty()) return true;
    return labels_match(log_.wish_.labels, *entry.after) || labels_match(log_.wish_.labels, *entry.before);
  }

  ObjectLog& log_;
  LogListener& listener_;
  ObjectReader reader_;
  std::map<std::string, State, std::less<>> states_;
  const json nothing_, empty_ = json::object();
  std::size_t told_ = 0;
};

Result<ObjectLog> ObjectLog::make(Versions& versions, const ObjectWish& wish) {
  TM_LET(Wanted wanted, Wanted::read(wish, "log"));
  TM_CHECK(wanted.resolve([&](const std::string& prefix) { return last_rows(versions, prefix); },
                          "at any moment that is known"));
  ObjectLog log(versions, wish, std::move(wanted));
  log.notes_ = log.wanted_.notes();
  return log;
}

Status ObjectLog::for_each(LogListener& listener) {
  Teller teller(*this, listener);
  return versions_.for_each(wanted_.asked(), teller);
}

std::vector<std::pair<const kube::Resource*, std::string>> ObjectLog::missing() const {
  std::vector<std::pair<const kube::Resource*, std::string>> missing;
  for (const Wanted::Kind& kind : wanted_.kinds()) {
    const std::string prefix = wanted_.prefix_of(*kind.resource);
    for (const std::string& name : kind.names) {
      if (!seen_.contains(prefix + name)) missing.emplace_back(kind.resource, name);
    }
  }
  return missing;
}

}  // namespace tidemark::history
