#include <algorithm>

#include "base/proto.h"
#include "crypto/crc32c.h"
#include "history/index_block.h"
#include "history/index_layout.h"

namespace tidemark::history {
namespace {

using namespace layout;

template <class T>
void append_le(Buffer& to, T value) {
  to.resize(to.size() + sizeof value);
  store_le(to.data() + to.size() - sizeof value, value);
}

void append_bytes(Buffer& to, Bytes bytes) { to.insert(to.end(), bytes.begin(), bytes.end()); }

std::uint64_t bits(std::int64_t value) { return static_cast<std::uint64_t>(value); }

void append_version(Buffer& to, const StoredVersion& v, Revision before) {
  proto::append_varint(to, bits(v.id.main.raw()) - bits(before.raw()));
  const std::uint64_t marks = (v.id.tombstone ? kTombstone : 0) | (v.place.kept ? kKept : 0);
  proto::append_varint(to, bits(v.id.sub) << kSubShift | marks);
  if (v.id.tombstone) return;
  proto::append_varint(to, bits(v.create.raw()));
  proto::append_varint(to, bits(v.version));
  proto::append_varint(to, bits(v.lease.raw()));
  proto::append_varint(to, v.place.offset);
  proto::append_varint(to, v.place.bytes);
  append_le(to, v.place.crc);
}

Buffer make_head() {
  Buffer head;
  append_bytes(head, as_bytes(kMagic));
  append_le(head, kFormatVersion);
  append_le(head, crypto::crc32c(0, head));
  return head;
}

}  // namespace

Status BlockWriter::write(Bytes bytes) {
  if (written_ == 0) {
    const Buffer head = make_head();
    TM_CHECK(to_.write(head));
    written_ = head.size();
  }
  written_ += bytes.size();
  return to_.write(bytes);
}

Status BlockWriter::end_chunk() {
  if (chunk_.empty()) return {};
  proto::append_varint(directory_, chunk_.size());
  append_le(directory_, crypto::crc32c(0, chunk_));
  proto::append_varint(directory_, first_key_.size());
  append_bytes(directory_, as_bytes(first_key_));
  TM_CHECK(write(chunk_));
  chunk_.clear();
  last_key_.clear();  // the next chunk is read without this one
  return {};
}

Status BlockWriter::add(std::string_view key, std::span<const StoredVersion> versions) {
  if (chunk_.empty()) first_key_ = key;
  const auto differ = std::ranges::mismatch(key, last_key_);
  const auto shared = static_cast<std::size_t>(differ.in1 - key.begin());
  Buffer body;
  Revision before(0);
  for (const StoredVersion& v : versions) {
    append_version(body, v, before);
    before = v.id.main;
  }
  proto::append_varint(chunk_, shared);
  proto::append_varint(chunk_, key.size() - shared);
  append_bytes(chunk_, as_bytes(key.substr(shared)));
  proto::append_varint(chunk_, versions.size());
  proto::append_varint(chunk_, body.size());
  append_bytes(chunk_, body);
  last_key_ = key;
  keys_++;
  versions_ += versions.size();
  return chunk_.size() < kChunkBytes ? Status() : end_chunk();
}

Status BlockWriter::finish(const BlockAbout& about, Bytes kept) {
  TM_CHECK(end_chunk());
  TM_CHECK(write({}));  // the head, when there was no key
  const std::uint64_t kept_at = written_;
  TM_CHECK(write(kept));
  Buffer end = std::move(directory_);
  const std::uint64_t directory = end.size();
  for (const io::GzipMember& member : about.members) {
    append_le(end, member.compressed_offset);
    append_le(end, member.text_offset);
  }
  for (const Receipt& receipt : about.receipts) {
    append_le(end, receipt.first.raw());
    append_le(end, receipt.sub);
    append_le(end, static_cast<std::int64_t>(receipt.time.time_since_epoch().count()));
  }
  append_bytes(end, as_bytes(about.identity));
  const std::uint32_t tables_crc = crypto::crc32c(0, end);

  Buffer foot;
  const std::uint64_t numbers[] = {kept_at,
                                   written_,
                                   directory,
                                   about.members.size(),
                                   about.receipts.size(),
                                   about.identity.size(),
                                   about.text_bytes,
                                   about.stored_bytes,
                                   bits(about.span.first.raw()),
                                   bits(about.span.last.raw()),
                                   keys_,
                                   versions_};
  for (const std::uint64_t number : numbers) append_le(foot, number);
  append_le(foot, (about.kind == bucket::Kind::delta ? kDelta : 0) | (about.holed ? kHoled : 0));
  append_le(foot, static_cast<std::uint32_t>(about.text_in));
  append_le(foot, tables_crc);
  append_le(foot, crypto::crc32c(0, foot));
  append_bytes(end, foot);
  return write(end);
}

// The identity is the last of the tables; its size and their checksum stand in the foot.
Status write_as(const Block& block, std::string_view identity, io::Sink& to) {
  const Bytes all = block.bytes(), old_foot = all.last(kFootBytes);
  const Bytes before = all.first(all.size() - kFootBytes - block.about().identity.size());
  const Bytes tables = before.subspan(load_le<std::uint64_t>(old_foot.subspan(kTablesAt)));
  Buffer foot(old_foot.begin(), old_foot.end());
  store_le(foot.data() + kIdentitySize, std::uint64_t{identity.size()});
  store_le(foot.data() + kTablesCrc, crypto::crc32c(crypto::crc32c(0, tables), as_bytes(identity)));
  store_le(foot.data() + kFootCrc, crypto::crc32c(0, Bytes(foot).first(kFootCrc)));
  TM_CHECK(to.write(before));
  TM_CHECK(to.write(as_bytes(identity)));
  return to.write(foot);
}

}  // namespace tidemark::history
