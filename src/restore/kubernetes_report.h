// What an operator must know after a cluster's etcd went back: what to do, in order, and what of the outside world the
// restored objects no longer match.
//
// The second half is read from the deltas after the restored revision, by key alone (values may be encrypted): volumes,
// claims, snapshot contents, services, nodes and pods that were created or deleted between the target and the newest
// known revision. Memory: one entry a key of these kinds, at most kMostListed a kind; beyond that they are counted.
#pragma once

#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "restore/etcd.h"

namespace tidemark::restore {

inline constexpr std::size_t kMostListed = 100'000;

struct OutsideWorld {
  struct Kind {
    std::vector<std::string> created, deleted, replaced;  // "namespace/name", in order of names
    std::uint64_t not_listed = 0;                         // changes of keys beyond kMostListed
  };
  std::map<std::string, Kind> kinds;  // "persistentvolumes" …; only those with changes
  Revision from, to;                  // what was looked at: changes after `from` up to `to`
  std::vector<std::string> unread;    // deltas that could not be read, with the reason
};

// Which of the kinds a key belongs to: {kind, "namespace/name"}; nullopt: none of them.
std::optional<std::pair<std::string, std::string>> kind_of_key(std::string_view key);

// Requires: revisions come in order.
class ChangeTally {
 public:
  void add(const etcd::KeyValue& kv, bool deletion, Revision restored);
  void into(OutsideWorld& world) const;

 private:
  struct Fate {
    bool was_there = false, is_there = false, replaced = false;
  };
  struct Entries {
    std::map<std::string, Fate, std::less<>> by_name;
    std::uint64_t not_listed = 0;
  };
  std::map<std::string, Entries, std::less<>> kinds_;
};

Result<OutsideWorld> look_outside(const catalog::Timeline& timeline, const Facts& facts, Revision restored,
                                  Origin& from, const std::stop_token& stop);

std::string print_report_text(const EtcdRestore& wish, const Restored& done, const OutsideWorld& world,
                              std::string_view origin);
std::string print_report_json(const EtcdRestore& wish, const Restored& done, const OutsideWorld& world,
                              std::string_view origin);

// D/tidemark-restore-report.txt and .json; paths and text go into `done`.
Status write_reports(const EtcdRestore& wish, Restored& done, const catalog::Timeline& timeline, const Facts& facts,
                     Origin& from, const std::stop_token& stop);

}  // namespace tidemark::restore
