#include "live/survey.h"

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>

#include "live/left_out.h"
#include "live/object_facts.h"
#include "live/references.h"
#include "live/sent_version.h"

namespace tidemark::live {
namespace {

using link::KubeKind;
using nlohmann::json;

// What was, each with the kind that the past knows it by.
struct Remembered {
  const kube::Resource* resource = nullptr;
  json object;
};

std::string now_of(const std::map<std::string, std::string>& namespaces, const std::string& then) {
  const auto found = namespaces.find(then);
  return found == namespaces.end() ? then : found->second;
}

class Surveyor {
 public:
  Surveyor(history::Moment& moment, link::KubeClient& client, const SurveyWish& wish, ServedKinds served,
           const std::stop_token& stop)
      : moment_(moment), client_(client), wish_(wish), stop_(stop), survey_{.served = std::move(served)} {}

  Result<Survey> take() {
    TM_LET(const history::Selection then,
           history::Selection::make(moment_, wish_.objects, "restore", /*words_needed=*/false));
    TM_CHECK(remember(then));
    if (wish_.with_needed) TM_CHECK(add_needed());
    for (const auto& missing : then.missing())
      survey_.missing.emplace_back(missing.resource->full_name(), missing.name);
    TM_CHECK(look_at_live(then.wanted()));
    TM_CHECK(look_at_needed());
    TM_CHECK(add_namespaces());
    survey_.input.live = std::move(live_.objects);
    TM_LET(Beside beside,
           gather_beside(client_, survey_.served, survey_.input.wanted, survey_.input.live, wish_.namespaces, stop_));
    survey_.input.beside = std::move(beside.objects);
    survey_.input.missing = std::move(beside.missing);
    survey_.notes.insert(survey_.notes.end(), live_.notes.begin(), live_.notes.end());
    return std::move(survey_);
  }

 private:
  bool is_left_out(const kube::Resource& resource) const {
    if (!wish_.everything()) return false;
    return is_always_moving(resource.plural) || (!resource.namespaced && !wish_.cluster_scoped);
  }

  Status remember(const history::Selection& then) {
    std::vector<Remembered> all;
    TM_CHECK(then.for_each([&](const auto& entry, Result<json> object) -> Status {
      if (stop_.stop_requested()) return fail(Errc::cancelled, "stopped");
      if (is_left_out(*entry.resource)) return {};
      if (!object) {
        survey_.unreadable.push_back(object.error());
      } else {
        all.push_back({entry.resource, *std::move(object)});
      }
      return {};
    }));
    for (const std::string& note : then.notes()) survey_.notes.push_back(note);
    if (wish_.with_needed) TM_CHECK(remember_definitions(all));
    // Definitions first: what they define may be served by nobody yet.
    for (const Remembered& one : all) {
      if (one.resource->plural != "customresourcedefinitions") continue;
      if (auto kind = kind_of_definition(one.object)) defined_.push_back(*std::move(kind));
    }
    for (Remembered& one : all) add_wanted(*one.resource, std::move(one.object));
    return {};
  }

  // nullptr: nobody serves it, and no definition that comes back.
  const KubeKind* kind_now(const kube::Resource& resource) const {
    if (const KubeKind* served = survey_.served.find(resource)) return served;
    const auto defined = std::ranges::find_if(
        defined_, [&](const KubeKind& one) { return one.resource == resource.plural && one.group == resource.group; });
    return defined == defined_.end() ? nullptr : &*defined;
  }

  void add_wanted(const kube::Resource& resource, json object) {
    const KubeKind* kind = kind_now(resource);
    const std::string ns = namespace_in(object), name = name_in(object);
    const auto version = kind == nullptr ? std::nullopt : version_to_send(*kind, object);
    if (!version) {
      const std::string never = never_back(resource.full_name());
      const std::string why = kind == nullptr ? "this cluster does not serve its kind" : why_not_sent(*kind, object);
      survey_.input.unserved.push_back(
          {.id = fmt::format("{} {}{}{}", resource.full_name(), ns, ns.empty() ? "" : "/", name),
           .reason = never.empty() ? why : never,
           .is_loss = never.empty()});
      return;
    }
    Found found{.kind = *kind, .object = std::move(object)};
    const std::string kept = version_of(text_at(found.object, "/apiVersion"));
    if (kept != *version) found.kept_as = kept;
    found.kind.version = *version;
    found.object["apiVersion"] = found.kind.api_version();
    always_.insert(object_id(found.kind, found.kind.namespaced ? now_of(wish_.namespaces, ns) : "", name));
    survey_.input.wanted.push_back(std::move(found));
  }

