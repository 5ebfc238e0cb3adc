#include "history/index_build.h"

#include <algorithm>

#include "crypto/crc32c.h"
#include "history/event_places.h"
#include "history/version_sorter.h"
#include "io/gzip_members.h"
#include "restore/base_image.h"
#include "restore/delta_scan.h"

namespace tidemark::history {
namespace {

constexpr RevisionSpan kAllRevisions{Revision(1), Revision(INT64_MAX)};
constexpr std::size_t kCopyMember = 256UL << 10U;  // local: small members cost little and are quickly inflated
// What is wanted with every object of a custom kind, and is no secret.
constexpr std::string_view kDefinitions = "/apiextensions.k8s.io/customresourcedefinitions/";
constexpr std::size_t kMostKept = 64UL << 20U;

// Counts, and ends when somebody asks to stop.
class WatchedSource final : public io::Source {
 public:
  WatchedSource(std::unique_ptr<io::Source> from, const std::stop_token& stop, std::uint64_t& count)
      : from_(std::move(from)), stop_(stop), count_(count) {}
  Result<std::size_t> read(MutableBytes into) override {
    if (stop_.stop_requested()) return fail(Errc::cancelled, "stopped");
    TM_LET(const std::size_t n, from_->read(into));
    count_ += n;
    return n;
  }

 private:
  std::unique_ptr<io::Source> from_;
  const std::stop_token& stop_;
  std::uint64_t& count_;
};

class Build {
 public:
  Build(store::ObjectStore& store, restore::Origin& from, const catalog::Point& point, const store::ObjectInfo& listed,
        IndexCache& cache, const BuildOptions& options)
      : store_(store),
        from_(from),
        point_(point),
        listed_(listed),
        cache_(cache),
        options_(options),
        sorter_(options.scratch) {
    about_.identity = identity_of(store.url(), listed);
    about_.kind = point.name.kind;
  }

  Status run() {
    TM_CHECK(about_.kind == bucket::Kind::delta ? read_delta() : read_full());
    options_.progress(text_);
    // What was read must be what was listed. Some listings are finer than a second, and answers by name are not.
    TM_LET(const store::ObjectInfo now, store_.stat(point_.key));
    const auto second = [](Time time) { return std::chrono::floor<std::chrono::seconds>(time); };
    if (now.size != listed_.size || second(now.modified) != second(listed_.modified)) {
      return fail(Errc::conflict, "it was replaced while it was read");
    }
    TM_LET(io::PendingFile file, cache_.begin_block(about_.identity));
    BlockWriter writer(file);
    TM_CHECK(sorter_.drain(writer));
    TM_CHECK(writer.finish(about_, kept_));
    return cache_.publish(file);
  }

 private:
  // The text from its beginning; what is learned of it on the way is true when it has been read to its end.
  Result<std::unique_ptr<io::Source>> open_text() {
    stored_ = text_ = 0;
    about_.members.clear();
    if (point_.name.compression != bucket::Compression::gzip) {
      TM_LET(auto body, from_.body(point_));
      return std::make_unique<WatchedSource>(std::move(body), options_.stop, text_);
    }
    TM_LET(auto object, store_.open(point_.key));
    auto counted = std::make_unique<WatchedSource>(std::move(object), options_.stop, stored_);
    return std::make_unique<WatchedSource>(io::gzip_decoder_telling(std::move(counted), about_.members), options_.stop,
                                           text_);
  }

  // Requires: the text was read to its end. False: only a copy of it can be read from the middle.
  bool settle_text() {
    about_.text_bytes = text_;
    about_.stored_bytes = stored_;
    switch (point_.name.compression) {
      case bucket::Compression::none: about_.text_in = TextIn::plain_object; return true;
      case bucket::Compression::gzip: about_.text_in = TextIn::gzip_object; break;
      case bucket::Compression::lzw:
      case bucket::Compression::zlib: return false;
    }
    for (std::size_t i = 0; i < about_.members.size(); i++) {
      const std::uint64_t end = i + 1 < about_.members.size() ? about_.members[i + 1].text_offset : text_;
      if (end - about_.members[i].text_offset > options_.most_member_text) return false;
    }
    return true;
  }

  Status copy_text(const std::function<Status(io::GzipSink&)>& write) {
    if (!options_.copies) {
      return fail(Errc::denied, "{}: its text can only be read from its beginning, and copies are not wanted",
                  point_.key);
    }
    TM_LET(io::PendingFile file, cache_.begin_copy(about_.identity));
    io::GzipSink gzip(file, kCopyMember, 1);
    TM_CHECK(write(gzip));
    TM_CHECK(gzip.finish());
    about_.text_in = TextIn::gzip_copy;
    about_.members = gzip.members();
    about_.stored_bytes = gzip.compressed_bytes();
    return cache_.publish(file);
  }

