#include "cli/history.h"

#include "cli/program.h"
#include "restore/base_image.h"
#include "store/open.h"

namespace tidemark::cli {
namespace {

Result<Revision> true_revision(restore::Origin& origin, const catalog::Point& point) {
  if (const auto file = origin.plain_file(point)) {
    TM_LET(const auto image, restore::BaseImage::in_place(*file, /*skip_digest=*/true));
    return image->facts().revision;
  }
  TM_LET(const io::TempDir scratch, io::TempDir::create());
  TM_LET(const auto body, origin.body(point));
  TM_LET(const auto image,
         restore::BaseImage::spool(*body, scratch.path() / "snapshot.db", point.key, /*skip_digest=*/true));
  return image->facts().revision;
}

}  // namespace

Result<History> open_history(Program& program, const std::string& url) {
  History history;
  const std::string_view scheme = store::url_scheme(url);
  const auto path = [&] { return io::Path(url.substr(scheme.size() + 1)); };
  if (scheme == "file") {
    TM_LET(history.origin, restore::file_origin(path()));
  } else if (scheme == "etcd") {
    TM_LET(history.origin, restore::data_dir_origin(path()));
  } else {
    TM_LET(history.store, program.open_store(url, /*read_only=*/true));
    history.origin = restore::store_origin(*history.store);
  }
  return history;
}

Result<catalog::Timeline> timeline_of(const History& history) {
  TM_LET(catalog::Timeline timeline, history.origin->timeline());
  if (!history.origin->nameless()) return timeline;
  for (catalog::Point& full : timeline.fulls) {
    TM_LET(full.name.span.last, true_revision(*history.origin, full));
  }
  return timeline;
}

}  // namespace tidemark::cli
