// A stored object as the JSON that `kubectl get -o json` prints.
//
// Of what the server adds on reading this adds resourceVersion; defaults and conversions between versions it does not
// know (doc/format/kubernetes-objects.md lists what can differ). What the table does not know is left out and counted:
// the stored bytes are the whole truth, JSON is a view of them.
// Threads: any; one ObjectPrinter in one thread.
// Source: k8s.io/api and k8s.io/apimachinery (struct tags and MarshalJSON methods), Go's encoding/json.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/ids.h"
#include "base/result.h"
#include "kube/json_writer.h"
#include "kube/schema.h"

namespace tidemark::kube {

struct ObjectOptions {
  // Prints as this minor of Kubernetes 1 would.
  int server_minor = 36;
  // kubectl leaves metadata.managedFields out unless told to show them.
  bool managed_fields = false;
  JsonWriter::Style style = JsonWriter::Style::indented;
};

// What the JSON does not tell of the bytes.
struct Lossiness {
  std::uint64_t unknown_fields = 0;
  std::string first_unknown;  // "core/v1.PodSpec field 77"
};

class ObjectPrinter {
 public:
  // Requires: `schema` outlives this.
  explicit ObjectPrinter(const Schema& schema = Schema::built_in(), const ObjectOptions& options = {});
  ~ObjectPrinter();

  // Appends the object to `to` and tells what was left out. `revision`: the one that wrote the key (mod revision),
  // which clients call resourceVersion; 0: leaves it out. Errc::corrupt: the value is damaged, `to` then ends anyhow;
  // Errc::not_found: a kind that the table does not have; Errc::unsupported: encrypted, or no object.
  Result<Lossiness> print(Bytes value, Revision revision, std::string& to);

 private:
  class Printer;
  std::unique_ptr<Printer> printer_;
};

}  // namespace tidemark::kube
