// One object, a list, a watch.
// Source: kubernetes.io/docs/reference/using-api/api-concepts (resourceVersion, limit and continue, watches).
#include <algorithm>
#include <chrono>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/log.h"
#include "kube/object_metadata.h"
#include "kube/selector.h"
#include "serve/asked.h"
#include "serve/continuation.h"
#include "serve/failure.h"
#include "serve/field_rules.h"
#include "serve/shown_object.h"

namespace tidemark::serve {
namespace {

using nlohmann::json;
using namespace std::chrono_literals;

constexpr std::size_t kPieceBytes = 64UL << 10U;
// In the headers of one answer; the rest is counted.
constexpr std::size_t kMostNamed = 8;
constexpr auto kLongestWatch = 3600s;
constexpr auto kBookmarkEvery = 60s;
// Of a pod, and of a service or a node: what only a running cluster has.
constexpr std::string_view kOfTheLiving[] = {"log",   "exec",     "attach",  "portforward",         "proxy",
                                             "token", "eviction", "binding", "ephemeralcontainers", "resize"};

// What all three have read of the request.
struct Wish {
  Showing showing;
  kube::LabelSelector labels;
  FieldRules fields;
  std::string ns, name;  // empty: any
  std::int64_t limit = 0;
  std::string behind;  // the key that the last page ended with
  bool from_continue = false;
};

template <class T>
using Or = std::expected<T, Failure>;

std::unexpected<Failure> no(int code, std::string message) {
  return std::unexpected(failure(code, std::move(message)));
}

Failure not_there(const Asked& asked, const ServedKind& kind) {
  Failure none = failure(404, fmt::format("{} \"{}\" not found: there was none at revision {}",
                                          kind.resource.full_name(), asked.route.name, asked.cluster.revision()));
  none.group = kind.resource.group;
  none.kind = kind.resource.plural;
  none.name = asked.route.name;
  return none;
}

// The revision that the client names; nullopt: none, or any will do.
Or<std::optional<std::int64_t>> named_version(const Asked& asked) {
  const std::string_view text = asked.target.parameter("resourceVersion");
  if (text.empty()) return std::nullopt;
  const auto version = read_count(text);
  if (!version) return no(400, fmt::format("resourceVersion: '{}' is not a revision", text));
  if (*version == 0) return std::nullopt;
  if (*version > asked.cluster.revision().raw()) {
    return no(504, fmt::format("Too large resource version: {}, current: {}", *version, asked.cluster.revision()));
  }
  return *version;
}

std::unexpected<Failure> too_old(const Asked& asked, std::int64_t version) {
  return no(410, fmt::format("revision {} is not shown here: this is the cluster as it was at revision {}", version,
                             asked.cluster.revision()));
}

Or<bool> check_list_version(const Asked& asked, const Wish& wish) {
  const std::string_view match = asked.target.parameter("resourceVersionMatch");
  if (!match.empty() && match != "Exact" && match != "NotOlderThan") {
    return no(400, fmt::format("resourceVersionMatch={}: Exact or NotOlderThan expected", match));
  }
  const auto version = named_version(asked);
  if (!version) return std::unexpected(version.error());
  if (!match.empty() && !asked.target.has("resourceVersion")) {
    return no(400, "resourceVersionMatch needs a resourceVersion");
  }
  if (!*version) return true;
  if (wish.from_continue) return no(400, "a resourceVersion does not go with a continue token");
  // A page of a certain revision is of exactly that one.
  const bool exact = match == "Exact" || (match.empty() && wish.limit > 0);
  if (exact && **version != asked.cluster.revision().raw()) return too_old(asked, **version);
  return true;
}

Or<Wish> read_wish(const Asked& asked, const ServedKind& kind) {
  const ApiTarget& target = asked.target;
  Wish wish;
  wish.showing = {.form = asked.form, .row_object = RowObject::metadata, .now = asked.cluster.time()};
  if (wish.showing.form == Form::discovery) wish.showing.form = Form::object;
  const auto row_object = read_row_object(target.parameter("includeObject"));
  if (!row_object) return std::unexpected(failure_of(row_object.error()));
  wish.showing.row_object = *row_object;
  auto labels = kube::LabelSelector::parse(target.parameter("labelSelector"));
  if (!labels) return std::unexpected(failure_of(labels.error()));
  wish.labels = *std::move(labels);
  auto fields = FieldRules::parse(target.parameter("fieldSelector"), kind);
  if (!fields) return std::unexpected(failure_of(fields.error()));
  wish.fields = *std::move(fields);
  wish.ns = asked.route.ns;
  wish.name = asked.route.name;
  if (target.has("limit")) {
    const auto limit = read_count(target.parameter("limit"));
    if (!limit) return no(400, fmt::format("limit: '{}' is not a number", target.parameter("limit")));
    wish.limit = *limit;
  }
  if (target.has("continue")) {
    auto behind = read_continuation(target.parameter("continue"), asked.cluster.revision());
    if (!behind) return std::unexpected(failure_of(behind.error()));
    wish.behind = *std::move(behind);
    if (!wish.behind.starts_with(asked.cluster.prefix_of(kind, wish.ns))) {
      return no(410, "the continue token is not of this list: list from the beginning");
    }
    wish.from_continue = true;
  }
  return wish;
}

bool matches(const Wish& wish, const json& object) {
  static const json kNoLabels = json::object();
  if (!wish.fields.matches(object)) return false;
  if (wish.labels.empty()) return true;
  const auto metadata = object.find("metadata");
  if (metadata == object.end() || !metadata->is_object()) return wish.labels.matches(kNoLabels);
  const auto labels = metadata->find("labels");
  return wish.labels.matches(labels == metadata->end() ? kNoLabels : *labels);
}

// Text in a header of ours: printable ASCII, quoted.
std::string warning_of(std::string_view text) {
  std::string quoted = "299 tidemark \"";
  for (const char c : text.substr(0, 512)) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c >= 0x20 && c < 0x7f ? c : '?';
  }
  return quoted + "\"";
}

// What the list cannot show as it should, named in front: clients print such headers.
ReplyHeaders warnings(const Asked& asked, const ServedKind& kind, const Wish& wish, const Stock& stock) {
  ReplyHeaders headers{{"Content-Type", "application/json"}};
  const std::string prefix = asked.cluster.prefix_of(kind, wish.ns);
  std::size_t left_out = 0;
  for (const Stock::Unreadable& one : stock.unreadable) {
    if (!one.key.starts_with(prefix)) continue;
    if (++left_out > kMostNamed) continue;
    headers.emplace_back("Warning", warning_of("left out: " + one.why.what));
    log_warning("object left out of a list", "key={} reason={}", one.key, one.why.what);
  }
  if (left_out > kMostNamed) {
    headers.emplace_back("Warning", warning_of(fmt::format("left out: {} more {} that cannot be read",
                                                           left_out - kMostNamed, kind.resource.full_name())));
  }
  std::size_t others = 0;
  for (const std::string& key : stock.other_versions) {
    if (key.starts_with(prefix)) others++;
  }
  if (others > 0) {
    headers.emplace_back("Warning", warning_of(fmt::format("{} {} are shown in the version in which they are stored, "
                                                           "which is not {}",
                                                           others, kind.resource.full_name(), kind.api_version())));
  }
  return headers;
}

// Pieces of an answer, gathered until they are worth a write.
class Stream {
 public:
  explicit Stream(Reply& to) : to_(to) {}
  Status add(std::string_view text) {
    text_ += text;
    if (text_.size() < kPieceBytes) return {};
    return flush();
  }
  Status flush() {
    if (text_.empty()) return {};
    const Status written = to_.write(text_);
    text_.clear();
    return written;
  }

