// Kubernetes objects as they were at one moment, asked for in kubectl's words.
//
//   TM_LET(auto moment, Moment::open(origin, target, options));
//   TM_LET(const Selection all, Selection::make(*moment, {.words = {"deploy", "web"}, .ns = "shop"}));
//   TM_CHECK(all.for_each([&](const Selection::Entry& entry, Result<nlohmann::json> object) { ... }));
//
// Objects stand in the order of the words, those of one kind in the order of their keys, as an API server lists them.
// Threads: one at a time.
#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "history/moment.h"
#include "history/wanted.h"
#include "kube/resource.h"

namespace tidemark::history {

class Selection {
 public:
  // One object that was asked for and found.
  struct Entry {
    const kube::Resource* resource = nullptr;
    std::string_view ns, name;  // views into the key
    const std::string* key = nullptr;
    const RowSpool::Entry* row = nullptr;
  };
  // One that was asked for by name and was not there.
  struct Missing {
    const kube::Resource* resource = nullptr;
    std::string name;
  };

  // `verb`, `words_needed`: as Wanted::read(). Errc::invalid: words that do not go together. Errc::not_found: a kind
  // that did not exist at that moment.
  static Result<Selection> make(Moment& moment, const ObjectWish& wish, std::string_view verb = "get",
                                bool words_needed = true);
  Selection(Selection&&) noexcept = default;

  // Those that match, one after another; so many objects there may be, one is in memory. An object that cannot be read
  // comes as its failure (Errc::denied: encrypted at rest, and there is no key; Errc::corrupt), unless its labels can
  // be read and do not match. Stops when `each` fails.
  Status for_each(const std::function<Status(const Entry&, Result<nlohmann::json>)>& each) const;

  const Wanted& wanted() const { return wanted_; }
  const std::vector<Missing>& missing() const { return missing_; }
  // One object was asked for by its name: it is shown alone and not as a list.
  bool single() const { return wanted_.single(); }
  // Several kinds were asked for: names alone do not tell what an object is.
  bool many_kinds() const { return wanted_.many_kinds(); }
  // Any of the kinds lives in namespaces.
  bool any_namespaced() const { return wanted_.any_namespaced(); }
  // Words of the table's notes: objects shown as stored, fields that the table of types does not have.
  const std::vector<std::string>& notes() const { return notes_; }

 private:
  Selection(const ObjectWish& wish, Wanted wanted, RowSpool rows)
      : wish_(wish), wanted_(std::move(wanted)), rows_(std::move(rows)) {}
  Status load_rows(Moment& moment);
  void pick(const Wanted::Kind& kind);

  ObjectWish wish_;
  Wanted wanted_;
  RowSpool rows_;
  std::vector<Entry> entries_;
  std::vector<Missing> missing_;
  mutable std::vector<std::string> notes_;
};

}  // namespace tidemark::history
