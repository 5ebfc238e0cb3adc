#include "history/testing/chain.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "base/testing/fake_clock.h"
#include "bucket/delta.h"
#include "bucket/name.h"
#include "catalog/sidecar.h"
#include "crypto/crc32c.h"
#include "crypto/sha256.h"
#include "etcd/testing/sample.h"
#include "io/compress.h"

namespace tidemark::history::testing {
namespace {

constexpr std::int64_t kBegin = 1795240000;

Buffer compressed(const Buffer& text, bool gzip, std::size_t member_bytes) {
  if (!gzip) return text;
  io::BufferSink stored;
  io::GzipSink sink(stored, member_bytes, 0);
  EXPECT_TRUE(sink.write(text));
  EXPECT_TRUE(sink.finish());
  return stored.buffer();
}

// "/registry/pods/NS/NAME": an object that holds `text`, with a label and a manager that change with it.
std::string object_of(const std::string& key, std::string_view text) {
  const std::size_t name = key.rfind('/') + 1, ns = key.rfind('/', name - 2) + 1;
  std::string hex;
  std::uint8_t sum = 0;
  for (const char c : text) {
    hex += fmt::format("{:02x}", static_cast<std::uint8_t>(c));
    sum += static_cast<std::uint8_t>(c);
  }
  const bool pod = key.find("/pods/") != std::string::npos;
  return fmt::format(
      R"({{"apiVersion":"v1","kind":"{}","metadata":{{"name":"{}","namespace":"{}","uid":"u","labels":{{"odd":"{}"}},)"
      R"("managedFields":[{{"manager":"m{}","operation":"Update","apiVersion":"v1","fieldsType":"FieldsV1",)"
      R"("fieldsV1":{{"f:data":{{}}}}}}]}},{}}})",
      pod ? "Pod" : "ConfigMap", key.substr(name), key.substr(ns, name - 1 - ns), sum % 2, sum % 3,
      pod ? R"("spec":{"nodeName":")" + hex + R"("})" : R"("data":{"text":")" + hex + R"("})");
}

}  // namespace

Chain::Chain(std::uint64_t seed, ChainOptions options) : random_(seed), last_(options.revisions + 1) {
  const auto below = [this](std::uint64_t n) { return random_() % n; };
  for (int i = 0; i < options.keys; i++) {
    names_.push_back(fmt::format("/registry/{}/ns-{}/{}{}", i % 3 == 0 ? "pods" : "configmaps", i % 4,
                                 std::string(1 + below(3), 'a'), i));
  }
  names_.emplace_back("/registry/pods/ns-0/a");
  names_.emplace_back("/registry/apiextensions.k8s.io/customresourcedefinitions/widgets.example.com");
  struct Living {
    std::int64_t create = 0, version = 0;
  };
  std::map<std::string, Living> living;
  Time time = Time(std::chrono::seconds(kBegin));
  for (Revision at = first(); at <= last_; at = at.next()) {
    if (below(3) != 0) time += std::chrono::milliseconds(below(3000));
    std::vector<std::string> touched;
    for (std::uint64_t change = 0, changes = 1 + below(3); change < changes; change++) {
      const std::string& key = names_[below(names_.size())];
      if (std::ranges::find(touched, key) != touched.end()) continue;
      const auto sub = static_cast<std::int64_t>(touched.size());
      touched.push_back(key);
      Write write;
      write.key = key;
      write.mod = at.raw();
      write.sub = sub;
      write.time = time;
      write.deletion = living.contains(key) && below(4) == 0;
      if (write.deletion) {
        living.erase(key);
      } else {
        Living& is = living.try_emplace(key, Living{at.raw(), 0}).first->second;
        write.create = is.create;
        write.version = ++is.version;
        write.lease = below(5) == 0 ? static_cast<std::int64_t>(below(1UL << 62U)) : 0;
        const std::size_t size = below(20) == 0 ? 0 : below(below(15) == 0 ? 20'000 : options.value_bytes);
        for (std::size_t i = 0; i < size; i++) write.value += static_cast<char>(random_());
        if (options.objects) write.value = object_of(key, write.value);
      }
      writes_.push_back(std::move(write));
    }
  }
  const auto object = [&](bool full, Revision from, Revision to) {
    Object o{.full = full, .gzip = below(3) != 0 || options.seekable, .first = from, .last = to};
    o.member_bytes = below(2) == 0 || options.seekable ? 1 + below(5000) : 1UL << 20U;
    if (full && below(2) == 0 && to.raw() > 4) o.compacted = 2 + static_cast<std::int64_t>(below(to.raw() - 2));
    objects_.push_back(o);
  };
  const Revision begin(2 + static_cast<std::int64_t>(below(options.revisions / 3 + 1)));
  object(true, {}, begin);
  for (std::uint64_t more = below(3); more > 0; more--) {
    const Revision at(begin.raw() + 1 + static_cast<std::int64_t>(below(last_.raw() - begin.raw())));
    if (std::ranges::none_of(objects_, [&](const Object& o) { return o.last == at; })) object(true, {}, at);
  }
  for (Revision at = begin; at < last_;) {
    const auto most = static_cast<std::uint64_t>(last_.raw() - at.raw());
    const Revision end(at.raw() + 1 + static_cast<std::int64_t>(below(std::min<std::uint64_t>(most, 15))));
    // Some hold what others hold already.
    const auto back = below(4) == 0 ? static_cast<std::int64_t>(below(4)) : 0;
    object(false, Revision(std::max<std::int64_t>(2, at.raw() + 1 - back)), end);
    at = end;
  }
}

std::int64_t Chain::unix_of(Revision revision) const {
  std::int64_t unix_s = kBegin;
  for (const Write& write : writes_) {
    if (write.mod > revision.raw()) break;
    unix_s = std::chrono::ceil<std::chrono::seconds>(write.time).time_since_epoch().count();
  }
  return unix_s;
}

std::vector<std::string> Chain::some_keys(int count) {
  std::vector<std::string> keys;
  for (int i = 0; i < count; i++) {
    keys.push_back(names_[random_() % names_.size()]);
    if (random_() % 4 == 0) keys.back() += "0";  // never was
  }
  return keys;
}

Revision Chain::some_revision() {
  return Revision(1 + static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(last_.raw() + 1)));
}

Time Chain::some_time() {
  return Time(std::chrono::seconds(kBegin - 5) +
              std::chrono::milliseconds(random_() % (1000 * static_cast<std::uint64_t>(unix_of(last_) - kBegin + 10))));
}

std::uint64_t Chain::stored_bytes() {
  std::uint64_t bytes = 0;
  for (const auto& [key, body] : objects()) bytes += body.size();
  return bytes;
}

Buffer Chain::full(const Object& object, const Change& change) const {
  etcd::testing::Store store;
  for (const Write& write : writes_) {
    if (write.mod > object.last.raw()) break;
    const etcd::RowId id{Revision(write.mod), write.sub, write.deletion};
    if (write.deletion) {
      store.rows.push_back(etcd::testing::tombstone_row(id, write.key));
      continue;
    }
    Buffer value(as_bytes(write.value).begin(), as_bytes(write.value).end());
    if (change) change(value);
    store.rows.push_back(
        etcd::testing::put_row(id, write.key, as_text(value), write.create, write.version, write.lease));
  }
  if (object.compacted != 0) {
    store.rows = etcd::testing::compacted_rows(store.rows, Revision(object.compacted));
    store.finished = store.scheduled = Revision(object.compacted);
  }
  Buffer text = etcd::testing::database_of(store);
  const crypto::Sha256Digest digest = crypto::sha256(text);
  text.insert(text.end(), digest.begin(), digest.end());
  return text;
}

Buffer Chain::delta(const Object& object, const Change& change) const {
  io::BufferSink text;
  bucket::DeltaWriter writer(text);
  for (const Write& write : writes_) {
    if (!RevisionSpan{object.first, object.last}.contains(Revision(write.mod))) continue;
    Buffer value(as_bytes(write.value).begin(), as_bytes(write.value).end());
    if (change) change(value);
    EXPECT_TRUE(writer.add({.deletion = write.deletion,
                            .key = as_bytes(write.key),
                            .value = value,
                            .create = write.create,
                            .mod = write.mod,
                            .version = write.version,
                            .lease = write.lease,
                            .time = write.time}));
  }
  EXPECT_TRUE(writer.finish());
  return text.buffer();
}

std::vector<std::pair<std::string, Buffer>> Chain::objects(const Change& change) const {
  std::vector<std::pair<std::string, Buffer>> all;
  for (const Object& object : objects_) {
    const bucket::SnapshotName name{.kind = object.full ? bucket::Kind::full : bucket::Kind::delta,
                                    .span = {object.full ? Revision(0) : object.first, object.last},
                                    .unix_s = unix_of(object.last),
                                    .compression = object.gzip ? bucket::Compression::gzip : bucket::Compression::none};
    all.emplace_back(bucket::v2_key(name), compressed(object.full ? full(object, change) : delta(object, change),
                                                      object.gzip, object.member_bytes));
  }
  return all;
}

void IndexedStore::open_store(store::DirStore::Access access) {
  scratch_ = temp_.path() / "scratch";
  ASSERT_TRUE(io::make_dirs(scratch_));
  auto opened = store::DirStore::open(root_, access);
  ASSERT_TRUE(opened);
  store_ = std::make_unique<store::MeteredStore>(*std::move(opened), system_clock(), tally_);
  origin_ = restore::store_origin(*store_);
}

IndexedStore::IndexedStore(const Chain& chain)
    : root_(temp_.path() / "store"), cache_(temp_.path() / "cache"), chain_(&chain) {
  open_store(store::DirStore::Access::read_write);
  for (const auto& [key, body] : chain.objects()) EXPECT_TRUE(store_->put(key, body));
  reopen();
}

IndexedStore::IndexedStore(const Chain& chain, io::Path cache, const io::Path& root)
    : root_(root), cache_(std::move(cache)), chain_(&chain) {
  open_store(store::DirStore::Access::read_only);
  reopen();
}

IndexedStore::IndexedStore(const io::Path& bucket) : root_(bucket), cache_(temp_.path() / "cache") {
  open_store(store::DirStore::Access::read_only);
  reopen();
}

void IndexedStore::reopen(Steps* steps, std::chrono::hours later) {
  index_.reset();
  clock_ = std::make_unique<tidemark::testing::FakeClock>(system_clock().now() + later);
  IndexOptions options{.cache = {.dir = cache_, .most_bytes = most_bytes_, .clock = clock_.get()},
                       .scratch = scratch_,
                       .stop = {},
                       .progress = {},
                       .copies = copies_,
                       .most_member_text = 16384};  // small, so that large members are met
  if (steps != nullptr) options.cache.steps = steps;
  auto opened = Index::open(*store_, std::move(options));
  ASSERT_TRUE(opened) << opened.error().what;
  index_ = *std::move(opened);
}

void IndexedStore::limit(std::uint64_t most_bytes) {
  most_bytes_ = most_bytes;
  reopen();
}

Result<Look> IndexedStore::all(const restore::Target& target, Index* index) {
  const MomentOptions options{.scratch = scratch_, .stop = {}, .progress = {}, .index = index};
  TM_LET(const auto moment, Moment::open(index != nullptr ? index->origin() : *origin_, target, options));
  const std::vector<std::string> everything{""};
  TM_LET(Rows rows, moment->below(everything));
  std::string said;
  for (const std::string& note : moment->plan().notes) said += note + '\n';
  for (const restore::Hole& hole : moment->plan().holes) {
    said += fmt::format("{}..{}: {}\n", hole.span.first, hole.span.last, hole.reason);
  }
  return Look{std::move(rows), moment->revision(), moment->time(), moment->plan().complete(), std::move(said)};
}

Result<Rows> IndexedStore::keys(const restore::Target& target, const std::vector<std::string>& keys) {
  const MomentOptions options{.scratch = scratch_, .stop = {}, .progress = {}, .index = index_.get()};
  TM_LET(const auto moment, Moment::open(index_->origin(), target, options));
  return moment->below(Asked{.prefixes = {}, .keys = keys});
}

namespace {

struct Transcript final : VersionListener {
  std::string text;
  Status version(const Version& v) override {
    const auto ns = [](const std::optional<Time>& time) { return time ? time->time_since_epoch().count() : 0; };
    text += fmt::format("{} {}..{} shown {} received {} after {} not after {}{}", v.key, v.written.first,
                        v.written.last, v.shown_at, ns(v.when.received), ns(v.when.not_before), ns(v.when.not_after),
                        v.before_since ? " before" : "");
    if (v.row != nullptr) {
      text += fmt::format(": {} {} {} {} {} {}", v.row->create, v.row->mod, v.row->version, v.row->lease.raw(),
                          v.row->value.size(), crypto::crc32c(0, as_bytes(v.row->value)));
    }
    text += '\n';
    return {};
  }
  Status lost(RevisionSpan span, std::string_view reason) override {
    text += fmt::format("lost {}..{}: {}\n", span.first, span.last, reason);
    return {};
  }
};

}  // namespace

Result<std::string> IndexedStore::log(const VersionWish& wish, const Asked& asked, Index* index) {
  MomentOptions options{.scratch = scratch_, .stop = {}, .progress = {}, .index = index};
  TM_LET(const auto versions, Versions::open(index != nullptr ? index->origin() : *origin_, wish, std::move(options)));
  Transcript transcript;
  TM_CHECK(versions->for_each(asked, transcript));
  return fmt::format("{}up to {}, {}, {}", transcript.text, versions->reach(), versions->complete(),
                     versions->beyond_the_end());
}

void IndexedStore::damage_cache(std::mt19937_64& random) {
  const auto files = cache_files();
  ASSERT_FALSE(files.empty());
  const io::Path& file = files[random() % files.size()];
  Buffer bytes = io::read_file(file, 1UL << 30U).value();
  switch (bytes.empty() ? 0 : random() % 5) {
    case 0: ASSERT_TRUE(std::filesystem::remove(file)); return;
    case 1: bytes.resize(random() % bytes.size()); break;
    case 2: bytes.clear(); break;
    default: bytes[random() % bytes.size()] ^= static_cast<std::byte>(1U << random() % 8);
  }
  ASSERT_TRUE(io::write_file_durably(file, bytes));
}

std::vector<io::Path> IndexedStore::cache_files() const {
  std::vector<io::Path> files;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(cache_ / "index", error)) files.push_back(entry.path());
  std::ranges::sort(files);
  return files;
}

