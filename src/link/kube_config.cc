#include "link/kube_config.h"

#include <algorithm>
#include <deque>
#include <map>
#include <nlohmann/json.hpp>

#include "kube/yaml_text.h"
#include "link/kube_access.h"
#include "link/kube_fields.h"

namespace tidemark::link {
namespace {

using nlohmann::json;

constexpr std::uint64_t kMostBytes = 16UL << 20U;

using Named = std::map<std::string, KubeFields, std::less<>>;

// All files together. The documents stay where they are: fields point into them.
struct Merged {
  std::deque<json> documents;
  std::string current;
  Named clusters, users, contexts;
  std::string files;  // for messages
};

// "users" is a list of {name, user}.
Status read_named(const KubeFields& file, const char* list, const char* inner, Named& to) {
  Named own;
  TM_LET(const std::vector<KubeFields> entries, file.list(list));
  for (const KubeFields& entry : entries) {
    TM_LET(const std::string name, entry.need("name"));
    const std::string where = fmt::format("{}[{}]", list, name);
    TM_LET(const KubeFields value, entry.renamed(where).object(inner));
    if (!own.emplace(name, value).second) return file.wrong(where, "the name is there twice");
  }
  to.merge(own);  // what an earlier file named stays
  return {};
}

Status read_file_into(const io::Path& path, Merged& to) {
  const auto bytes = io::read_file(path, kMostBytes);
  if (!bytes) return std::unexpected(bytes.error());
  auto document = kube::parse_yaml(*bytes);
  if (!document) return fail(Errc::invalid, "{}: {}", path.string(), document.error().what);
  if (document->is_null()) return {};  // an empty file, as kubectl config makes one
  if (!document->is_object()) return fail(Errc::invalid, "{}: a kubeconfig expected", path.string());
  const KubeFields file(to.documents.emplace_back(*std::move(document)), path, "");
  TM_LET(const std::string kind, file.text("kind"));
  TM_LET(const std::string version, file.text("apiVersion"));
  if (!kind.empty() && kind != "Config") return file.wrong("kind", "Config expected, it is '" + kind + "'");
  if (!version.empty() && version != "v1") return file.wrong("apiVersion", "v1 expected, it is '" + version + "'");
  TM_LET(const std::string current, file.text("current-context"));
  if (to.current.empty()) to.current = current;
  TM_CHECK(read_named(file, "clusters", "cluster", to.clusters));
  TM_CHECK(read_named(file, "users", "user", to.users));
  return read_named(file, "contexts", "context", to.contexts);
}

std::vector<io::Path> split(std::string_view paths) {
  std::vector<io::Path> all;
  while (!paths.empty()) {
    const std::size_t colon = std::min(paths.find(':'), paths.size());
    if (colon != 0) all.emplace_back(paths.substr(0, colon));
    paths.remove_prefix(std::min(colon + 1, paths.size()));
  }
  return all;
}

std::string names_of(const Named& all) {
  std::string text;
  for (const auto& [name, fields] : all) text += (text.empty() ? "" : ", ") + name;
  return text.empty() ? "none" : text;
}

Result<KubeFields> pick_context(const Merged& merged, const std::string& name) {
  if (name.empty()) {
    return hinted(Result<KubeFields>(fail(Errc::invalid, "{}: there is no current-context", merged.files)),
                  "name one by --context: " + names_of(merged.contexts));
  }
  const auto found = merged.contexts.find(name);
  if (found == merged.contexts.end()) {
    return hinted(Result<KubeFields>(fail(Errc::not_found, "{}: there is no context '{}'", merged.files, name)),
                  "there are: " + names_of(merged.contexts));
  }
  return found->second;
}

Result<KubeAccess> access_of(const Merged& merged, const std::string& wanted) {
  KubeAccess access;
  access.context = wanted.empty() ? merged.current : wanted;
  TM_LET(const KubeFields context, pick_context(merged, access.context));
  TM_LET(access.cluster, context.need("cluster"));
  TM_LET(access.user, context.text("user"));
  TM_LET(const std::string name_space, context.text("namespace"));
  if (!name_space.empty()) access.name_space = name_space;

  const auto cluster = merged.clusters.find(access.cluster);
  if (cluster == merged.clusters.end()) {
    return context.wrong("cluster", fmt::format("there is no cluster '{}'", access.cluster));
  }
  TM_CHECK(read_cluster(cluster->second, access));
  if (access.user.empty()) return access;  // a server that asks nobody who he is
  const auto user = merged.users.find(access.user);
  if (user == merged.users.end()) return context.wrong("user", fmt::format("there is no user '{}'", access.user));
  TM_CHECK(read_user(user->second, access));
  return access;
}

}  // namespace

Result<KubeAccess> read_kube_config(const KubeConfigPlace& place, const Environment& environment) {
  std::vector<io::Path> paths;
  const std::string listed = environment("KUBECONFIG");
  if (!place.file.empty()) {
    paths = {place.file};
  } else if (!listed.empty()) {
    paths = split(listed);
  } else if (const std::string home = environment("HOME"); !home.empty()) {
    paths = {io::Path(home) / ".kube" / "config"};
  }
  Merged merged;
  bool any = false;
  for (const io::Path& path : paths) {
    merged.files += (merged.files.empty() ? "" : ":") + path.string();
    const Status read = read_file_into(path, merged);
    if (!read && read.error().code == Errc::not_found && place.file.empty()) continue;
    TM_CHECK(hinted(named("kubeconfig", read), "--kubeconfig or KUBECONFIG names another one"));
    any = true;
  }
  if (any) return access_of(merged, place.context);
  if (listed.empty() && place.context.empty()) {
    auto account = read_pod_account(place.account_dir, environment);
    if (account || account.error().code != Errc::not_found) return account;
  }
  return hinted(Result<KubeAccess>(fail(Errc::not_found, "there is no kubeconfig{}",
                                        merged.files.empty() ? ""
                                                             : fmt::format(": {} {} not there", merged.files,
                                                                           paths.size() == 1 ? "is" : "are"))),
                "name one by --kubeconfig or KUBECONFIG");
}

Result<KubeAccess> read_pod_account(const std::string& account_dir, const Environment& environment) {
  const std::string host = environment("KUBERNETES_SERVICE_HOST"), port = environment("KUBERNETES_SERVICE_PORT");
  if (host.empty() || port.empty()) {
    return fail(Errc::not_found, "this is no pod: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set");
  }
  KubeAccess access;
  access.context = access.cluster = access.user = "in-cluster";
  const bool needs_brackets = host.find(':') != std::string::npos && !host.starts_with('[');
  access.server =
      needs_brackets ? fmt::format("https://[{}]:{}", host, port) : fmt::format("https://{}:{}", host, port);
  access.token_file = account_dir + "/token";
  access.authority.file = account_dir + "/ca.crt";
  access.proxy = "";  // the service's address is the cluster's own
  for (const std::string& file : {access.token_file, access.authority.file}) {
    const auto size = io::size_of_file(file);
    if (!size) {
      return hinted(Result<KubeAccess>(std::unexpected(size.error())),
                    "is automountServiceAccountToken of this pod false?");
    }
  }
  if (const auto text = io::read_file(account_dir + "/namespace", 4096); text && !text->empty()) {
    access.name_space = as_text(*text);
  }
  return access;
}

}  // namespace tidemark::link