 private:
  Reply& to_;
  std::string text_;
};

using Rows = history::Rows;
using EachObject = std::function<Status(const std::string& key, json object)>;

// Where the list ended.
struct End {
  std::string last_key;  // empty: there is nothing behind it
  std::size_t left = 0;  // rows behind it
};

// Everything that is wanted, in the order of the keys. What cannot be read is left out: warnings() names it.
Result<End> for_each(const Asked& asked, const ServedKind& kind, const Wish& wish, const Stock& stock,
                     const EachObject& each) {
  const std::string prefix = asked.cluster.prefix_of(kind, wish.ns);
  auto row = wish.from_continue ? stock.rows.upper_bound(wish.behind) : stock.rows.lower_bound(prefix);
  PastCluster::Reader reader = asked.cluster.reader(kind);
  std::int64_t shown = 0;
  kube::ObjectMetadata metadata;
  for (; row != stock.rows.end() && row->first.starts_with(prefix); ++row) {
    const std::string& key = row->first;
    if (!wish.name.empty() && !key.ends_with("/" + wish.name)) continue;
    if (wish.limit > 0 && shown == wish.limit) {
      End end{.last_key = std::prev(row)->first, .left = 0};
      for (; row != stock.rows.end() && row->first.starts_with(prefix); ++row) end.left++;
      return end;
    }
    // Most that a selector leaves out need not be decoded for that.
    if (!wish.labels.empty() && kube::read_metadata(as_bytes(row->second.value), metadata) &&
        !wish.labels.matches_labels_of(metadata)) {
      continue;
    }
    auto object = reader.read(key, row->second);
    if (!object || !matches(wish, *object)) continue;
    TM_CHECK(each(key, *std::move(object)));
    shown++;
  }
  return End{};
}

Status send_list(const Asked& asked, const ServedKind& kind, const Wish& wish, const Stock& stock) {
  TM_CHECK(asked.reply.begin(200, warnings(asked, kind, wish, stock), /*last=*/false));
  Stream out(asked.reply);
  TM_CHECK(out.add(list_head(kind, wish.showing)));
  bool first = true;
  TM_LET(const End end, for_each(asked, kind, wish, stock, [&](const std::string&, json object) -> Status {
           if (!std::exchange(first, false)) TM_CHECK(out.add(","));
           return out.add(json_text(shown_in_list(kind, std::move(object), wish.showing)));
         }));
  json metadata{{"resourceVersion", std::to_string(asked.cluster.revision().raw())}};
  if (!end.last_key.empty()) {
    metadata["continue"] = print_continuation(asked.cluster.revision(), end.last_key);
    if (wish.labels.empty() && wish.fields.empty()) metadata["remainingItemCount"] = end.left;
  }
  TM_CHECK(out.add("],\"metadata\":" + json_text(metadata) + "}\n"));
  TM_CHECK(out.flush());
  return asked.reply.end();
}

// ---- one

std::optional<Failure> refused_subresource(const Asked& asked, const ServedKind& kind) {
  const std::string& sub = asked.route.subresource;
  if (sub.empty() || (sub == "status" && kind.has_status) || (sub == "scale" && kind.has_scale)) return std::nullopt;
  Failure none = failure(404, fmt::format("{} have no {} here", kind.resource.full_name(), sub));
  if (std::ranges::find(kOfTheLiving, sub) != std::end(kOfTheLiving)) {
    none = failure(405, fmt::format("{}/{} is something of a running cluster: a recorded moment has objects only",
                                    kind.resource.full_name(), sub));
  }
  none.group = kind.resource.group;
  none.kind = kind.resource.plural;
  none.name = asked.route.name;
  return none;
}

void send_object(const Asked& asked, const ServedKind& kind, const Wish& wish, const Stock& stock) {
  if (const auto refused = refused_subresource(asked, kind)) return refuse(asked.reply, *refused);
  const auto row = stock.rows.find(asked.cluster.prefix_of(kind, wish.ns) + wish.name);
  if (row == stock.rows.end()) return refuse(asked.reply, not_there(asked, kind));
  auto object = asked.cluster.reader(kind).read(row->first, row->second);
  if (!object) {
    log_warning("object cannot be read", "key={} reason={}", row->first, object.error().what);
    return refuse(asked.reply, failure_of(object.error()));
  }
  if (asked.route.subresource == "scale") return send_json(asked.reply, 200, scale_of(*object));
  send_json(asked.reply, 200, shown_alone(kind, *std::move(object), wish.showing));
}

// ---- a watch: what there is, and then nothing, for nothing happens any more

json bookmark(const Asked& asked, const ServedKind& kind, const Wish& wish, bool end_of_initial) {
  json metadata{{"resourceVersion", std::to_string(asked.cluster.revision().raw())}, {"creationTimestamp", nullptr}};
  if (end_of_initial) metadata["annotations"] = {{"k8s.io/initial-events-end", "true"}};
  json object{{"kind", kind.resource.kind}, {"apiVersion", kind.api_version()}, {"metadata", std::move(metadata)}};
  return {{"type", "BOOKMARK"}, {"object", shown_alone(kind, std::move(object), wish.showing)}};
}

struct WatchWish {
  bool initial = false;   // begins with what there is
  bool told_end = false;  // and says where that ends
  bool bookmarks = false;
  std::chrono::seconds lasts{};
};

Or<WatchWish> read_watch(const Asked& asked) {
  const ApiTarget& target = asked.target;
  WatchWish watch{.bookmarks = target.flag("allowWatchBookmarks"), .lasts = kLongestWatch};
  if (target.has("timeoutSeconds")) {
    const auto seconds = read_count(target.parameter("timeoutSeconds"));
    if (!seconds)
      return no(400, fmt::format("timeoutSeconds: '{}' is not a number", target.parameter("timeoutSeconds")));
    if (*seconds > 0) watch.lasts = std::min<std::chrono::seconds>(std::chrono::seconds(*seconds), kLongestWatch);
  }
  const auto version = named_version(asked);
  if (!version) return std::unexpected(version.error());
  const std::string_view match = target.parameter("resourceVersionMatch");
  if (target.has("sendInitialEvents")) {
    if (match != "NotOlderThan") return no(400, "sendInitialEvents needs resourceVersionMatch=NotOlderThan");
    watch.initial = target.flag("sendInitialEvents");
    watch.told_end = watch.initial && watch.bookmarks;
  } else {
    if (!match.empty()) return no(400, "resourceVersionMatch of a watch needs sendInitialEvents");
    watch.initial = !version->has_value();
  }
  if (!watch.initial && *version && **version != asked.cluster.revision().raw()) return too_old(asked, **version);
  return watch;
}

Status send_events(const Asked& asked, const ServedKind& kind, const Wish& wish, std::shared_ptr<const Stock> stock,
                   const WatchWish& watch) {
  const Ticks until = asked.clock.ticks() + watch.lasts;
  TM_CHECK(asked.reply.begin(200, warnings(asked, kind, wish, *stock), /*last=*/true));
  Stream out(asked.reply);
  const auto send = [&](const json& event) { return out.add(json_text(event) + "\n"); };
  if (watch.initial) {
    TM_LET(const End end, for_each(asked, kind, wish, *stock, [&](const std::string&, json object) {
             return send({{"type", "ADDED"}, {"object", shown_alone(kind, std::move(object), wish.showing)}});
           }));
    (void)end;
  }
  stock.reset();  // nothing is shown from now on, for as long as an hour
  if (watch.told_end) TM_CHECK(send(bookmark(asked, kind, wish, /*end_of_initial=*/true)));
  TM_CHECK(out.flush());
  for (;;) {
    const Ticks next = watch.bookmarks ? std::min(until, asked.clock.ticks() + kBookmarkEvery) : until;
    if (!asked.reply.quiet_until(next)) return {};
    if (asked.clock.ticks() >= until) return asked.reply.end();
    TM_CHECK(send(bookmark(asked, kind, wish, /*end_of_initial=*/false)));
    TM_CHECK(out.flush());
  }
}

}  // namespace