std::uint64_t IndexedStore::cache_bytes() const {
  std::uint64_t bytes = 0;
  for (const io::Path& file : cache_files()) bytes += io::size_of_file(file).value_or(0);
  return bytes;
}

std::size_t IndexedStore::publish_blocks() {
  std::size_t published = 0;
  const auto timeline = index_->origin().timeline();
  EXPECT_TRUE(timeline);
  for (const auto* points : {&timeline->fulls, &timeline->deltas}) {
    for (const catalog::Point& point : *points) {
      EXPECT_TRUE(index_->with(point, [&](const Block& block) -> Status {
        if (block.about().text_in != TextIn::gzip_object) return {};
        io::BufferSink bytes;
        TM_CHECK(write_as(block, published_identity(point.key, point.size), bytes));
        published++;
        return store_->put(catalog::index_key(point.key), bytes.buffer());
      }));
    }
  }
  EXPECT_TRUE(io::remove_tree(cache_));
  reopen();
  return published;
}

void IndexedStore::replace_all(const Chain::Change& change) {
  for (const auto& [key, body] : chain_->objects(change)) EXPECT_TRUE(io::write_file_durably(root_ / key, body));
}

void IndexedStore::damage_one(std::uint64_t which) {
  auto objects = chain_->objects();
  auto& [key, body] = objects[which % objects.size()];
  body[which / 7 % body.size()] ^= std::byte{1};
  EXPECT_TRUE(io::write_file_durably(root_ / key, body));
}

std::string difference(const Rows& wanted, const Rows& is) {
  std::string text;
  const auto same = [](const Row& a, const Row& b) {
    return a.value == b.value && a.create == b.create && a.mod == b.mod && a.version == b.version && a.lease == b.lease;
  };
  for (const auto& [key, row] : wanted) {
    const auto found = is.find(key);
    if (found == is.end()) {
      text += fmt::format("{} of revision {} is missing; ", key, row.mod);
    } else if (!same(row, found->second)) {
      text += fmt::format("{}: revision {} instead of {}; ", key, found->second.mod, row.mod);
    }
    if (text.size() > 300) break;
  }
  for (const auto& [key, row] : is) {
    if (text.size() > 300) break;
    if (!wanted.contains(key)) text += fmt::format("{} of revision {} should not be; ", key, row.mod);
  }
  return text;
}

}  // namespace tidemark::history::testing
