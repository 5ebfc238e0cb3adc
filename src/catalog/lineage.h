// Which history a prefix holds, and where it went on when etcd was turned back.
//
// One prefix holds one lineage: other readers take the highest revision for the latest, so a history that went back
// must not stand in the same prefix. It gets a neighbour of its own, named in a sidecar of lineage 1.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "catalog/sidecar.h"
#include "io/file.h"
#include "store/object_store.h"

namespace tidemark::catalog {

// nullopt: nobody wrote one, as in a bucket of etcd-backup-restore.
Result<std::optional<Lineage>> read_lineage(store::ObjectStore& store);
Status write_lineage(store::ObjectStore& store, const Lineage& lineage);  // Errc::already_exists

// By number. Written to the store of lineage 1. Two recorders that see the same turn race for a number: the loser gets
// already_exists and reads the winner's.
Result<std::vector<LineageSuccessor>> read_successors(store::ObjectStore& store);
Status write_successor(store::ObjectStore& store, const LineageSuccessor& successor);

// The folder of lineage `number` beside the store at `url`: "dir:/backups/prod" -> "lineage-2.prod". Neither name
// begins the other, because etcd-backup-restore lists a bucket by the bare beginning of its keys. Errc::invalid, with a
// hint, when the store is the root of a bucket or file system and so has no neighbours.
Result<std::string> successor_name(std::string_view url, std::uint32_t number);
// The URL of a neighbour: ("dir:/backups/prod", "lineage-2.prod") -> "dir:/backups/lineage-2.prod".
Result<std::string> neighbour_url(std::string_view url, std::string_view name);

// Errc::invalid when a neighbour in the parent directory holds backups and one's name begins the other's ("prod" and
// "prod-2"): with the same keys in a bucket etcd-backup-restore mixes the two up.
Status check_neighbours(const io::Path& root);

}  // namespace tidemark::catalog
