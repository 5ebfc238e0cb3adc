#include "history/index_build.h"

#include <algorithm>

#include "history/block_maker.h"
#include "history/event_places.h"
#include "io/gzip_members.h"
#include "restore/base_image.h"
#include "restore/delta_scan.h"

namespace tidemark::history {
namespace {

constexpr RevisionSpan kAllRevisions{Revision(1), Revision(INT64_MAX)};
constexpr std::size_t kCopyMember = 256UL << 10U;  // local: small members cost little and are quickly inflated

BlockMaker::Options maker_options(const BuildOptions& options) {
  BlockMaker::Options to{.scratch = options.scratch};
  if (!options.copies) to.most_kept = 0;
  return to;
}

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
        maker_(point.name.kind, maker_options(options)),
        about_(maker_.about()) {
    about_.identity = identity_of(store.url(), listed);
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
    TM_CHECK(maker_.write(file));
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

  Status read_delta() {
    TM_LET(const auto body, open_text());
    EventPlaces text(*body);
    Time told{};
    const auto each = [&](const etcd::RowId& id, const etcd::KeyValue& kv, Time received) -> Status {
      TM_LET(const Place place, text.next());
      if (std::exchange(told, received) != received) options_.progress(text_);
      return maker_.add_event(id, kv, place, received);
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
      return maker_.add_row(id, kv, element.value, static_cast<std::uint64_t>(element.value.data() - begin));
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
  BlockMaker maker_;
  BlockAbout& about_;  // the maker's
};

}  // namespace

Status build_block(store::ObjectStore& store, restore::Origin& from, const catalog::Point& point,
                   const store::ObjectInfo& listed, IndexCache& cache, const BuildOptions& options) {
  return Build(store, from, point, listed, cache, options).run();
}

}  // namespace tidemark::history
