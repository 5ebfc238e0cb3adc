#include "etcd/row.h"

#include "base/proto.h"

namespace tidemark::etcd {

namespace {

constexpr std::byte kSeparator{'_'};
constexpr std::byte kTombstoneMark{'t'};
constexpr std::size_t kSubAt = 9;
constexpr std::size_t kTagSize = 1;  // every field number here is below 16

std::uint64_t bits(std::int64_t value) { return static_cast<std::uint64_t>(value); }

std::size_t number_size(std::int64_t value) { return value == 0 ? 0 : kTagSize + proto::varint_size(bits(value)); }

std::size_t bytes_size(Bytes bytes) {
  return bytes.empty() ? 0 : kTagSize + proto::varint_size(bytes.size()) + bytes.size();
}

std::byte* write_number(std::uint32_t field, std::int64_t value, std::byte* to) {
  if (value == 0) return to;
  to = proto::write_varint(field << 3, to);
  return proto::write_varint(bits(value), to);
}

std::byte* write_bytes(std::uint32_t field, Bytes bytes, std::byte* to) {
  if (bytes.empty()) return to;
  to = proto::write_varint(field << 3 | static_cast<std::uint32_t>(proto::Wire::bytes), to);
  to = proto::write_varint(bytes.size(), to);
  std::memcpy(to, bytes.data(), bytes.size());
  return to + bytes.size();
}

}  // namespace

RowKey encode_row_key(const RowId& id) {
  RowKey key{};
  store_be(key.bytes.data(), bits(id.main.raw()));
  key.bytes[8] = kSeparator;
  store_be(key.bytes.data() + kSubAt, bits(id.sub));
  key.size = kRowKeySize;
  if (id.tombstone) key.bytes[key.size++] = kTombstoneMark;
  return key;
}

Result<RowId> decode_row_key(Bytes key) {
  if (key.size() != kRowKeySize && key.size() != kTombstoneKeySize)
    return fail(Errc::corrupt, "row key {}: {} bytes, expected 17 or 18",
                to_hex(key.first(std::min<std::size_t>(key.size(), 32))), key.size());
  if (key[8] != kSeparator) return fail(Errc::corrupt, "row key {}: no '_' between the numbers", to_hex(key));
  RowId id;
  id.main = Revision(load_be<std::int64_t>(key));
  id.sub = load_be<std::int64_t>(key.subspan(kSubAt));
  id.tombstone = key.size() == kTombstoneKeySize;
  if (id.main.raw() < 0 || id.sub < 0) return fail(Errc::corrupt, "row key {}: negative number", to_hex(key));
  if (id.tombstone && key[kRowKeySize] != kTombstoneMark)
    return fail(Errc::corrupt, "row key {}: last byte is not 't'", to_hex(key));
  return id;
}

std::size_t encoded_size(const KeyValue& kv) {
  return bytes_size(kv.key) + number_size(kv.create.raw()) + number_size(kv.mod.raw()) + number_size(kv.version) +
         bytes_size(kv.value) + number_size(kv.lease.raw());
}

std::byte* write_key_value(const KeyValue& kv, std::byte* to) {
  to = write_bytes(1, kv.key, to);
  to = write_number(2, kv.create.raw(), to);
  to = write_number(3, kv.mod.raw(), to);
  to = write_number(4, kv.version, to);
  to = write_bytes(5, kv.value, to);
  return write_number(6, kv.lease.raw(), to);
}

void append_key_value(const KeyValue& kv, Buffer& to) {
  const std::size_t before = to.size();
  to.resize(before + encoded_size(kv));
  write_key_value(kv, to.data() + before);
}

Result<KeyValue> decode_key_value(Bytes message) {
  using proto::Wire;
  KeyValue kv;
  proto::Fields fields(message);
  while (fields.next()) {
    const bool is_bytes = fields.is(fields.number(), Wire::bytes), is_number = fields.is(fields.number(), Wire::varint);
    switch (fields.number()) {
      case 1: is_bytes ? void(kv.key = fields.bytes()) : fields.spoil(); break;
      case 2: is_number ? void(kv.create = Revision(fields.signed_value())) : fields.spoil(); break;
      case 3: is_number ? void(kv.mod = Revision(fields.signed_value())) : fields.spoil(); break;
      case 4: is_number ? void(kv.version = fields.signed_value()) : fields.spoil(); break;
      case 5: is_bytes ? void(kv.value = fields.bytes()) : fields.spoil(); break;
      case 6: is_number ? void(kv.lease = LeaseId(fields.signed_value())) : fields.spoil(); break;
      default: break;
    }
  }
  if (fields.bad()) return fail(Errc::corrupt, "key-value of {} bytes: not a well-formed message", message.size());
  return kv;
}

}  // namespace tidemark::etcd
