// Kubernetes objects as they were at one moment, asked for in kubectl's words.
//
//   TM_LET(auto moment, Moment::open(origin, target, options));
//   TM_LET(const Selection all, Selection::make(*moment, {.words = {"deploy", "web"}, .ns = "shop"}));
//   TM_CHECK(all.for_each([&](const Selection::Entry& entry, Result<nlohmann::json> object) { ... }));
//
// Objects stand in the order of the words, those of one kind in the order of their keys, as an API server lists them.
// Threads: one at a time.
#pragma once

#include <deque>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

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
  kube::Decryptor* decryptor = nullptr;  // outlives the selection; nullptr: sealed values stay closed
};

class Selection {
 public:
  // One object that was asked for and found.
  struct Entry {
    const kube::Resource* resource = nullptr;
    std::string_view ns, name;  // views into the key
    const std::string* key = nullptr;
    const Row* row = nullptr;
  };
  // One that was asked for by name and was not there.
  struct Missing {
    const kube::Resource* resource = nullptr;
    std::string name;
  };

  // Errc::invalid: words that do not go together. Errc::not_found: a kind that did not exist at that moment.
  static Result<Selection> make(Moment& moment, const ObjectWish& wish);
  Selection(Selection&&) = default;

  // Those that match, one after another. An object that cannot be read comes as its failure (Errc::denied: encrypted at
  // rest, and there is no key; Errc::corrupt), whatever its labels. Stops when `each` fails.
  Status for_each(const std::function<Status(const Entry&, Result<nlohmann::json>)>& each) const;

  const std::vector<Missing>& missing() const { return missing_; }
  // One object was asked for by its name: it is shown alone and not as a list.
  bool single() const { return single_; }
  // Several kinds were asked for: names alone do not tell what an object is.
  bool many_kinds() const { return many_kinds_; }
  // Any of the kinds lives in namespaces.
  bool any_namespaced() const;
  // Words of the table's notes: objects shown as stored, fields that the table of types does not have.
  const std::vector<std::string>& notes() const { return notes_; }

 private:
  explicit Selection(const ObjectWish& wish) : wish_(wish) {}
  // The value as an API server reads it: opened into `plain` when it is sealed, else as it is.
  Result<Bytes> opened(std::string_view key, const Row& row, Buffer& plain) const;
  struct Asked {
    std::string word;
    std::vector<std::string> names;  // empty: all
  };
  static Result<std::vector<Asked>> read_words(const ObjectWish& wish);
  Status resolve(Moment& moment, const std::vector<Asked>& asked);
  Status load_definitions(Moment& moment);
  Status load_rows(Moment& moment);
  void pick(const kube::Resource& resource, const std::vector<std::string>& names);

  struct Wanted {
    const kube::Resource* resource = nullptr;
    std::vector<std::string> names;
  };
  ObjectWish wish_;
  kube::Resources resources_;
  std::vector<Wanted> wanted_;
  Rows rows_;
  std::vector<Entry> entries_;
  std::vector<Missing> missing_;
  mutable std::vector<std::string> notes_;
  bool single_ = false, many_kinds_ = false;
};

}  // namespace tidemark::history