  // ---- what the objects need

  // Of one namespace, or of none: "secrets/tls". What was not there then is no part of it.
  Result<std::vector<Remembered>> recall(const std::string& ns, std::vector<std::string> words) {
    history::ObjectWish wish = wish_.objects;
    wish.words = std::move(words);
    if (!ns.empty()) wish.ns = ns;
    wish.all_namespaces = false;
    wish.labels = {};
    wish.fields = {};
    TM_LET(history::Selection then, history::Selection::make(moment_, wish, "restore"));
    selections_.push_back(std::make_unique<history::Selection>(std::move(then)));  // what is remembered has its kinds
    std::vector<Remembered> all;
    TM_CHECK(selections_.back()->for_each([&](const auto& entry, Result<json> object) -> Status {
      if (!object) {
        survey_.unreadable.push_back(object.error());
        return {};
      }
      Remembered& one = all.emplace_back();
      one.resource = entry.resource;
      one.object.swap(*object);  // g++ 12 believes that a move reads a result that holds nothing
      return {};
    }));
    return all;
  }

  // Of kinds that nobody serves now.
  Status remember_definitions(std::vector<Remembered>& all) {
    std::set<std::string> words;
    for (const Remembered& one : all) {
      if (survey_.served.find(*one.resource) == nullptr && one.resource->custom) {
        words.insert("customresourcedefinitions/" + one.resource->full_name());
      }
    }
    for (const Remembered& one : all) {
      if (one.resource->plural == "customresourcedefinitions")
        words.erase("customresourcedefinitions/" + name_in(one.object));
    }
    if (words.empty()) return {};
    TM_LET(std::vector<Remembered> definitions, recall("", {words.begin(), words.end()}));
    std::ranges::move(definitions, std::back_inserter(all));
    return {};
  }

  // Level by level, for what is needed needs something, too.
  Status add_needed() {
    std::set<std::string> known;
    for (const Found& found : survey_.input.wanted) known.insert(object_id(found.kind, found.object));
    for (std::size_t from = 0; from < survey_.input.wanted.size();) {
      std::map<std::string, std::vector<std::string>> words;  // by namespace; empty: in none
      for (; from < survey_.input.wanted.size(); from++) {
        const Found& found = survey_.input.wanted[from];
        for (const Reference& needed : references_of(found.kind, found.object)) {
          if (!known.insert(needed.id()).second) continue;
          TM_LET(const bool is_meant, needs_to_come(needed));
          if (!is_meant) continue;
          const std::string kind = needed.group.empty() ? needed.resource : needed.resource + "." + needed.group;
          words[needed.name_space].push_back(kind + "/" + needed.name);
        }
      }
      for (auto& [ns, of_one] : words) {
        TM_LET(std::vector<Remembered> found, recall(ns, std::move(of_one)));
        for (Remembered& one : found) {
          const std::size_t before = survey_.input.wanted.size();
          add_wanted(*one.resource, std::move(one.object));
          for (std::size_t i = before; i < survey_.input.wanted.size(); i++) needed_.push_back(i);
        }
      }
    }
    return {};
  }

  Result<bool> needs_to_come(const Reference& needed) {
    // Namespaces have their own rule: add_namespaces().
    if (needed.resource == "namespaces" && needed.group.empty()) return false;
    if (!needed.name_space.empty()) return true;
    const KubeKind* kind = survey_.served.find(needed.resource, needed.group);
    if (kind == nullptr) return true;
    auto live = look_up(client_, *kind, "", needed.name, stop_);
    if (!live && live.error().code == Errc::denied) return false;
    if (!live) return std::unexpected(std::move(live).error());
    return live->is_null() || is_going(*live);
  }

  // What there is now of what is only needed.
  Status look_at_needed() {
    std::set<std::string> seen;
    for (const Found& found : live_.objects) seen.insert(object_id(found.kind, found.object));
    for (const std::size_t i : needed_) {
      const Found& found = survey_.input.wanted[i];
      const KubeKind* kind = survey_.served.find(found.kind.resource, found.kind.group);
      const std::string ns = found.kind.namespaced ? now_of(wish_.namespaces, namespace_in(found.object)) : "";
      if (kind == nullptr || !seen.insert(object_id(*kind, ns, name_in(found.object))).second) continue;
      TM_LET(json live, look_up(client_, *kind, ns, name_in(found.object), stop_));
      if (!live.is_null()) live_.objects.push_back({*kind, std::move(live)});
    }
    return {};
  }

