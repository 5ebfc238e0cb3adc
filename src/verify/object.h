// One object of a timeline, read back to its last byte.
#pragma once

#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "catalog/proof.h"
#include "catalog/sidecar.h"
#include "catalog/timeline.h"
#include "io/file.h"
#include "restore/plan.h"
#include "store/object_store.h"

namespace tidemark::verify {

struct Finding {
  std::string object;  // a key; empty: the timeline as a whole
  catalog::ProofLevel level = catalog::ProofLevel::digest;
  std::string reason;  // with the offset, page or row where there is one
};

struct ObjectCheck {
  std::vector<Finding> findings;  // of the object and of its sidecars
  bool sound = true;              // false: a restore cannot use the object, or gets less than its name promises
  std::optional<catalog::HashSample> recorded;  // what etcd said of its rows when the object was taken
  // Level replay: HashKV of a full's own rows. A witness for the objects that lead to it, never for itself.
  std::optional<catalog::HashSample> own_rows;
};

struct Reading {
  store::ObjectStore& store;
  catalog::ProofLevel level;
  io::Path scratch;  // an existing directory; one full at a time is spooled there
  // Bytes of the stored object read so far.
  std::function<void(std::uint64_t)> progress;
  std::stop_token stop;
};

// digest: the whole body, compression checksums, the SHA-256 behind it (a full without one is a finding), what its
// sidecars say of bytes. structure: besides, a full's trees, rows and revision; a delta's order, density and name.
// replay: besides, the HashKV of a full's own rows. What was learned goes into `facts`, as in a restore.
// Fails only for what is not the object's fault (store unreachable, cancelled); an object that cannot be read from its
// disk is a finding. Whatever goes wrong with the scratch directory is a failure that names it: see scratch_failure().
Result<ObjectCheck> check_object(const Reading& reading, const catalog::Point& point, restore::Facts& facts);

// What the place that verify works in has refused: Errc::no_space, anything else Errc::io.
Error scratch_failure(const io::Path& scratch, const Error& why);

}  // namespace tidemark::verify
