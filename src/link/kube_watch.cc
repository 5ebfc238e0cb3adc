#include <algorithm>
#include <nlohmann/json.hpp>

#include "kube/json_text.h"
#include "link/json_feed.h"
#include "link/kube_list.h"
#include "link/kube_path.h"
#include "link/kube_refusal.h"

namespace tidemark::link {
namespace {

using nlohmann::json;

constexpr std::size_t kMostEvent = 64UL << 20U;

std::optional<KubeEvent::Type> event_type(std::string_view word) {
  if (word == "ADDED") return KubeEvent::Type::added;
  if (word == "MODIFIED") return KubeEvent::Type::modified;
  if (word == "DELETED") return KubeEvent::Type::deleted;
  if (word == "BOOKMARK") return KubeEvent::Type::bookmark;
  return std::nullopt;
}

std::string event_text(const json& object, const char* outer, const char* inner) {
  const auto fields = object.find(outer);
  if (fields == object.end() || !fields->is_object()) return {};
  const auto found = fields->find(inner);
  return found != fields->end() && found->is_string() ? found->get<std::string>() : std::string();
}

class Watching {
 public:
  Watching(KubeWire& wire, const KubeKind& kind, const KubeWatchOptions& options, const KubeClient::OnEvent& on_event)
      : wire_(wire),
        kind_(kind),
        options_(options),
        on_event_(on_event),
        doing_(doing("watch", kind, {.name_space = options.name_space})),
        from_(options.resource_version) {}

  // Connection after connection, each from where the last one ended.
  Status run(const std::stop_token& stop) {
    if (from_.empty() || from_ == "0") {
      return fail(Errc::invalid, "{}: from which resource version is not said", doing_);
    }
    std::optional<net::Attempts> attempts;
    for (attempts.emplace(wire_.gate(), stop);;) {
      const Ticks began = wire_.clock().ticks();
      moved_ = false;
      const Status ended = connection(stop);
      if (last_) return *last_;
      if (!ended && !is_passing(ended.error())) return ended;
      // A server that ends it at once, again and again, is asked less and less often, and at last no more.
      if (moved_ || wire_.clock().ticks() - began > std::chrono::seconds(5)) {
        attempts.emplace(wire_.gate(), stop);
        TM_CHECK(named(doing_, attempts->ready()));
        continue;
      }
      const Error why =
          ended ? fail(Errc::unavailable, "{}: the server ended it at once", doing_).error() : ended.error();
      TM_CHECK(attempts->again(why, {net::Fault::passing}));
    }
  }

 private:
  static bool is_passing(const Error& error) {
    return error.code == Errc::unavailable || error.code == Errc::timeout || error.code == Errc::torn;
  }

  Status connection(const std::stop_token& stop) {
    KubeCall call{.doing = doing_};
    TM_LET(call.path, list_path(kind_, options_.name_space));
    net::Query query{{"watch", "1"},
                     {"allowWatchBookmarks", "true"},
                     {"resourceVersion", from_},
                     {"timeoutSeconds", std::to_string(std::max<std::int64_t>(1, options_.connection.count()))}};
    if (!options_.labels.empty()) query.emplace_back("labelSelector", options_.labels);
    if (!options_.fields.empty()) query.emplace_back("fieldSelector", options_.fields);
    call.path += "?" + net::print_query(std::move(query));
    call.repeat_body = false;
    call.lasts = options_.connection;
    call.silence = options_.silence;
    return wire_.send(call, stop, [this](io::Source& body) { return read_events(body); });
  }

  Status read_events(io::Source& body) {
    JsonFeed feed(body, kMostEvent);
    for (;;) {
      TM_LET(const char next, feed.peek());
      if (next == '\0') return {};
      TM_LET(const std::string_view text, feed.value());
      TM_LET(json event, kube::parse_json(as_bytes(text)));
      TM_CHECK(take(event));
    }
  }

  Status take(json& event) {
    const auto word = event.is_object() ? event.find("type") : event.end();
    const auto object = event.is_object() ? event.find("object") : event.end();
    if (word == event.end() || !word->is_string() || object == event.end() || !object->is_object()) {
      return fail(Errc::corrupt, "an event without type or object");
    }
    if (*word == "ERROR") return std::unexpected(error_of(read_refusal(200, object->dump()), "the watch ended"));
    const auto type = event_type(word->get_ref<const std::string&>());
    if (!type) return {};  // of a newer server
    const KubeEvent told{.type = *type, .resource_version = event_text(*object, "metadata", "resourceVersion")};
    if (told.resource_version.empty()) return fail(Errc::corrupt, "an event without resource version");
    json none;
    const Status handled = on_event_(told, *type == KubeEvent::Type::bookmark ? none : *object);
    if (!handled) {
      last_ = handled;
      return handled;
    }
    from_ = told.resource_version;
    moved_ = true;
    return {};
  }

  KubeWire& wire_;
  const KubeKind& kind_;
  const KubeWatchOptions& options_;
  const KubeClient::OnEvent& on_event_;
  const std::string doing_;
  std::string from_;
  bool moved_ = false;          // this connection brought something
  std::optional<Status> last_;  // the caller has had enough
};

}  // namespace

Status watch_all(KubeWire& wire, const KubeKind& kind, const KubeWatchOptions& options,
                 const KubeClient::OnEvent& on_event, const std::stop_token& stop) {
  return Watching(wire, kind, options, on_event).run(stop);
}

}  // namespace tidemark::link
