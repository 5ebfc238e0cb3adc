#include "link/kube_fields.h"

#include "crypto/sign.h"

namespace tidemark::link {

using nlohmann::json;

const json* KubeFields::find(const char* name) const {
  if (!value_->is_object()) return nullptr;
  const auto found = value_->find(name);
  return found == value_->end() || found->is_null() ? nullptr : &*found;
}

std::string KubeFields::place(std::string_view name) const {
  return fmt::format("{}: {}{}{}", file_.string(), where_, where_.empty() || name.empty() ? "" : ".", name);
}

std::unexpected<Error> KubeFields::wrong(std::string_view name, std::string_view what) const {
  return fail(Errc::invalid, "{}: {}", place(name), what);
}

Result<std::string> KubeFields::text(const char* name) const {
  const json* found = find(name);
  if (found == nullptr) return std::string();
  if (!found->is_string()) return wrong(name, "a text expected");
  return found->get<std::string>();
}

Result<std::string> KubeFields::need(const char* name) const {
  TM_LET(std::string found, text(name));
  if (found.empty()) return wrong(name, "it is missing");
  return found;
}

Result<bool> KubeFields::boolean(const char* name) const {
  const json* found = find(name);
  if (found == nullptr) return false;
  if (!found->is_boolean()) return wrong(name, "true or false expected");
  return found->get<bool>();
}

Result<std::vector<std::string>> KubeFields::texts(const char* name) const {
  std::vector<std::string> all;
  const json* found = find(name);
  if (found == nullptr) return all;
  if (!found->is_array()) return wrong(name, "a list of texts expected");
  for (const json& one : *found) {
    if (!one.is_string()) return wrong(fmt::format("{}[{}]", name, all.size()), "a text expected");
    all.push_back(one.get<std::string>());
  }
  return all;
}

Result<std::string> KubeFields::base64(const char* name) const {
  TM_LET(const std::string found, text(name));
  const auto bytes = crypto::from_base64(found);
  if (!bytes) return wrong(name, "base64 expected");  // never with a part of it: it may be a key
  return std::string(as_text(*bytes));
}

Result<std::string> KubeFields::path(const char* name) const {
  TM_LET(const std::string found, text(name));
  if (found.empty()) return found;
  return (std::filesystem::absolute(file_).parent_path() / found).lexically_normal().string();
}

Result<KubeFields> KubeFields::object(const char* name) const {
  static const json kNone = json::object();
  const json* found = find(name);
  if (found != nullptr && !found->is_object()) return wrong(name, "fields expected");
  return KubeFields(found == nullptr ? kNone : *found, file_, where_.empty() ? name : where_ + "." + name);
}

Result<std::vector<KubeFields>> KubeFields::list(const char* name) const {
  std::vector<KubeFields> all;
  const json* found = find(name);
  if (found == nullptr) return all;
  if (!found->is_array()) return wrong(name, "a list expected");
  for (const json& one : *found) {
    const std::string at = fmt::format("{}{}{}[{}]", where_, where_.empty() ? "" : ".", name, all.size());
    if (!one.is_object()) return fail(Errc::invalid, "{}: {}: fields expected", file_.string(), at);
    all.emplace_back(one, file_, at);
  }
  return all;
}

}  // namespace tidemark::link
