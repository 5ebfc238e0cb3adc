// Which objects are meant: kubectl's words -> kinds and names, and the keys where those objects are.
//
//   TM_LET(Wanted wanted, Wanted::read(wish, "get"));
//   TM_CHECK(wanted.resolve([&] { return definitions; }, "at revision 12"));
//   TM_LET(const Rows rows, moment.below(wanted.asked()));
//
// Threads: one at a time.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "history/moment.h"
#include "kube/encryption.h"
#include "kube/resource.h"
#include "kube/selector.h"

namespace tidemark::history {

struct ObjectWish {
  std::vector<std::string> words;  // "deploy", "web" or "deploy/web", "svc/db" or "deploy,svc" or "all"
  std::string ns = "default";
  bool all_namespaces = false;
  kube::LabelSelector labels = {};
  kube::FieldSelector fields = {};
  std::string etcd_prefix = "/registry";
  bool managed_fields = false;
  kube::Decryptor* decryptor = nullptr;  // outlives whoever reads with it; nullptr: sealed values stay closed
};

class Wanted {
 public:
  struct Kind {
    const kube::Resource* resource = nullptr;
    std::vector<std::string> names;  // empty: all
  };
  // An object's place, views into its key.
  struct Place {
    const kube::Resource* resource = nullptr;
    std::string_view ns, name;
  };

  // `verb`: as the hints name it. Errc::invalid: words that do not go together, or none. Without `words_needed` no
  // words mean everything: of the namespace, or with all_namespaces of the cluster.
  static Result<Wanted> read(const ObjectWish& wish, std::string_view verb, bool words_needed = true);

  // Finds the kinds. `definitions` is asked for the rows of the custom resource definitions, only when Kubernetes' own
  // kinds are not enough. Errc::not_found: a kind that there was not, `when` says when.
  Status resolve(const std::function<Result<Rows>(const std::string& prefix)>& definitions, std::string_view when);

  const std::vector<Kind>& kinds() const { return kinds_; }
  // The keys of their rows, and perhaps some more: see place_of().
  Asked asked() const;
  std::string prefix_of(const kube::Resource& resource) const;
  // nullopt: no object of that kind, or one that the field selector leaves out.
  std::optional<Place> place_of(const kube::Resource& resource, std::string_view key) const;
  // nullopt: of none of the kinds, or of none of the names.
  std::optional<Place> place_of(std::string_view key) const;

  // One object was asked for by its name.
  bool single() const { return kinds_.size() == 1 && kinds_.front().names.size() == 1; }
  bool many_kinds() const { return kinds_.size() > 1; }
  bool everything() const { return words_.empty(); }
  bool any_namespaced() const;
  // Definitions that cannot be read.
  const std::vector<std::string>& notes() const { return notes_; }

  Wanted(Wanted&&) noexcept = default;

 private:
  struct Words {
    std::string word;
    std::vector<std::string> names;
  };
  explicit Wanted(const ObjectWish& wish) : wish_(wish) {}
  Status read_words(std::string_view verb);
  Result<Rows> load(const std::function<Result<Rows>(const std::string& prefix)>& definitions);
  void keep_schemas(const Rows& definitions);

  ObjectWish wish_;
  std::vector<Words> words_;
  kube::Resources resources_;
  std::vector<Kind> kinds_;
  std::vector<std::string> notes_;
};

// The value as an API server reads it: opened into `plain` when it is sealed, else as it is. Errors as
// kube::Decryptor's.
Result<Bytes> opened_value(kube::Decryptor* decryptor, std::string_view key, std::string_view value, Buffer& plain);

}  // namespace tidemark::history
