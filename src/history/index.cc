#include "history/index.h"

#include <algorithm>
#include <numeric>

#include "base/log.h"
#include "bucket/event_json.h"
#include "crypto/crc32c.h"
#include "history/index_values.h"
#include "restore/replay.h"

namespace tidemark::history {
namespace {

constexpr int kMostMade = 3;

// The row that the bytes of a place are.
Result<Row> read_row(bucket::Kind kind, const Index::Wish& wish, Bytes bytes, bucket::EventScratch& scratch) {
  etcd::KeyValue kv;
  if (kind == bucket::Kind::full || wish.version.place.kept) {
    TM_LET(kv, etcd::decode_key_value(bytes));
  } else {
    bucket::DeltaEvent event;
    TM_CHECK(bucket::parse_event(as_text(bytes), scratch, event));
    kv = {.key = event.key,
          .value = event.value,
          .create = Revision(event.create),
          .mod = Revision(event.mod),
          .version = event.version,
          .lease = LeaseId(event.lease)};
  }
  if (as_text(kv.key) != wish.key) return fail(Errc::conflict, "the row is of the key '{}'", as_text(kv.key));
  return row_of(kv);
}

}  // namespace

Result<std::unique_ptr<Index>> Index::open(store::ObjectStore& store, IndexOptions options) {
  TM_LET(IndexCache cache, IndexCache::open(options.cache));
  cache.evict();
  return std::unique_ptr<Index>(new Index(store, std::move(options), std::move(cache)));
}

Index::~Index() {
  // What this run used may be more than there is room for.
  blocks_.clear();
  cache_.close();
}

Result<const Index::Opened*> Index::block_of(const catalog::Point& point) {
  for (;;) {
    TM_LET(const store::ObjectInfo listed, store_.listed(point.key));
    const std::string identity = identity_of(store_.url(), listed);
    if (const auto open = blocks_.find(point.key); open != blocks_.end()) {
      if (open->second.identity == identity) return &open->second;
      blocks_.erase(open);
    }
    const auto keep = [&](Block block) {
      return &blocks_.emplace(point.key, Opened{identity, std::move(block)}).first->second;
    };
    if (auto found = cache_.find(identity)) return keep(*std::move(found));
    const Status made = make(point, listed, identity);
    if (!made && made.error().code == Errc::conflict) {
      store_.forget(point.key);  // it is another object by now
      continue;
    }
    TM_CHECK(made);
    auto found = cache_.find(identity);
    if (!found) return fail(Errc::io, "{}: its index block does not stay", point.key);
    return keep(*std::move(found));
  }
}

// What the recorder put beside the object spares reading it.
Result<bool> Index::bring(const catalog::Point& point, const store::ObjectInfo& listed, const std::string& identity) {
  const auto brought = published_.bring(
      {.point = point, .listed = listed, .identity = identity, .values = options_.copies, .scratch = options_.scratch},
      cache_);
  if (brought) {
    tally_.brought++;
    tally_.brought_bytes += *brought;
    if (options_.progress) options_.progress("index", tally_.brought_bytes, 0);
    cache_.evict();
    return true;
  }
  if (options_.stop.stop_requested()) return std::unexpected(brought.error());
  if (brought.error().code != Errc::not_found) {
    log_debug("index block of the store not used", "object={} reason=\"{}\"", point.key, brought.error().what);
  }
  return false;
}

Status Index::make(const catalog::Point& point, const store::ObjectInfo& listed, const std::string& identity) {
  // Somebody tidies up faster than blocks can be made, or what is written here cannot be read, or what is listed never
  // is what is read.
  if (made_[point.key]++ >= kMostMade) return fail(Errc::io, "{}: its index block does not stay", point.key);
  TM_LET(const bool brought, bring(point, listed, identity));
  if (brought) return {};
  made_now_.insert(identity);
  BuildOptions build{.scratch = options_.scratch, .stop = options_.stop};
  build.most_member_text = options_.most_member_text;
  build.copies = options_.copies;
  if (options_.progress) build.progress = [&](std::uint64_t text) { options_.progress("index", text, 0); };
  TM_CHECK(build_block(store_, *origin_, point, listed, cache_, build));
  log_debug("index block made", "object={}", point.key);
  tally_.made++;
  cache_.evict();
  return {};
}

void Index::forget(const catalog::Point& point, std::string_view why) {
  const auto open = blocks_.find(point.key);
  if (open == blocks_.end()) return;
  cache_.remove(open->second.identity, why);
  published_.refuse(point.key);  // it may have come from there
  blocks_.erase(open);
}

Status Index::with(const catalog::Point& point, const std::function<Status(const Block&)>& look) {
  for (int round = 0;; round++) {
    TM_LET(const Opened* opened, block_of(point));
    const Status looked = look(opened->block);
    if (looked || (looked.error().code != Errc::corrupt && looked.error().code != Errc::torn)) return looked;
    forget(point, looked.error().what);
    // What this process has just written and cannot read is a fault of the machine.
    if (round > 0) return fail(Errc::io, "{}: {}", point.key, looked.error().what);
  }
}

Status Index::read_of(const catalog::Point& point, std::span<const Wish> wishes,
                      const std::function<Status(const Wish&, Row)>& each) {
  TM_LET(const Opened* opened, block_of(point));
  const Block& block = opened->block;
  const BlockAbout& about = block.about();
  bucket::EventScratch scratch;
  const auto hand_out = [&](const Wish& wish, Bytes bytes) -> Status {
    TM_LET(Row row, read_row(about.kind, wish, bytes, scratch));
    return each(wish, std::move(row));
  };
  std::vector<const Wish*> far;
  for (const Wish& wish : wishes) {
    if (wish.version.place.kept) {
      const Bytes bytes = block.kept(wish.version.place);
      if (crypto::crc32c(0, bytes) != wish.version.place.crc) return fail(Errc::conflict, "a kept value is damaged");
      TM_CHECK(hand_out(wish, bytes));
    } else {
      far.push_back(&wish);
    }
  }
  std::ranges::sort(far, {}, [](const Wish* wish) { return wish->version.place.offset; });
  std::vector<Place> places;
  places.reserve(far.size());
  for (const Wish* wish : far) places.push_back(wish->version.place);
  const OpenRange open = [&](std::uint64_t offset, std::uint64_t length) -> Result<std::unique_ptr<io::Source>> {
    if (about.text_in == TextIn::gzip_copy) {
      auto file = io::FileSource::open(cache_.copy_path(about.identity), offset, length);
      if (!file) return fail(Errc::conflict, "the copy of its text: {}", file.error().what);
      return std::make_unique<io::FileSource>(*std::move(file));
    }
    tally_.ranges++;
    return store_.open(point.key, offset, length);
  };
  return read_places(about, places, open, [&](std::size_t i, Bytes bytes) { return hand_out(*far[i], bytes); });
}

Status Index::read(std::span<const Wish> wishes, const std::function<Status(const Wish&, Row)>& each,
                   std::string& bad) {
  std::vector<Wish> sorted(wishes.begin(), wishes.end());
  std::ranges::stable_sort(sorted, {}, [](const Wish& wish) -> const std::string& { return wish.point->key; });
  for (auto first = sorted.begin(); first != sorted.end();) {
    const catalog::Point& point = *first->point;
    const auto last = std::find_if(first, sorted.end(), [&](const Wish& wish) { return wish.point->key != point.key; });
    const Status got = named(point.key, read_of(point, {first, last}, each));
    if (!got) {
      if (restore::is_objects_fault(got.error().code)) bad = point.key;  // it is gone
      if (got.error().code != Errc::conflict) return got;
      // A copy is no part of the object; a place in the object that does not hold what it held a moment ago is.
      const auto open = blocks_.find(point.key);
      const bool made = open != blocks_.end() && made_now_.contains(open->second.identity) &&
                        open->second.block.about().text_in != TextIn::gzip_copy;
      forget(point, got.error().what);
      if (!made) return got;
      bad = point.key;
      return fail(Errc::corrupt, "{}", got.error().what);
    }
    first = last;
  }
  return {};
}

}  // namespace tidemark::history
