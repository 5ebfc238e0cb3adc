#include "cli/place.h"

#include "bucket/name.h"
#include "catalog/lineage.h"
#include "io/file.h"
#include "store/open.h"

namespace tidemark::cli {

// The path of a store's URL is what etcd-backup-restore calls its prefix.
Status check_place(const std::string& url) {
  const std::string_view scheme = store::url_scheme(url);
  std::string_view path = url;
  if (!scheme.empty()) path.remove_prefix(scheme.size() + 1);
  if (!scheme.empty() && scheme != "dir") {
    // s3://bucket/PREFIX?options, az://account/container/PREFIX?options
    path = path.substr(0, path.find('?'));
    std::size_t slash = path.find('/', std::string_view("//").size());
    if (scheme == "az" && slash != std::string_view::npos) slash = path.find('/', slash + 1);
    return bucket::check_prefix(slash == std::string_view::npos ? "" : path.substr(slash + 1));
  }
  std::error_code error;
  const io::Path root = std::filesystem::absolute(path, error).lexically_normal();
  TM_CHECK(bucket::check_prefix(root.relative_path().native()));  // a prefix has no leading slash
  return catalog::check_neighbours(root);
}

}  // namespace tidemark::cli
