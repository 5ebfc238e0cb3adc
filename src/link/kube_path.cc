#include "link/kube_path.h"

namespace tidemark::link {
namespace {

bool is_part(const std::string& name) {
  return !name.empty() && name != "." && name != ".." && name.find_first_of("/%") == std::string::npos;
}

std::string root_of(const KubeKind& kind) {
  return kind.group.empty() ? "/api/" + net::percent_encode(kind.version)
                            : "/apis/" + net::percent_encode(kind.group) + "/" + net::percent_encode(kind.version);
}

}  // namespace

Result<std::string> list_path(const KubeKind& kind, const std::string& name_space) {
  std::string path = root_of(kind);
  if (!name_space.empty()) {
    if (!kind.namespaced) return fail(Errc::invalid, "{} are in no namespace", kind.full_name());
    if (!is_part(name_space)) return fail(Errc::invalid, "'{}' cannot be a namespace's name", name_space);
    path += "/namespaces/" + net::percent_encode(name_space);
  }
  return path + "/" + net::percent_encode(kind.resource);
}

Result<std::string> object_path(const KubeKind& kind, const KubePlace& place) {
  if (kind.namespaced && place.name_space.empty()) {
    return fail(Errc::invalid, "{} are in namespaces: which one is missing", kind.full_name());
  }
  TM_LET(std::string path, list_path(kind, place.name_space));
  if (!place.name.empty()) {
    if (!is_part(place.name)) return fail(Errc::invalid, "'{}' cannot be an object's name", place.name);
    path += "/" + net::percent_encode(place.name);
  }
  if (!place.subresource.empty()) path += "/" + net::percent_encode(place.subresource, true);
  return path;
}

std::string doing(std::string_view verb, const KubeKind& kind, const KubePlace& place) {
  std::string text = fmt::format("{} {}", verb, kind.full_name());
  if (!place.subresource.empty()) text += "/" + place.subresource;
  if (place.name.empty()) return place.name_space.empty() ? text : text + " in '" + place.name_space + "'";
  return fmt::format("{} '{}{}{}'", text, place.name_space, place.name_space.empty() ? "" : "/", place.name);
}

}  // namespace tidemark::link