  // Is there a wanted object of this kind?
  bool is_wanted(const KubeKind& kind) const {
    return std::ranges::any_of(survey_.input.wanted, [&](const Found& found) {
      return found.kind.resource == kind.resource && found.kind.group == kind.group;
    });
  }

  GatherWish live_wish(const history::Wanted& wanted) const {
    GatherWish live{.kinds = {},
                    .name_space = wish_.objects.all_namespaces ? "" : now_of(wish_.namespaces, wish_.objects.ns),
                    .labels = wish_.objects.labels,
                    .fields = wish_.objects.fields,
                    .always = always_};
    if (wish_.everything()) {
      for (const KubeKind& kind : survey_.served.all().kinds) {
        if (!is_restorable(kind) || is_always_moving(kind.resource)) continue;
        if (!kind.namespaced && !wish_.cluster_scoped) continue;
        live.kinds.push_back({kind, {}, wish_.prune || is_wanted(kind)});
      }
      return live;
    }
    for (const history::Wanted::Kind& kind : wanted.kinds()) {
      const KubeKind* served = survey_.served.find(*kind.resource);
      if (served != nullptr && is_restorable(*served)) live.kinds.push_back({*served, kind.names, true});
    }
    return live;
  }

  Status look_at_live(const history::Wanted& wanted) {
    TM_LET(live_, gather(client_, live_wish(wanted), stop_));
    return {};
  }

  // A namespace is wanted when all of it is, or when it is gone and its objects are wanted.
  Status add_namespaces() {
    const KubeKind* kind = survey_.served.find("namespaces", "");
    if (kind == nullptr) return {};
    std::set<std::string> then;
    for (const Found& found : survey_.input.wanted) {
      if (found.kind.namespaced) then.insert(namespace_in(found.object));
      if (found.kind.resource == "namespaces" && found.kind.group.empty()) return {};  // they are meant themselves
    }
    const bool whole = wish_.everything() && !wish_.objects.all_namespaces && wish_.objects.labels.empty();
    if (whole) then.insert(wish_.objects.ns);
    std::vector<std::string> lost;
    for (const std::string& name : then) {
      auto live = look_up(client_, *kind, "", now_of(wish_.namespaces, name), stop_);
      if (!live && live.error().code == Errc::denied) continue;  // whoever may only work in it knows that it is there
      if (!live) return std::unexpected(std::move(live).error());
      if (!live->is_null() && !is_going(*live) && !whole) continue;  // it is only what the objects need
      lost.push_back(name);
      if (!live->is_null()) live_.objects.push_back({*kind, *std::move(live)});
    }
    if (lost.empty()) return {};
    history::ObjectWish names = wish_.objects;
    names.words = {"namespaces"};
    names.words.insert(names.words.end(), lost.begin(), lost.end());
    names.all_namespaces = false;
    names.labels = {};
    names.fields = {};
    TM_LET(const history::Selection spaces, history::Selection::make(moment_, names, "restore"));
    return spaces.for_each([&](const auto&, Result<json> object) -> Status {
      if (!object) {
        survey_.unreadable.push_back(object.error());
      } else {
        survey_.input.wanted.push_back({*kind, *std::move(object)});
      }
      return {};
    });
  }

  history::Moment& moment_;
  link::KubeClient& client_;
  const SurveyWish& wish_;
  const std::stop_token& stop_;
  Survey survey_;
  Gathered live_;
  std::vector<KubeKind> defined_;
  std::set<std::string> always_;
  std::vector<std::size_t> needed_;  // places in survey_.input.wanted
  std::vector<std::unique_ptr<history::Selection>> selections_;
};

}  // namespace

Result<Survey> take_survey(history::Moment& moment, link::KubeClient& client, const SurveyWish& wish,
                           const std::stop_token& stop) {
  TM_LET(link::KubeDiscovery all, client.discover(stop));
  return Surveyor(moment, client, wish, ServedKinds(std::move(all)), stop).take();
}

}  // namespace tidemark::live