  bool is_kept(std::string_view key) const {
    return options_.copies && kept_.size() < kMostKept && key.find(kDefinitions) != std::string_view::npos;
  }
  Place keep(Bytes row) {
    const Place place{.offset = kept_.size(), .bytes = row.size(), .crc = crypto::crc32c(0, row), .kept = true};
    kept_.insert(kept_.end(), row.begin(), row.end());
    return place;
  }

  Status read_delta() {
    TM_LET(const auto body, open_text());
    EventPlaces text(*body);
    Buffer row;
    const auto each = [&](const etcd::RowId& id, const etcd::KeyValue& kv, Time received) -> Status {
      TM_LET(Place place, text.next());
      if (about_.receipts.empty() || about_.receipts.back().time != received) {
        about_.receipts.push_back({.first = id.main, .time = received, .sub = id.sub});
        options_.progress(text_);
      }
      const std::string_view key = as_text(kv.key);
      StoredVersion v{.id = id, .create = kv.create, .version = kv.version, .lease = kv.lease, .place = {}};
      if (!id.tombstone && is_kept(key)) {
        row.clear();
        etcd::append_key_value(kv, row);
        place = keep(row);
      }
      if (!id.tombstone) v.place = place;
      return sorter_.add(key, v);
    };
    bool each_failed = false;
    TM_LET(const restore::DeltaScan scan, restore::scan_delta(text, kAllRevisions, each, each_failed, options_.stop));
    about_.span = scan.held;
    about_.holed = scan.resumes_after_hole != Revision(0);
    if (settle_text()) return {};
    TM_LET(const auto again, open_text());
    return copy_text([&](io::GzipSink& to) -> Status {
      TM_CHECK(to.take(*again));
      return {};
    });
  }

  Status read_full() {
    std::unique_ptr<restore::BaseImage> image;
    {
      TM_LET(const auto body, open_text());
      TM_LET(image,
             restore::BaseImage::spool(*body, options_.scratch / "index.db", point_.key, from_.without_digest()));
    }
    const restore::Facts::Full facts = image->facts();
    about_.span = {facts.readable_from, facts.revision};
    const bolt::Reader& database = image->database();
    // Where the mapping begins is told by where one of its pages is.
    TM_LET(const Bytes root, database.page_run(database.meta().root));
    TM_LET(const bolt::Bucket rows, database.bucket("key"));
    const auto* const begin = root.data() - database.meta().root * database.meta().page_size;
    TM_CHECK(database.for_each(rows, [&](const bolt::Element& element) -> Status {
      if (options_.stop.stop_requested()) return fail(Errc::cancelled, "stopped");
      TM_LET(const etcd::RowId id, named(database.name(), etcd::decode_row_key(element.key)));
      TM_LET(const auto kv, named(database.name(), etcd::decode_key_value(element.value)));
      const std::string_view key = as_text(kv.key);
      StoredVersion v{.id = id, .create = kv.create, .version = kv.version, .lease = kv.lease, .place = {}};
      if (!id.tombstone && is_kept(key)) {
        v.place = keep(element.value);
      } else if (!id.tombstone) {
        v.place = {.offset = static_cast<std::uint64_t>(element.value.data() - begin),
                   .bytes = element.value.size(),
                   .crc = crypto::crc32c(0, element.value),
                   .kept = false};
      }
      return sorter_.add(key, v);
    }));
    if (settle_text()) return {};
    return copy_text([&](io::GzipSink& to) -> Status {
      TM_LET(auto file, io::FileSource::open(options_.scratch / "index.db"));
      TM_CHECK(to.take(file));
      return {};
    });
  }

  store::ObjectStore& store_;
  restore::Origin& from_;
  const catalog::Point& point_;
  const store::ObjectInfo& listed_;
  IndexCache& cache_;
  const BuildOptions& options_;
  std::uint64_t stored_ = 0, text_ = 0;
  BlockAbout about_;
  Buffer kept_;
  VersionSorter sorter_;
};

}  // namespace

Status build_block(store::ObjectStore& store, restore::Origin& from, const catalog::Point& point,
                   const store::ObjectInfo& listed, IndexCache& cache, const BuildOptions& options) {
  return Build(store, from, point, listed, cache, options).run();
}

}  // namespace tidemark::history
