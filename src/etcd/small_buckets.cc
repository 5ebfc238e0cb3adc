#include <algorithm>

#include "base/proto.h"
#include "etcd/database.h"
#include "etcd/row.h"

namespace tidemark::etcd {

namespace {

using Segments = std::vector<std::unique_ptr<bolt::BulkWriter::Segment>>;
using Segment = bolt::BulkWriter::Segment;

// One small bucket from whatever `fill` appends in key order.
Status add_bucket(bolt::BulkWriter& to, std::string_view bucket_name, const std::function<Status(Segment&)>& fill) {
  std::unique_ptr<Segment> segment = to.segment();
  TM_CHECK(named(bucket_name, fill(*segment)));
  TM_CHECK(segment->close());
  Segments segments;
  segments.push_back(std::move(segment));
  return named(bucket_name, to.add_tree(bucket_name, std::move(segments)));
}

Status add_empty(bolt::BulkWriter& to, std::string_view bucket_name) { return to.add_tree(bucket_name, {}); }

Status copy_bucket(bolt::BulkWriter& to, const bolt::Reader& base, std::string_view bucket_name) {
  auto bucket = base.bucket(bucket_name);
  if (!bucket && bucket.error().code == Errc::not_found) return add_empty(to, bucket_name);
  if (!bucket) return std::unexpected(std::move(bucket).error());
  return add_bucket(to, bucket_name, [&](Segment& segment) {
    return base.for_each(*bucket, [&](const bolt::Element& e) { return segment.append(e.key, e.value); });
  });
}

Status fill_meta(Segment& segment, const SmallBuckets& what) {
  std::byte number[8];
  store_be(number, static_cast<std::uint64_t>(what.cluster.members.size()));
  TM_CHECK(segment.append(as_bytes("consistent_index"), number));
  if (what.compacted) {
    const RowKey revision = encode_row_key({*what.compacted, 0, false});
    TM_CHECK(segment.append(as_bytes("finishedCompactRev"), revision.view()));
    TM_CHECK(segment.append(as_bytes("scheduledCompactRev"), revision.view()));
  }
  if (!what.term) return {};
  store_be(number, std::uint64_t{1});
  return segment.append(as_bytes("term"), number);
}

Status fill_leases(Segment& segment, std::vector<LeaseState> leases) {
  // Bucket order: the id's bytes without a sign.
  const auto bits = [](const LeaseState& lease) { return static_cast<std::uint64_t>(lease.id.raw()); };
  std::ranges::sort(leases, {}, bits);
  Buffer value;
  for (const LeaseState& lease : leases) {
    std::byte key[8];
    store_be(key, bits(lease));
    value.clear();
    if (bits(lease) != 0) proto::append_field(value, 1, bits(lease));
    if (lease.granted_ttl_s != 0) proto::append_field(value, 2, static_cast<std::uint64_t>(lease.granted_ttl_s));
    if (lease.remaining_ttl_s != 0) proto::append_field(value, 3, static_cast<std::uint64_t>(lease.remaining_ttl_s));
    TM_CHECK(segment.append(key, value));
  }
  return {};
}

Status fill_members(Segment& segment, const NewCluster& cluster) {
  // Ids are written without padding, so the order of the texts is not that of the numbers.
  std::vector<std::pair<std::string, std::string>> rows;
  for (const NewMember& member : cluster.members) rows.emplace_back(hex_id(member.id.raw()), member_json(member));
  std::ranges::sort(rows);
  for (const auto& [key, value] : rows) TM_CHECK(segment.append(as_bytes(key), as_bytes(value)));
  return {};
}

}  // namespace

Status write_small_buckets(bolt::BulkWriter& to, const bolt::Reader& base, const SmallBuckets& what) {
  if (what.cluster.members.empty()) return fail(Errc::invalid, "a cluster without members");
  // Left behind on purpose: old alarms stop the new cluster from writing, old versions stop an older or newer etcd
  // from starting. The leader decides the version again.
  TM_CHECK(add_empty(to, "alarm"));
  for (const std::string_view bucket : {"auth", "authRoles", "authUsers"}) TM_CHECK(copy_bucket(to, base, bucket));
  TM_CHECK(add_empty(to, "cluster"));
  TM_CHECK(add_bucket(to, "lease", [&](Segment& segment) { return fill_leases(segment, what.leases); }));
  TM_CHECK(add_bucket(to, "members", [&](Segment& segment) { return fill_members(segment, what.cluster); }));
  TM_CHECK(add_empty(to, "members_removed"));
  return add_bucket(to, "meta", [&](Segment& segment) { return fill_meta(segment, what); });
}

}  // namespace tidemark::etcd
