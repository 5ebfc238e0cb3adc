#include "cli/history.h"

#include <CLI/CLI.hpp>
#include <cstdlib>

#include "base/log.h"
#include "cli/index_option.h"
#include "cli/program.h"
#include "restore/base_image.h"
#include "store/open.h"

namespace tidemark::cli {
namespace {

constexpr std::uint64_t kGiB = 1UL << 30U;

// Empty: the environment names none.
io::Path default_cache_dir() {
  if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache != nullptr && *cache == '/') {
    return io::Path(cache) / "tidemark";
  }
  if (const char* home = std::getenv("HOME"); home != nullptr && *home == '/') {
    return io::Path(home) / ".cache" / "tidemark";
  }
  return {};
}

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
  return open_history(program, url, program.stop(), nullptr);
}

Result<History> open_history(Program& program, const std::string& url, const std::stop_token& stop,
                             store::StoreTally* tally) {
  History history;
  const std::string_view scheme = store::url_scheme(url);
  const auto path = [&] { return io::Path(url.substr(scheme.size() + 1)); };
  if (scheme == "file") {
    TM_LET(history.origin, restore::file_origin(path()));
  } else if (scheme == "etcd") {
    TM_LET(history.origin, restore::data_dir_origin(path()));
  } else {
    TM_LET(history.store, program.open_store(url, /*read_only=*/true, stop, tally));
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

void add_index_options(CLI::App& app, IndexWish& wish) {
  app.add_option("--cache-dir", wish.dir,
                 "where the index of the history is kept; it can be deleted at any time. Default: $XDG_CACHE_HOME or "
                 "~/.cache, tidemark")
      ->type_name("DIR");
  wish.limit = 4 * kGiB;
  CLI::AsSizeValue size(/*kb_is_1000=*/false);
  size.description("");  // it would be a list of all units
  app.add_option("--cache-limit", wish.limit,
                 "how much it may hold, like 500M or 4GiB; what was not used for the longest time goes first")
      ->transform(size)
      ->default_str("4GiB")
      ->type_name("SIZE");
  app.add_flag("--no-cache", wish.off, "read everything from the store, and keep no index");
}

std::unique_ptr<history::Index> open_index(Program& program, const History& from, const IndexWish& wish,
                                           const history::MomentOptions& reading) {
  const io::Path dir = wish.dir.empty() ? default_cache_dir() : io::Path(wish.dir);
  if (wish.off || wish.limit == 0 || dir.empty() || !from.store) return nullptr;
  history::IndexOptions options{
      .cache = {.dir = dir, .most_bytes = wish.limit, .clock = &program.clock(), .steps = &program.steps()},
      .scratch = reading.scratch,
      .stop = reading.stop,
      .progress = reading.progress};
  store::ObjectStore* store = from.store.get();
  if (auto* layout = dynamic_cast<store::EncryptedStore*>(store)) {
    const auto sealed = layout->inner().list(store::kAgeObjects);
    const bool open = sealed && sealed->empty();
    // Most stores hold nothing encrypted; this run is then spared every second listing. What is encrypted does not come
    // to lie open in a cache: names do, values do not.
    if (open) store = &layout->inner();
    options.copies = open;
  }
  auto index = history::Index::open(*store, std::move(options));
  if (index) return *std::move(index);
  log_debug("the history index is not used", "reason=\"{}\"", index.error().what);
  return nullptr;
}

}  // namespace tidemark::cli
