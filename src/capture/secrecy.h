// Can whoever reads the store read the cluster's Secrets? Told from the values of a snapshot.
//
// An API server with an EncryptionConfiguration writes values that begin with "k8s:enc:<provider>:"; everything else is
// in clear. Old versions count too: they are in the snapshot as well. Threads: one.
#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "etcd/row.h"

namespace tidemark::capture {

struct Secrecy {
  std::uint64_t secrets_in_clear = 0, secrets_encrypted = 0;  // values
  std::uint64_t others_encrypted = 0;                         // of other kinds: encryption at rest covers them too
  std::set<std::string> providers;                            // "aescbc", "kms", …; the first few

  void look_at(const etcd::KeyValue& kv);
  // One line for the log; `store_encrypted`: what is put into the store cannot be read without its own keys.
  void tell(bool store_encrypted) const;
  friend bool operator==(const Secrecy&, const Secrecy&) = default;
};

}  // namespace tidemark::capture
