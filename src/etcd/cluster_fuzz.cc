// Laws: a planned cluster has sorted, different ids and finds its members; a URL in its normal form is in its normal
// form; ids and the names of log segments are read only as they are written.
#include <cstdlib>

#include "etcd/cluster.h"
#include "etcd/wal.h"

using namespace tidemark;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto cluster = etcd::plan_cluster(text, "token")) {
    if (cluster->members.empty()) std::abort();
    for (std::size_t i = 0; i < cluster->members.size(); ++i) {
      const etcd::NewMember& member = cluster->members[i];
      if (i > 0 && cluster->members[i - 1].id >= member.id) std::abort();
      if (cluster->find(member.id) != &member || cluster->find(member.name) == nullptr) std::abort();
      (void)etcd::member_json(member);
    }
  }
  if (const auto url = etcd::normal_peer_url(text)) {
    const auto again = etcd::normal_peer_url(*url);
    if (!again || *again != *url) std::abort();
  }
  if (const auto id = etcd::parse_hex_id(text); id && etcd::hex_id(*id) != text) std::abort();
  if (const auto name = etcd::parse_wal_file_name(text);
      name && etcd::wal_file_name(name->sequence, name->first_index) != text)
    std::abort();
  return 0;
}
