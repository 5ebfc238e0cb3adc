// The cluster that a restored data directory will start as: members, their ids, and the id of the cluster.
//
// Ids follow from names and URLs alone (member: SHA-1 of its sorted peer URLs and the token; cluster: SHA-1 of the
// member ids), so every member's directory can be made independently and still belong together. URL rules and messages
// are those of etcd's own restore.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/result.h"

namespace tidemark::etcd {

inline constexpr std::string_view kDefaultName = "default";
inline constexpr std::string_view kDefaultToken = "etcd-cluster";
inline constexpr std::string_view kDefaultInitialCluster = "default=http://localhost:2380";

struct NewMember {
  MemberId id;
  std::string name;
  std::vector<std::string> peer_urls;  // sorted
};

struct NewCluster {
  ClusterId id;
  std::string token;
  std::vector<NewMember> members;  // ascending by id, at least one

  const NewMember* find(MemberId id) const;
  const NewMember* find(std::string_view name) const;
};

// `initial_cluster`: name=url[,name=url…]; a name with several URLs is given several times.
// Errc::invalid: empty, a bad URL, a URL given twice, two members with one id.
Result<NewCluster> plan_cluster(std::string_view initial_cluster, std::string_view token);

// Which of the members is the one to be restored. `advertise_peer_urls`: comma separated; empty: not checked.
// Errc::invalid: no member of that name, or its URLs are others than those advertised (compared as text).
Result<MemberId> choose_member(const NewCluster& cluster, std::string_view name, std::string_view advertise_peer_urls);

// http(s)://host:port or unix(s)://path, in the form Go prints it. Errc::invalid.
Result<std::string> normal_peer_url(std::string_view url);

MemberId member_id(std::vector<std::string> peer_urls, std::string_view token);
ClusterId cluster_id(std::vector<MemberId> members);

std::string hex_id(std::uint64_t id);                       // lower case, no padding: "8e9e05c52164694d"
Result<std::uint64_t> parse_hex_id(std::string_view text);  // Errc::corrupt: not what hex_id() writes

// Go's JSON of a text of printable ASCII, and of a list of such URLs. Requires: names and URLs of a planned cluster.
std::string json_quoted(std::string_view printable_ascii);
std::string peer_urls_json(const std::vector<std::string>& urls);

// {"id":…,"peerURLs":[…],"name":"…"}: the value in the members bucket and in the log's membership changes.
std::string member_json(const NewMember& member);

}  // namespace tidemark::etcd
