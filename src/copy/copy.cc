#include "copy/copy.h"

#include <algorithm>
#include <map>
#include <set>

#include "catalog/lineage.h"
#include "crypto/sha256.h"

namespace tidemark::copy {
namespace {

constexpr std::size_t kChunk = 256UL * 1024;

using Sizes = std::map<std::string, std::uint64_t, std::less<>>;

Result<Sizes> sizes_of(store::ObjectStore& store) {
  Sizes sizes;
  for (const char* folder : {"v1/", "v2/", "tidemark/"}) {
    TM_LET(const auto objects, store.list(folder));
    for (const store::ObjectInfo& object : objects) sizes[object.key] = object.size;
  }
  return sizes;
}

std::unexpected<Error> other_history(const store::ObjectStore& source, const store::ObjectStore& target,
                                     std::string_view why) {
  constexpr const char* kHint =
      "copy to an empty place: two histories in one store mislead every reader. "
      "Histories that followed this one go into neighbours of --to, whose names must be free too";
  return std::unexpected(Error{
      Errc::conflict, fmt::format("{} holds another history than {}: {}", target.url(), source.url(), why), kHint});
}

std::string describe(const catalog::Lineage& lineage) {
  return fmt::format("lineage {} of cluster {:x}, recorded from revision {} on", lineage.number, lineage.cluster.raw(),
                     lineage.first);
}

bool may_go_on_without(Errc code) { return code == Errc::not_found || code == Errc::corrupt || code == Errc::torn; }

// Where a failure happened decides what it means: the source may lack an object, the target may not refuse one.
struct Failed {
  Error error;
  bool in_source = false;
};

class Copier {
 public:
  Copier(store::ObjectStore& source, store::ObjectStore& target, Audience& audience, const std::stop_token& stop)
      : source_(source), target_(target), audience_(audience), stop_(stop) {}

  void begin_step(std::string_view step, std::uint64_t all) {
    step_ = step;
    done_ = 0;
    all_ = all;
  }

  // Are the two objects equal, byte by byte?
  std::expected<bool, Failed> equal(const std::string& key) {
    auto ours = source_.open(key);
    if (!ours) return std::unexpected(Failed{ours.error(), true});
    auto theirs = target_.open(key);
    if (!theirs) return std::unexpected(Failed{theirs.error(), false});
    for (;;) {
      if (stop_.stop_requested()) return std::unexpected(Failed{{Errc::cancelled, "asked to stop", {}}, false});
      const auto n = io::read_full(**ours, chunk_);
      if (!n) return std::unexpected(Failed{n.error(), true});
      const auto m = io::read_full(**theirs, other_);
      if (!m) return std::unexpected(Failed{m.error(), false});
      if (compare(Bytes(chunk_).first(*n), Bytes(other_).first(*m)) != 0) return false;
      if (*n == 0) return true;
      advance(key, *n);
    }
  }

  // Puts the object and reads it back. already_exists passes through: somebody was faster.
  std::expected<std::string, Failed> put(const std::string& key) {
    auto from = source_.open(key);
    if (!from) return std::unexpected(Failed{from.error(), true});
    auto to = target_.create(key);
    if (!to) return std::unexpected(Failed{to.error(), false});
    const std::uint64_t began = done_;
    crypto::Sha256 digest;
    for (;;) {
      if (stop_.stop_requested()) return std::unexpected(Failed{{Errc::cancelled, "asked to stop", {}}, false});
      const auto n = (*from)->read(chunk_);
      if (!n) return std::unexpected(Failed{n.error(), true});
      if (*n == 0) break;
      digest.update(Bytes(chunk_).first(*n));
      if (const Status written = (*to)->write(Bytes(chunk_).first(*n)); !written) {
        return std::unexpected(Failed{written.error(), false});
      }
      advance(key, *n);
    }
    Status put = (*to)->finish();
    if (put) put = (*to)->commit();
    if (!put) {
      done_ = began;
      return std::unexpected(Failed{put.error(), false});
    }
    return read_back(key, to_hex(digest.finish()));
  }

 private:
  // An object of ours that does not come back as it was sent is worse than none: it is taken away again.
  std::expected<std::string, Failed> read_back(const std::string& key, std::string sent) {
    auto again = target_.open(key);
    if (!again) return std::unexpected(Failed{again.error(), false});
    crypto::Sha256 digest;
    for (;;) {
      const auto n = (*again)->read(chunk_);
      if (!n) return std::unexpected(Failed{n.error(), false});
      if (*n == 0) break;
      digest.update(Bytes(chunk_).first(*n));
    }
    if (const std::string got = to_hex(digest.finish()); got != sent) {
      const Status removed = target_.remove(key);
      const std::string fate = removed ? "it was removed again" : "it is still there: " + removed.error().what;
      return std::unexpected(Failed{{Errc::io,
                                     fmt::format("{} returned other bytes than were put (sha256 {} instead of {}); {}",
                                                 target_.url(), got, sent, fate),
                                     {}},
                                    false});
    }
    return sent;
  }

  void advance(std::string_view key, std::uint64_t bytes) {
    done_ += bytes;
    audience_.progress(step_, key, done_, std::max(done_, all_));
  }

