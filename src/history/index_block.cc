#include "history/index_block.h"

#include <algorithm>

#include "base/proto.h"
#include "crypto/crc32c.h"
#include "history/index_layout.h"

namespace tidemark::history {
namespace {

using namespace layout;

std::unexpected<Error> damaged(std::string_view what) { return fail(Errc::corrupt, "index block: {}", what); }

// The numbers of a chunk, taken from its front.
class Numbers {
 public:
  explicit Numbers(Bytes from) : left_(from) {}
  std::uint64_t number() {
    std::uint64_t value = 0;
    if (!proto::take_varint(left_, value)) spoil();
    return value;
  }
  std::uint32_t fixed() {
    if (left_.size() < sizeof(std::uint32_t)) {
      spoil();
      return 0;
    }
    const auto value = load_le<std::uint32_t>(left_);
    left_ = left_.subspan(sizeof value);
    return value;
  }
  Bytes bytes(std::uint64_t count) {
    if (count > left_.size()) {
      spoil();
      return {};
    }
    const Bytes taken = left_.first(static_cast<std::size_t>(count));
    left_ = left_.subspan(taken.size());
    return taken;
  }
  bool bad() const { return bad_; }
  bool empty() const { return left_.empty(); }
  std::size_t left() const { return left_.size(); }

