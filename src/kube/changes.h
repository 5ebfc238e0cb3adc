// What of an object counts when two states of it are compared: without what every write changes, and without secrets.
// And who made a change, by the object's own word.
// Threads: any; one SecretMask may be used by many.
#pragma once

#include <array>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace tidemark::kube {

// Left out unless asked for: metadata.managedFields, resourceVersion, generation, selfLink, the annotation with which
// `kubectl apply` remembers what it sent, and status.
struct Compared {
  bool status = false;
  bool managed_fields = false;
  bool all = false;  // everything
  // False: also without what a server gives an object when it is made, uid and creationTimestamp, its owners' uids too:
  // one that was put back is as it was.
  bool identity = true;
};
void keep_compared(nlohmann::json& object, const Compared& what);

// Replaces what a Secret keeps by "hash:0123456789abcdef": equal values have equal hashes, and nobody can find a value
// by hashing guesses, for the hash is made with a key. Other kinds stay as they are.
class SecretMask {
 public:
  using Key = std::array<std::byte, 32>;
  explicit SecretMask(const Key& key) : key_(key) {}
  void hide(nlohmann::json& object) const;

 private:
  std::string hash(std::string_view text) const;
  Key key_;
};

struct ChangedBy {
  std::string manager, operation, subresource;  // "kubectl", "Update" or "Apply", "status" or empty
  std::string time;                             // RFC 3339, whole seconds; empty: not said
  // False: it is the newest there was, and its entry did not change. A manager that changes the same fields twice in
  // one second leaves no other trace.
  bool certain = true;
};

// Those whose entries in metadata.managedFields are new or changed; `before` may be null: nothing is known of it.
std::vector<ChangedBy> field_managers(const nlohmann::json& before, const nlohmann::json& after);

// The newest moment that the object itself names (of its creation, of its managers); empty: none.
std::string newest_claimed_time(const nlohmann::json& object);

}  // namespace tidemark::kube