  store::ObjectStore& source_;
  store::ObjectStore& target_;
  Audience& audience_;
  const std::stop_token& stop_;
  std::string_view step_;
  std::uint64_t done_ = 0, all_ = 0;
  Buffer chunk_ = Buffer(kChunk), other_ = Buffer(kChunk);
};

// False: the copy ends here, with report.stopped set.
bool settle_failure(const Failed& failed, CopiedItem& item, Report& report) {
  if (failed.in_source && may_go_on_without(failed.error.code)) {
    item.outcome = Outcome::missing;
    item.reason = failed.error.what;
    return true;
  }
  report.stopped = failed.error;
  if (report.stopped->what.find(item.item.key) == std::string::npos) {
    report.stopped->what.insert(0, item.item.key + ": ");
  }
  return false;
}

bool compare_item(Copier& copier, CopiedItem& item, Report& report) {
  const auto same = copier.equal(item.item.key);
  if (!same) return settle_failure(same.error(), item, report);
  item.outcome = *same ? Outcome::present : Outcome::differs;
  if (!*same) item.reason = "the target has other bytes under this name";
  return true;
}

bool copy_item(Copier& copier, CopiedItem& item, Report& report) {
  const auto sha256 = copier.put(item.item.key);
  if (sha256) {
    item.outcome = Outcome::copied;
    item.sha256 = *sha256;
    report.copied_bytes += item.item.size;
    return true;
  }
  // The list was older than the store, or another copy is at work.
  if (!sha256.error().in_source && sha256.error().error.code == Errc::already_exists) {
    return compare_item(copier, item, report);
  }
  return settle_failure(sha256.error(), item, report);
}

}  // namespace

std::size_t Report::count(Outcome outcome) const {
  return static_cast<std::size_t>(std::ranges::count(items, outcome, &CopiedItem::outcome));
}

bool Report::complete() const { return !stopped && count(Outcome::copied) + count(Outcome::present) == items.size(); }

Status check_target(store::ObjectStore& source, const Plan& plan, store::ObjectStore& target) {
  TM_LET(const auto ours, named(source.url(), catalog::read_lineage(source)));
  TM_LET(const auto theirs, named(target.url(), catalog::read_lineage(target)));
  if (ours && theirs) {
    if (*ours == *theirs) return {};
    return other_history(source, target, describe(*theirs) + ", not " + describe(*ours));
  }
  if (theirs)
    return other_history(source, target, describe(*theirs) + "; the source does not say whose its history is");
  // A bucket of another program, or one that was copied without its sidecars: snapshots in common tell.
  TM_LET(const catalog::Timeline there, catalog::read_timeline(target));
  if (there.fulls.empty() && there.deltas.empty()) return {};
  std::set<std::pair<std::string_view, std::uint64_t>> known;
  for (const Item& item : plan.items) known.emplace(item.key, item.size);
  for (const auto* points : {&there.fulls, &there.deltas}) {
    for (const catalog::Point& p : *points) {
      if (known.contains({p.key, p.size})) return {};
    }
  }
  const std::string& stranger = there.fulls.empty() ? there.deltas.back().key : there.fulls.back().key;
  return other_history(source, target,
                       fmt::format("it has snapshots ({} is one), but none that is to be copied", stranger));
}

Result<std::vector<Outcome>> survey_target(const Plan& plan, store::ObjectStore& target) {
  TM_LET(const Sizes there, sizes_of(target));
  std::vector<Outcome> outcomes;
  outcomes.reserve(plan.items.size());
  for (const Item& item : plan.items) {
    const auto found = there.find(item.key);
    outcomes.push_back(found == there.end()         ? Outcome::pending
                       : found->second == item.size ? Outcome::present
                                                    : Outcome::differs);
  }
  return outcomes;
}

Result<Report> copy_plan(store::ObjectStore& source, const Plan& plan, store::ObjectStore& target, Compare compare,
                         Audience& audience, const std::stop_token& stop) {
  TM_LET(const auto there, survey_target(plan, target));
  Report report;
  std::uint64_t to_compare = 0, to_copy = 0;
  for (std::size_t i = 0; i < plan.items.size(); ++i) {
    CopiedItem item{plan.items[i], Outcome::pending, {}, {}};
    if (there[i] == Outcome::differs) {
      item.outcome = Outcome::differs;
      item.reason = "the target has an object of another size under this name";
    } else if (there[i] == Outcome::present && compare == Compare::sizes) {
      item.outcome = Outcome::present;
    } else {
      (there[i] == Outcome::present ? to_compare : to_copy) += item.item.size;
    }
    report.items.push_back(std::move(item));
  }
  // Two rounds, so that each has an end that is known. What is there is not touched by either.
  Copier copier(source, target, audience, stop);
  copier.begin_step("compare", to_compare);
  for (std::size_t i = 0; i < report.items.size(); ++i) {
    if (report.items[i].outcome != Outcome::pending || there[i] != Outcome::present) continue;
    if (!compare_item(copier, report.items[i], report)) return report;
  }
  copier.begin_step("copy", to_copy);
  for (CopiedItem& item : report.items) {
    if (item.outcome == Outcome::pending && !copy_item(copier, item, report)) return report;
  }
  return report;
}

}  // namespace tidemark::copy