 private:
  void spoil() {
    bad_ = true;
    left_ = {};
  }
  Bytes left_;
  bool bad_ = false;
};

StoredVersion take_version(Numbers& from, Revision before) {
  StoredVersion v;
  v.id.main = Revision(static_cast<std::int64_t>(static_cast<std::uint64_t>(before.raw()) + from.number()));
  const std::uint64_t sub = from.number();
  v.id.sub = static_cast<std::int64_t>(sub >> kSubShift);
  v.id.tombstone = (sub & kTombstone) != 0;
  if (v.id.tombstone) return v;
  v.create = Revision(static_cast<std::int64_t>(from.number()));
  v.version = static_cast<std::int64_t>(from.number());
  v.lease = LeaseId(static_cast<std::int64_t>(from.number()));
  v.place.kept = (sub & kKept) != 0;
  v.place.offset = from.number();
  v.place.bytes = from.number();
  v.place.crc = from.fixed();
  return v;
}

bool fits(std::uint64_t offset, std::uint64_t bytes, std::uint64_t room) {
  return offset <= room && bytes <= room - offset;
}

}  // namespace

Result<Block> Block::open(const io::Path& file) {
  TM_LET(io::MappedFile mapped, io::MappedFile::open(file));
  TM_LET(Block block, named("'" + file.native() + "'", over(mapped.bytes())));
  mapped.forget_pages();  // the tables are checked, and are looked at rarely
  block.file_.emplace(std::move(mapped));
  return block;
}

Result<Block> Block::over(Bytes bytes) {
  Block block;
  block.bytes_ = bytes;
  TM_CHECK(block.read_tables());
  return block;
}

Status Block::read_tables() {
  if (bytes_.size() < kHeadBytes + kFootBytes) return fail(Errc::torn, "index block: only {} bytes", bytes_.size());
  const Bytes head = bytes_.first(kHeadBytes);
  if (as_text(head.first(kMagic.size())) != kMagic) return damaged("it does not begin as one");
  if (load_le<std::uint32_t>(head.subspan(12)) != crypto::crc32c(0, head.first(12))) return damaged("head");
  if (const auto version = load_le<std::uint32_t>(head.subspan(8)); version != kFormatVersion) {
    return fail(Errc::unsupported, "index block: format version {}, known is {}", version, kFormatVersion);
  }
  const Bytes foot = bytes_.last(kFootBytes);
  if (load_le<std::uint32_t>(foot.subspan(kFootCrc)) != crypto::crc32c(0, foot.first(kFootCrc))) {
    return fail(Errc::torn, "index block: the last {} bytes are no foot", kFootBytes);
  }
  const auto u64 = [&](std::size_t at) { return load_le<std::uint64_t>(foot.subspan(at)); };
  const std::uint64_t kept_at = u64(0), tables_at = u64(8), directory = u64(16), members = u64(24), receipts = u64(32);
  const std::uint64_t identity = u64(40), room = bytes_.size() - kFootBytes;
  if (kept_at < kHeadBytes || kept_at > tables_at || tables_at > room) return damaged("places of its parts");
  std::uint64_t left = room - tables_at;
  for (const auto& [count, each] :
       {std::pair(directory, 1UL), {members, kMemberBytes}, {receipts, kReceiptBytes}, {identity, 1UL}}) {
    if (count > left / each) return damaged("sizes of its tables");
    left -= count * each;
  }
  if (left != 0) return damaged("sizes of its tables");
  const Bytes tables = bytes_.subspan(tables_at, room - tables_at);
  if (load_le<std::uint32_t>(foot.subspan(kTablesCrc)) != crypto::crc32c(0, tables)) return damaged("tables");

  about_.text_bytes = u64(48);
  about_.stored_bytes = u64(56);
  about_.span = {Revision(static_cast<std::int64_t>(u64(64))), Revision(static_cast<std::int64_t>(u64(72)))};
  keys_ = u64(80);
  versions_ = u64(88);
  const auto kind = load_le<std::uint32_t>(foot.subspan(96)), text_in = load_le<std::uint32_t>(foot.subspan(100));
  if (kind > 3 || text_in > static_cast<std::uint32_t>(TextIn::gzip_copy)) return damaged("kind");
  about_.kind = (kind & kDelta) != 0 ? bucket::Kind::delta : bucket::Kind::full;
  about_.holed = (kind & kHoled) != 0;
  about_.text_in = static_cast<TextIn>(text_in);
  kept_ = bytes_.subspan(kept_at, tables_at - kept_at);

  Bytes table = tables;
  const auto next = [&](std::uint64_t size) {
    const Bytes part = table.first(size);
    table = table.subspan(size);
    return part;
  };
  TM_CHECK(read_directory(next(directory), kept_at));
  about_.members.reserve(members);
  for (Bytes part = next(members * kMemberBytes); !part.empty(); part = part.subspan(kMemberBytes)) {
    about_.members.push_back({load_le<std::uint64_t>(part), load_le<std::uint64_t>(part.subspan(8))});
  }
  about_.receipts.reserve(receipts);
  for (Bytes part = next(receipts * kReceiptBytes); !part.empty(); part = part.subspan(kReceiptBytes)) {
    about_.receipts.push_back({.first = Revision(load_le<std::int64_t>(part)),
                               .time = Time(std::chrono::nanoseconds(load_le<std::int64_t>(part.subspan(16)))),
                               .sub = load_le<std::int64_t>(part.subspan(8))});
  }
  about_.identity = as_text(next(identity));
  return {};
}

Status Block::read_directory(Bytes table, std::uint64_t end) {
  std::uint64_t at = kHeadBytes;
  for (Numbers from(table); !from.empty();) {
    Chunk chunk;
    chunk.offset = at;
    chunk.bytes = from.number();
    chunk.crc = from.fixed();
    chunk.first_key = as_text(from.bytes(from.number()));
    if (from.bad() || chunk.bytes > end - at) return damaged("directory");
    if (!chunks_.empty() && chunk.first_key <= chunks_.back().first_key) return damaged("order of its directory");
    at += chunk.bytes;
    chunks_.push_back(chunk);
  }
  if (at != end) return damaged("directory");
  return {};
}

Result<Bytes> Block::proven(const Chunk& chunk) const {
  const Bytes bytes = bytes_.subspan(chunk.offset, chunk.bytes);
  if (crypto::crc32c(0, bytes) == chunk.crc) return bytes;
  return fail(Errc::corrupt, "index block: the {} bytes of keys at {} have another checksum", chunk.bytes,
              chunk.offset);
}

std::size_t Block::chunk_of(std::string_view key) const {
  const auto above = std::ranges::upper_bound(chunks_, key, {}, &Chunk::first_key);
  return above == chunks_.begin() ? chunks_.size() : static_cast<std::size_t>(above - chunks_.begin()) - 1;
}

Result<bool> Block::walk(
    const Chunk& chunk, const std::function<bool(std::string_view)>& wanted,
    const std::function<Result<bool>(std::string_view, std::span<const StoredVersion>)>& each) const {
  TM_LET(const Bytes bytes, proven(chunk));
  std::string key;
  std::vector<StoredVersion> versions;
  for (Numbers from(bytes); !from.empty();) {
    const std::uint64_t shared = from.number();
    const std::string_view rest = as_text(from.bytes(from.number()));
    const std::uint64_t count = from.number(), size = from.number();
    const Bytes body = from.bytes(size);
    if (from.bad() || shared > key.size() || count > body.size()) return damaged("a key");
    key.resize(shared);
    key += rest;
    if (!wanted(key)) continue;
    versions.clear();
    Numbers numbers(body);
    for (std::uint64_t i = 0; i < count; i++) {
      versions.push_back(take_version(numbers, i == 0 ? Revision(0) : versions.back().id.main));
      const Place& place = versions.back().place;
      if (numbers.bad() || !fits(place.offset, place.bytes, place.kept ? kept_.size() : about_.text_bytes)) {
        return damaged("a version");
      }
    }
    if (!numbers.empty()) return damaged("versions");
    TM_LET(const bool more, each(key, versions));
    if (!more) return false;
  }
  return true;
}

Result<std::vector<StoredVersion>> Block::find(std::string_view key) const {
  std::vector<StoredVersion> found;
  const std::size_t at = chunk_of(key);
  if (at == chunks_.size()) return found;
  TM_CHECK(walk(
      chunks_[at], [&](std::string_view k) { return k >= key; },
      [&](std::string_view k, std::span<const StoredVersion> versions) -> Result<bool> {
        if (k == key) found.assign(versions.begin(), versions.end());
        return false;
      }));
  return found;
}

Status Block::for_each_below(std::string_view prefix, const Each& each) const {
  const std::size_t holder = chunk_of(prefix);
  for (std::size_t at = holder == chunks_.size() ? 0 : holder; at < chunks_.size(); at++) {
    const Chunk& chunk = chunks_[at];
    if (chunk.first_key > prefix && !chunk.first_key.starts_with(prefix)) return {};
    TM_LET(const bool more, walk(
                                chunk, [&](std::string_view key) { return key >= prefix; },
                                [&](std::string_view key, std::span<const StoredVersion> versions) -> Result<bool> {
                                  if (!key.starts_with(prefix)) return false;
                                  TM_CHECK(each(key, versions));
                                  return true;
                                }));
    if (!more) return {};
  }
  return {};
}

std::optional<Time> Block::received(Revision revision, std::int64_t sub) const {
  const auto above = std::ranges::upper_bound(about_.receipts, std::pair(revision, sub), {},
                                              [](const Receipt& r) { return std::pair(r.first, r.sub); });
  if (above == about_.receipts.begin()) return std::nullopt;
  return (above - 1)->time;
}

Revision Block::first_after(Time time) const {
  const auto later = std::ranges::find_if(about_.receipts, [&](const Receipt& receipt) { return receipt.time > time; });
  return later == about_.receipts.end() ? Revision(0) : later->first;
}

Status Block::check() const {
  std::uint64_t keys = 0, versions = 0, kept = 0;
  std::string last;
  const auto each = [&](std::string_view key, std::span<const StoredVersion> all) -> Result<bool> {
    if (keys++ != 0 && key <= last) return damaged("keys are not in order");
    last = key;
    versions += all.size();
    for (const StoredVersion& v : all) {
      if (!v.place.kept) continue;
      kept += v.place.bytes;
      if (crypto::crc32c(0, this->kept(v.place)) != v.place.crc) return damaged("a value that it keeps");
    }
    return true;
  };
  for (const Chunk& chunk : chunks_) TM_CHECK(walk(chunk, [](std::string_view) { return true; }, each));
  if (keys != keys_ || versions != versions_ || kept != kept_.size()) return damaged("not as many keys as it says");
  return {};
}

}  // namespace tidemark::history
