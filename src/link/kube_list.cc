#include "link/kube_list.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "kube/json_text.h"
#include "link/json_feed.h"
#include "link/kube_path.h"

namespace tidemark::link {
namespace {

using nlohmann::json;

constexpr int kMostRestarts = 2;

// A page in memory, as it came: handed out when it is whole, for after a cut it is asked for again.
struct Page {
  std::string texts;              // of the items, one after the other
  std::vector<std::size_t> ends;  // of each in texts
  std::string resource_version, more;
};

Status read_metadata(std::string_view text, Page& to) {
  TM_LET(const json metadata, kube::parse_json(as_bytes(text)));
  if (!metadata.is_object()) return {};
  const auto text_in = [&](const char* name) {
    const auto found = metadata.find(name);
    return found != metadata.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  to.resource_version = text_in("resourceVersion");
  to.more = text_in("continue");
  return {};
}

Status read_page(io::Source& from, std::size_t most, Page& to) {
  to = {};
  JsonFeed feed(from, most);
  return read_members(feed, [&](const std::string& name) -> Status {
    TM_LET(const char next, feed.peek());
    if (name == "items" && next == '[') {
      return read_elements(feed, [&](std::string_view item) -> Status {
        if (item.size() > most - std::min(most, to.texts.size())) {
          return fail(Errc::no_space, "a page of more than {}", human_size(most));
        }
        to.texts += item;
        to.ends.push_back(to.texts.size());
        return {};
      });
    }
    TM_LET(const std::string_view value, feed.value());
    return name == "metadata" ? read_metadata(value, to) : Status();
  });
}

// One list, as of one moment.
class Listing {
 public:
  Listing(KubeWire& wire, const KubeKind& kind, const KubeListOptions& options, int page)
      : wire_(wire), kind_(kind), options_(options), page_(std::max(1, page)) {}

  Result<KubeListEnd> run(const KubeClient::OnObject& on_object, const std::stop_token& stop) {
    KubeListEnd end;
    for (std::string more;;) {
      TM_LET(const Page page, next(more, stop));
      if (end.resource_version.empty()) end.resource_version = page.resource_version;
      TM_CHECK(hand_out(page, on_object, stop));
      end.objects += page.ends.size();
      more = page.more;
      if (more.empty()) return end;
    }
  }
  bool expired() const { return expired_; }

 private:
  Result<std::string> path_of(const std::string& more) const {
    TM_LET(std::string path, list_path(kind_, options_.name_space));
    net::Query query{{"limit", std::to_string(page_)}};
    if (!options_.labels.empty()) query.emplace_back("labelSelector", options_.labels);
    if (!options_.fields.empty()) query.emplace_back("fieldSelector", options_.fields);
    if (!more.empty()) {
      query.emplace_back("continue", more);
    } else if (!options_.resource_version.empty()) {
      query.emplace_back("resourceVersion", options_.resource_version);
      query.emplace_back("resourceVersionMatch", "Exact");
    }
    return path + "?" + net::print_query(std::move(query));
  }

  // The page behind `more`; a smaller one when it does not fit.
  Result<Page> next(const std::string& more, const std::stop_token& stop) {
    for (;; page_ /= 2) {
      KubeCall call{.doing = doing("list", kind_, {.name_space = options_.name_space})};
      TM_LET(call.path, path_of(more));
      Page page;
      const Status sent = wire_.send(
          call, stop, [&](io::Source& body) { return read_page(body, wire_.options().most_page_bytes, page); });
      if (sent) return page;
      expired_ = sent.error().code == Errc::compacted;
      if (sent.error().code != Errc::no_space || page_ == 1) return std::unexpected(sent.error());
    }
  }

  Status hand_out(const Page& page, const KubeClient::OnObject& on_object, const std::stop_token& stop) const {
    std::size_t begin = 0;
    for (const std::size_t end : page.ends) {
      if (stop.stop_requested()) return fail(Errc::cancelled, "list {}: asked to stop", kind_.full_name());
      const std::string_view text = std::string_view(page.texts).substr(begin, end - begin);
      TM_LET(json object, named("list " + kind_.full_name(), kube::parse_json(as_bytes(text))));
      if (!object.is_object()) return fail(Errc::corrupt, "list {}: an item is no object", kind_.full_name());
      // Servers leave them out of the items of a typed list.
      if (!object.contains("kind")) object["kind"] = kind_.kind;
      if (!object.contains("apiVersion")) object["apiVersion"] = kind_.api_version();
      TM_CHECK(on_object(object));
      begin = end;
    }
    return {};
  }

  KubeWire& wire_;
  const KubeKind& kind_;
  const KubeListOptions& options_;
  int page_;
  bool expired_ = false;
};

}  // namespace

Result<KubeListEnd> list_all(KubeWire& wire, const KubeKind& kind, const KubeListOptions& options,
                             const KubeClient::OnObject& on_object, const std::stop_token& stop) {
  int page = options.page;
  for (int restarts = 0;; restarts++) {
    Listing listing(wire, kind, options, page);
    auto end = listing.run(on_object, stop);
    // An exact moment that is gone does not come back.
    const bool again = listing.expired() && options.on_restart && options.resource_version.empty();
    if (end || !again || restarts == kMostRestarts) return end;
    options.on_restart();
    page = std::min(page, 10'000) * 4;
  }
}

}  // namespace tidemark::link
