// tidemark list: the points that exist, what can be restored with them, and what is missing.
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <ostream>

#include "base/rfc3339.h"
#include "catalog/lineage.h"
#include "cli/history.h"
#include "cli/output.h"
#include "cli/points.h"
#include "cli/program.h"
#include "cli/verbs.h"
#include "restore/target.h"

namespace tidemark::cli {
namespace {

using catalog::Gap;
using catalog::Point;
using Json = nlohmann::ordered_json;

struct ListWish {
  std::string store;
  std::string kind;   // "full", "delta", "gap"; empty: all
  std::string since;  // empty: from the beginning
  Format format = Format::table;
};

// Everything that is known about a store from its names and sidecars.
struct Survey {
  std::string url;
  catalog::Timeline timeline;
  std::vector<RevisionSpan> restorable;
  std::optional<catalog::Lineage> lineage;
  std::vector<catalog::LineageSuccessor> successors;
  catalog::Proofs proofs;
  std::vector<std::string> left_out;
};

Result<Survey> survey(const History& history) {
  Survey all;
  all.url = history.origin->url();
  TM_LET(all.timeline, timeline_of(history));
  all.left_out = history.origin->left_out();
  all.restorable = catalog::restorable(all.timeline);
  if (!history.store) return all;
  TM_LET(all.lineage, catalog::read_lineage(*history.store));
  TM_LET(all.successors, catalog::read_successors(*history.store));
  TM_LET(all.proofs, catalog::Proofs::read(*history.store));
  return all;
}

// What of a survey was asked for.
class Filter {
 public:
  static Result<Filter> from(const ListWish& wish, const catalog::Timeline& timeline, Time now) {
    if (wish.kind == "volume") return fail(Errc::unsupported, "list volumes: this version keeps no volumes");
    Filter filter;
    filter.kind_ = wish.kind;
    if (wish.since.empty()) return filter;
    TM_LET(const restore::Target since, named("--since", restore::parse_target(wish.since, now)));
    switch (since.kind) {
      case restore::Target::Kind::latest: filter.least_ = timeline.latest(); break;
      case restore::Target::Kind::revision: filter.least_ = since.revision; break;
      case restore::Target::Kind::time: filter.after_ = since.time; break;
    }
    return filter;
  }
  bool takes(const Point& p) const {
    return (kind_.empty() || kind_ == kind_word(p.name.kind)) && (!least_ || p.name.span.last >= *least_) &&
           (!after_ || catalog::created(p.name) >= *after_);
  }
  // A gap has no time of its own; with a moment asked for, all are shown rather than one hidden.
  bool takes(const Gap& g) const { return (kind_.empty() || kind_ == "gap") && (!least_ || g.span.last >= *least_); }

