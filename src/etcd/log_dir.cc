#include "etcd/log_dir.h"

#include <algorithm>
#include <set>

#include "base/proto.h"
#include "etcd/data_dir.h"
#include "etcd/database.h"
#include "etcd/raft_snap.h"
#include "etcd/wal.h"

namespace tidemark::etcd {

namespace {

constexpr std::uint64_t kTerm = 1;
constexpr std::uint64_t kLargestSnap = 64U << 20;

std::vector<MemberId> ids_of(const NewCluster& cluster) {
  std::vector<MemberId> ids;
  for (const NewMember& member : cluster.members) ids.push_back(member.id);
  return ids;
}

std::string id_list(const std::vector<MemberId>& ids) {
  std::string out;
  for (const MemberId id : ids) out += (out.empty() ? "" : ",") + hex_id(id.raw());
  return out.empty() ? "nobody" : out;
}

// raftpb.ConfChange, type AddNode.
Buffer add_node(const NewMember& member) {
  Buffer change;
  proto::append_field(change, 1, 0);
  proto::append_field(change, 2, 0);
  proto::append_field(change, 3, member.id.raw());
  proto::append_field(change, 4, as_bytes(member_json(member)));
  return change;
}

Status same_members(std::string_view who, std::vector<MemberId> found, const std::vector<MemberId>& expected) {
  std::ranges::sort(found);
  if (found == expected) return {};
  return fail(Errc::corrupt, "{} names the members {}, the database {}", who, id_list(found), id_list(expected));
}

// The file etcd 3.4 to 3.6 start from: it must be there, whole, and say the same as the rest.
Status check_snap(const io::Path& snap_dir, const WalSnapshot& start, const std::vector<MemberId>& members) {
  const io::Path path = snap_dir / snap_file_name(start.term, start.index);
  TM_LET(const Buffer bytes, io::read_file(path, kLargestSnap));
  TM_LET(const RaftSnapshot snapshot, named(path.native(), decode_raft_snapshot(bytes)));
  if (snapshot.index != start.index || snapshot.term != start.term)
    return fail(Errc::corrupt, "{}: is of index {}, term {}", path.native(), snapshot.index, snapshot.term);
  TM_CHECK(same_members(path.native(), snapshot.voters, members));
  TM_LET(std::vector<MemberId> v2_members, named(path.native(), v2_store_members(snapshot.v2_store)));
  return same_members(path.native() + ": the v2 store", std::move(v2_members), members);
}

Status check_range(const io::Path& wal_dir, const WalContents& log, const WalSnapshot& start,
                   const DatabaseState& state) {
  // A log that begins with the cluster holds all of it; etcd 3.4 to 3.6 go through it from 1 when the .snap is damaged.
  if (log.first_index != 1 || log.entries < start.index)
    return fail(Errc::corrupt, "{}: the entries 1 to {} are not all there", wal_dir.native(), start.index);
  if (log.state.commit < start.index || log.state.commit > log.last_index)
    return fail(Errc::corrupt, "{}: commit {} is outside of [{}, {}]", wal_dir.native(), log.state.commit, start.index,
                log.last_index);
  const std::uint64_t applied = state.consistent_index.value_or(0);
  if (applied < start.index || applied > log.last_index)
    return fail(Errc::corrupt, "{}: the database's consistent_index {} is outside of [{}, {}]", wal_dir.native(),
                applied, start.index, log.last_index);
  return {};
}

}  // namespace

Buffer first_segment(const NewCluster& cluster, MemberId self) {
  const std::vector<MemberId> ids = ids_of(cluster);
  WalSegment segment;
  segment.metadata(self, cluster.id);
  segment.snapshot({});
  std::uint64_t index = 0;
  for (const NewMember& member : cluster.members) {
    const Buffer change = add_node(member);
    segment.entry({RaftEntry::Kind::conf_change, kTerm, ++index, change});
  }
  segment.state({kTerm, ids.front(), index});
  segment.snapshot({index, kTerm, ids});
  const Bytes bytes = segment.bytes();
  return {bytes.begin(), bytes.end()};
}

Status write_log(const io::Path& member_dir, const NewCluster& cluster, MemberId self) {
  if (cluster.find(self) == nullptr)
    return fail(Errc::invalid, "{}: member {} is not in the cluster", member_dir.native(), hex_id(self.raw()));
  const io::Path wal_dir = member_dir / "wal", snap_dir = member_dir / "snap";
  TM_CHECK(io::make_dirs(wal_dir));
  TM_CHECK(io::make_dirs(snap_dir));
  for (const io::Path& dir : {wal_dir, snap_dir}) {
    std::error_code error;
    for (std::filesystem::directory_iterator it(dir, error), end; !error && it != end; it.increment(error)) {
      const io::Path extension = it->path().extension();
      if (extension == ".wal" || extension == ".snap")
        return fail(Errc::already_exists, "{} is there already", it->path().native());
    }
    if (error) return sys_fail("list", dir.native(), error.value());
  }

  const std::uint64_t index = cluster.members.size();
  const Buffer snap = encode_raft_snapshot({index, kTerm, ids_of(cluster), {}, v2_store_json(cluster)});
  TM_CHECK(io::write_file_durably(snap_dir / snap_file_name(kTerm, index), snap));
  return io::write_file_durably(wal_dir / wal_file_name(0, 0), first_segment(cluster, self));
}

Status check_log(const io::Path& member_dir, const bolt::Reader& database) {
  const io::Path wal_dir = member_dir / "wal";
  TM_LET(const WalContents log, read_wal(wal_dir));
  if (!log.torn.empty()) return fail(Errc::corrupt, "{}", log.torn);
  TM_LET(const DatabaseState state, read_state(database));
  std::vector<MemberId> members;
  for (const ClusterMember& member : state.members) members.push_back(member.id);
  std::ranges::sort(members);
  if (!std::ranges::binary_search(members, log.metadata.node))
    return fail(Errc::corrupt, "{}: its own member {} is not among the database's members {}", wal_dir.native(),
                hex_id(log.metadata.node.raw()), id_list(members));

  const std::vector<WalSnapshot> valid = log.valid_snapshots();
  if (std::ranges::none_of(valid, [](const WalSnapshot& s) { return s.index == 0; }))
    return fail(Errc::corrupt, "{}: no snapshot record of the start", wal_dir.native());
  const WalSnapshot& start = *std::ranges::max_element(valid, {}, &WalSnapshot::index);
  // Without it the log begins at 1, and a member added later is fed an empty store instead of the database.
  if (start.index == 0) return fail(Errc::corrupt, "{}: no snapshot record of a .snap file", wal_dir.native());
  TM_CHECK(check_range(wal_dir, log, start, state));
  TM_CHECK(same_members(fmt::format("{}: the snapshot record", wal_dir.native()), start.voters, members));
  return check_snap(member_dir / "snap", start, members);
}

}  // namespace tidemark::etcd