void answer_objects(const Asked& asked, const ServedKind& kind) {
  const Route& route = asked.route;
  const bool one = route.to == Route::To::object;
  const bool watched = route.watch || asked.target.flag("watch");
  if ((!route.ns.empty() && !kind.resource.namespaced) || (one && kind.resource.namespaced && route.ns.empty())) {
    return refuse(asked.reply,
                  failure(404, fmt::format("{} {}", kind.resource.full_name(),
                                           kind.resource.namespaced ? "are in namespaces" : "are in no namespace")));
  }
  const auto wish = read_wish(asked, kind);
  if (!wish) return refuse(asked.reply, wish.error());
  const auto watch = watched ? read_watch(asked) : Or<WatchWish>(WatchWish());
  if (!watch) return refuse(asked.reply, watch.error());
  if (!watched && !one) {
    if (const auto checked = check_list_version(asked, *wish); !checked) return refuse(asked.reply, checked.error());
  }
  // Warnings of a list, and of a watch, are of the whole namespace.
  auto stock = asked.cluster.stock(kind, {.ns = wish->ns, .name = one && !watched ? wish->name : std::string()});
  if (!stock) {
    log_error("objects cannot be read", "kind={} reason={}", kind.resource.full_name(), stock.error().what);
    return refuse(asked.reply, failure_of(stock.error()));
  }
  if (one && !watched) return send_object(asked, kind, *wish, **stock);
  const Status sent =
      watched ? send_events(asked, kind, *wish, *std::move(stock), *watch) : send_list(asked, kind, *wish, **stock);
  if (!sent) log_debug("answer broken off", "resource={} reason={}", route.resource, sent.error().what);
}

}  // namespace tidemark::serve
