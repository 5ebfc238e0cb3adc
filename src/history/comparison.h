// Two moments, and the objects that are not the same in both.
//
//   TM_LET(Comparison all, Comparison::make(*then, *now, wish));
//   TM_CHECK(all.for_each([&](const Comparison::Pair& pair) { ... }));
//
// An object that the same revision wrote in both is the same; its value is never read.
// Memory: the keys of both moments, and the values that differ. Threads: one at a time.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "history/wanted.h"

namespace tidemark::history {

class Comparison {
 public:
  // An object that was written in between. A side is an object, null (there was none), or a failure: Errc::denied,
  // Errc::corrupt.
  struct Pair {
    const kube::Resource* resource = nullptr;
    std::string_view ns, name;
    const std::string* key = nullptr;
    Revision before_written, after_written;  // 0: there was none
    Result<nlohmann::json> before, after;
  };

  // No words mean everything of the namespace, or with all_namespaces of the cluster, apart from events and leases.
  // Errc::invalid: words that do not go together. Errc::not_found: a kind that there was at neither moment.
  static Result<Comparison> make(Moment& before, Moment& after, const ObjectWish& wish);

  // By kind, and those of one kind in the order of their keys. Stops when `each` fails.
  Status for_each(const std::function<Status(const Pair&)>& each);

  const Wanted& wanted() const { return wanted_; }
  // Asked for by name, and at neither moment there.
  const std::vector<std::pair<const kube::Resource*, std::string>>& missing() const { return missing_; }
  const std::vector<std::string>& notes() const { return notes_; }

 private:
  Comparison(const ObjectWish& wish, Wanted wanted) : wish_(wish), wanted_(std::move(wanted)) {}
  Status load(Moment& before, Moment& after);

  ObjectWish wish_;
  Wanted wanted_;
  Rows before_, after_;  // only the keys that differ
  std::vector<std::pair<const kube::Resource*, std::string>> missing_;
  std::vector<std::string> notes_;
};

}  // namespace tidemark::history