 private:
  std::string kind_;
  std::optional<Revision> least_;
  std::optional<Time> after_;
};

// Points and gaps by the revision where they begin.
struct Entry {
  const Point* point = nullptr;
  const Gap* gap = nullptr;
  Revision at;
};

std::vector<Entry> entries(const catalog::Timeline& timeline, const Filter& filter) {
  std::vector<Entry> all;
  for (const Point& p : timeline.fulls) {
    if (filter.takes(p)) all.push_back({&p, nullptr, p.name.span.last});
  }
  for (const Point& p : timeline.deltas) {
    if (filter.takes(p)) all.push_back({&p, nullptr, p.name.span.first});
  }
  for (const Gap& g : timeline.gaps) {
    if (filter.takes(g)) all.push_back({nullptr, &g, g.span.first});
  }
  std::ranges::stable_sort(all, {}, &Entry::at);
  return all;
}

std::string print_points(const Survey& survey, const std::vector<Entry>& shown, bool wide) {
  std::vector<std::string> headings{"KIND", "REVISIONS", "CREATED", "SIZE", "STATE", "OBJECT"};
  // A column of dashes says nothing.
  const bool proofs = wide || !survey.proofs.empty();
  if (proofs) headings.insert(headings.end() - 1, "PROOF");
  if (wide) headings.insert(headings.end() - 1, "COMPRESSION");
  Table table(std::move(headings));
  for (const Entry& entry : shown) {
    if (entry.gap != nullptr) {
      std::vector<std::string> row{"gap", span_words(entry.gap->span), "-", "-", entry.gap->reason};
      table.add(std::move(row));
      continue;
    }
    const Point& p = *entry.point;
    std::vector<std::string> row{std::string(kind_word(p.name.kind)),           revisions_of(p),
                                 print_rfc3339(catalog::created(p.name)),       human_size(p.size),
                                 std::string(state_word(p, survey.restorable)), p.key};
    if (proofs) row.insert(row.end() - 1, proof_words(survey.proofs.of(p.key)));
    if (wide) row.insert(row.end() - 1, std::string(codec_word(p.name.compression)));
    table.add(std::move(row));
  }
  return table.print();
}

std::string print_summary(const Survey& survey, bool wide) {
  const catalog::Timeline& timeline = survey.timeline;
  std::string text;
  if (const auto earliest = timeline.earliest()) {
    text += fmt::format("earliest  revision {}  {}\n", *earliest, print_rfc3339(*timeline.earliest_time()));
    text += fmt::format("latest    revision {}  {}\n", *timeline.latest(), print_rfc3339(*timeline.latest_time()));
  }
  if (survey.restorable.size() > 1) {
    std::string spans;
    for (const RevisionSpan& span : survey.restorable) spans += (spans.empty() ? "" : ", ") + span_words(span);
    text += "possible  " + spans + "\n";
  }
  if (survey.lineage) {
    text += fmt::format("lineage   {} of cluster {:x}, recorded from revision {} on\n", survey.lineage->number,
                        survey.lineage->cluster.raw(), survey.lineage->first);
  }
  for (const auto& successor : survey.successors) {
    text += fmt::format("goes on   in {} since {}: {}\n", successor.store, print_rfc3339(successor.created),
                        successor.reason);
  }
  if (!timeline.ignored.empty() && !wide) {
    text += fmt::format("ignored   {} keys that are no snapshots; -o wide names them\n", timeline.ignored.size());
  }
  if (wide) {
    for (const std::string& key : timeline.ignored) text += "ignored   " + key + "\n";
  }
  for (const std::string& what : survey.left_out) text += "left out  " + what + "\n";
  for (const std::string& sidecar : timeline.damaged) text += "damaged   " + sidecar + "\n";
  return text;
}

Json moment(std::optional<Revision> revision, std::optional<Time> time) {
  if (!revision || !time) return nullptr;
  return {{"revision", revision->raw()}, {"time", print_rfc3339(*time)}};
}

Json lineage_fields(const Survey& survey) {
  if (!survey.lineage) return nullptr;
  return {{"number", survey.lineage->number},
          {"clusterId", fmt::format("{:x}", survey.lineage->cluster.raw())},
          {"memberId", fmt::format("{:x}", survey.lineage->member.raw())},
          {"firstRevision", survey.lineage->first.raw()},
          {"created", print_rfc3339(survey.lineage->created)}};
}

Json to_json(const Survey& survey, const std::vector<Entry>& shown) {
  const catalog::Timeline& timeline = survey.timeline;
  Json all{{"kind", "Timeline"}, {"formatVersion", 1}, {"store", survey.url}};
  all["earliest"] = moment(timeline.earliest(), timeline.earliest_time());
  all["latest"] = moment(timeline.latest(), timeline.latest_time());
  all["restorable"] = Json::array();
  for (const RevisionSpan& s : survey.restorable) {
    all["restorable"].push_back(Json{{"first", s.first.raw()}, {"last", s.last.raw()}});
  }
  all["points"] = Json::array();
  all["gaps"] = Json::array();
  for (const Entry& entry : shown) {
    if (entry.point != nullptr) {
      Json fields = point_fields(*entry.point, survey.restorable);
      fields["proof"] = proof_fields(survey.proofs.of(entry.point->key));
      all["points"].push_back(std::move(fields));
    } else {
      all["gaps"].push_back(Json{
          {"first", entry.gap->span.first.raw()}, {"last", entry.gap->span.last.raw()}, {"reason", entry.gap->reason}});
    }
  }
  all["lineage"] = lineage_fields(survey);
  all["successors"] = Json::array();
  for (const auto& successor : survey.successors) {
    all["successors"].push_back(Json{{"number", successor.number},
                                     {"store", successor.store},
                                     {"reason", successor.reason},
                                     {"created", print_rfc3339(successor.created)}});
  }
  all["leftOut"] = survey.left_out;
  all["ignored"] = timeline.ignored;
  all["damaged"] = timeline.damaged;
  return all;
}

std::string print(const Survey& survey, const std::vector<Entry>& shown, Format format) {
  switch (format) {
    case Format::json: return print_json(to_json(survey, shown));
    case Format::yaml: return print_yaml(to_json(survey, shown));
    case Format::name: break;
    case Format::table:
    case Format::wide: {
      const bool wide = format == Format::wide;
      return (shown.empty() ? "" : print_points(survey, shown, wide) + "\n") + print_summary(survey, wide);
    }
  }
  std::string names;
  for (const Entry& entry : shown) {
    if (entry.point != nullptr) names += entry.point->key + "\n";
  }
  return names;
}

Result<Exit> list(Program& program, const ListWish& wish) {
  TM_LET(const History history, open_history(program, wish.store));
  TM_LET(const Survey all, survey(history));
  TM_LET(const Filter filter, Filter::from(wish, all.timeline, program.now()));
  program.out() << print(all, entries(all.timeline, filter), wish.format);
  if (all.restorable.empty()) {
    return std::unexpected(
        Error{Errc::not_found, fmt::format("nothing can be restored from {}: it holds no full snapshot", all.url),
              all.timeline.deltas.empty() ? "check the path: snapshots are looked for in its folders "
                                            "v2 and v1"
                                          : ""});
  }
  return Exit::done;
}

}  // namespace

void add_list(Program& program) {
  auto wish = std::make_shared<ListWish>();
  CLI::App& app = program.verb("list", "the points that exist, the earliest and latest restorable moment, the gaps",
                               "tidemark list --store dir:/backups/prod\n"
                               "tidemark list --store dir:/backups/prod --kind full --since -24h\n"
                               "tidemark list --store dir:/backups/prod -o json | jq .latest.revision\n"
                               "tidemark list --store etcd:/var/lib/etcd    # what a stopped etcd's directory holds\n",
                               [wish](Program& p) { return list(p, *wish); });
  program.add_store(app, wish->store);
  app.add_option("--kind", wish->kind, "only points of this kind")
      ->check(CLI::IsMember({"full", "delta", "volume", "gap"}));
  app.add_option("--since", wish->since, "only points made since: RFC 3339, -2h, rev:1234, latest")->type_name("WHEN");
  program.add_format(app, wish->format);
}

}  // namespace tidemark::cli
