#include <algorithm>
#include <set>

#include "etcd/database.h"
#include "etcd/key_set.h"
#include "etcd/row_rules.h"

namespace tidemark::etcd {

namespace {

using bolt::Element;

// The last row of a key, without the key. 32 bytes.
struct Chain {
  KeyHash hash;              // all zero: free slot
  std::int64_t create = 0;   // 0: deleted; the slot is dropped when the table grows
  std::int64_t version = 0;  // bit 62: its lease is missing
};
constexpr std::int64_t kMissingLease = std::int64_t{1} << 62;

// Open addressing, at most 7/8 full. Deleted keys go when it grows, so it is sized by the keys that live at once.
class ChainTable {
 public:
  ChainTable() : slots_(1024) {}

  Chain* find(KeyHash hash) {
    Chain& slot = slots_[slot_of(hash)];
    return slot.hash == hash && slot.create != 0 ? &slot : nullptr;
  }
  void put(KeyHash hash, std::int64_t create, std::int64_t version) {
    if (used_ >= slots_.size() / 8 * 7) rebuild();
    Chain& slot = slots_[slot_of(hash)];
    if (slot.hash != hash) used_++;
    slot = {hash, create, version};
  }
  template <class Each>
  void for_each_live(Each each) const {
    for (const Chain& slot : slots_)
      if (slot.create != 0) each(slot);
  }

 private:
  std::size_t slot_of(KeyHash hash) const {
    const std::size_t mask = slots_.size() - 1;
    std::size_t at = hash.low & mask;
    while (slots_[at].hash != KeyHash{} && slots_[at].hash != hash) at = (at + 1) & mask;
    return at;
  }
  void rebuild() {
    std::size_t live = 0;
    for_each_live([&](const Chain&) { live++; });
    std::vector<Chain> old(live > slots_.size() / 2 ? slots_.size() * 2 : slots_.size());
    old.swap(slots_);
    used_ = live;
    for (const Chain& slot : old)
      if (slot.create != 0) slots_[slot_of(slot.hash)] = slot;
  }
  std::vector<Chain> slots_;
  std::size_t used_ = 0;
};

class RowCheck {
 public:
  RowCheck(Revision compacted, std::set<LeaseId> leases, RowRules rules, std::size_t most_findings, const EachRow& each)
      : compacted_(compacted), leases_(std::move(leases)), rules_(rules), most_findings_(most_findings), each_(each) {}

  void take(const Element& element) {
    report_.rows++;
    const auto id = decode_row_key(element.key);
    if (!id) return found("{}", id.error().what);
    at_ = *id;
    check_order();
    previous_ = at_;
    if (at_.tombstone) report_.tombstones++;
    // What etcd's own restore leaves when it bumps the revision: nothing, and all of it is compacted at once.
    if (element.value.empty() && !at_.tombstone && at_.main <= compacted_) return;
    const auto kv = decode_key_value(element.value);
    if (!kv) return found("{}", kv.error().what);
    if (kv->key.empty()) return found("no key");
    const bool sound = at_.tombstone ? check_tombstone(*kv) : check_one_put(*kv);
    if (sound && each_) each_(at_, *kv, element.value);
    if (sound && rules_ == RowRules::chains) at_.tombstone ? end_chain(*kv) : extend_chain(*kv);
  }

  RowReport finish() {
    std::uint64_t without_lease = 0;
    chains_.for_each_live([&](const Chain& chain) {
      report_.live_keys++;
      if (chain.version & kMissingLease) without_lease++;
    });
    if (without_lease > 0)
      add(false, fmt::format("{} keys name a lease that does not exist: they will never expire", without_lease));
    return std::move(report_);
  }

  void add(bool fatal, std::string text) {
    std::size_t& kept = fatal ? fatal_kept_ : harmless_kept_;
    if (kept < most_findings_) {
      report_.findings.push_back({fatal, std::move(text)});
      kept++;
    } else {
      (fatal ? report_.more_fatal : report_.more_harmless)++;
    }
  }

 private:
  template <class... Args>
  void found(fmt::format_string<Args...> text, Args&&... args) {
    add(true, fmt::format("row {}/{}: ", at_.main, at_.sub) + fmt::format(text, std::forward<Args>(args)...));
  }

  // Every revision leaves at least one row and its rows are committed together: above the compaction a hole is loss.
  void check_order() {
    if (at_.main.raw() < 1) return found("revisions begin at 1");
    if (previous_ && at_ <= *previous_) return found("follows {}/{}", previous_->main, previous_->sub);
    if (at_.main <= compacted_) return;
    if (previous_ && at_.main == previous_->main) {
      if (at_.sub != previous_->sub + 1) found("follows {}/{}: rows are missing", previous_->main, previous_->sub);
      return;
    }
    const Revision before = std::max({compacted_, previous_ ? previous_->main : Revision{}, Revision(1)});
    if (at_.main > before.next()) found("revisions {} to {} are missing", before.next(), at_.main.prev());
    if (at_.sub != 0) found("the first {} rows of the revision are missing", at_.sub);
  }

  bool check_tombstone(const KeyValue& kv) {
    const bool bare = is_bare_deletion(kv);
    if (!bare) found("a deletion holds more than its key");
    return bare;
  }

  bool check_one_put(const KeyValue& kv) {
    bool sound = true;
    check_put(at_, kv, [&](auto text, const auto&... values) {
      sound = false;
      found("{}", fmt::format(fmt::runtime(text), values...));
    });
    return sound;
  }

  void extend_chain(const KeyValue& kv) {
    const KeyHash hash = hasher_(kv.key);
    // Up to the compaction rows in between may be gone: there only the newest of a key is certain.
    if (at_.main > compacted_) {
      const Chain* last = chains_.find(hash);
      const std::int64_t version = last == nullptr ? 0 : last->version & ~kMissingLease;
      if (last == nullptr && kv.version != 1)
        found("version {} of key '{}', which does not exist", kv.version, shown(kv.key));
      if (last != nullptr && (kv.create.raw() != last->create || kv.version != version + 1))
        found("version {} created at {} of key '{}' follows version {} created at {}", kv.version, kv.create,
              shown(kv.key), version, last->create);
    }
    const bool missing = kv.lease != LeaseId{} && !leases_.contains(kv.lease);
    chains_.put(hash, kv.create.raw(), kv.version | (missing ? kMissingLease : 0));
  }

  void end_chain(const KeyValue& kv) {
    const KeyHash hash = hasher_(kv.key);
    if (Chain* last = chains_.find(hash))
      last->create = 0;
    else if (at_.main > compacted_)
      found("deletes key '{}', which does not exist", shown(kv.key));
  }

  static std::string shown(Bytes key) {
    std::string out;
    for (const std::byte b : key.first(std::min<std::size_t>(key.size(), 200))) {
      const auto c = static_cast<char>(b);
      if (c >= ' ' && c < 0x7f)
        out += c;
      else
        out += fmt::format("\\x{:02x}", static_cast<unsigned>(b));
    }
    return out;
  }

  const Revision compacted_;
  const std::set<LeaseId> leases_;
  const RowRules rules_;
  const std::size_t most_findings_;
  const EachRow& each_;
  const KeyHasher hasher_ = KeyHasher::random();
  RowReport report_;
  std::size_t fatal_kept_ = 0, harmless_kept_ = 0;
  ChainTable chains_;
  RowId at_;
  std::optional<RowId> previous_;
};

// Reads the small buckets for check_rows(); what is wrong with them is a finding like any other.
DatabaseState state_or_findings(const bolt::Reader& database, std::vector<RowFinding>& findings) {
  auto state = read_state(database);
  if (!state) {
    findings.push_back({true, state.error().what});
    DatabaseState known;
    // Without the compaction nothing can be said about holes.
    known.finished_compaction = Revision(INT64_MAX);
    if (const auto compaction = read_compaction(database)) {
      known.finished_compaction = compaction->finished;
      known.scheduled_compaction = compaction->scheduled;
    }
    return known;
  }
  const auto found = [&](bool fatal, std::string text) { findings.push_back({fatal, std::move(text)}); };
  if (state->finished_compaction > state->scheduled_compaction)
    found(true, fmt::format("compaction finished at {} but only scheduled at {}", state->finished_compaction,
                            state->scheduled_compaction));
  // etcd 3.4 first writes it with its first change: a snapshot of an untouched one has none, and is sound.
  if (!state->consistent_index) found(state->last_row.raw() > 0, "no consistent_index in bucket meta");
  for (const LeaseState& lease : state->leases)
    if (lease.granted_ttl_s < 1)
      found(false, fmt::format("lease {:x} lives {} seconds", lease.id.raw(), lease.granted_ttl_s));
  for (const Alarm& alarm : state->alarms)
    found(false, fmt::format("alarm {} of member {}",
                             alarm.kind == AlarmKind::no_space  ? "NOSPACE"
                             : alarm.kind == AlarmKind::corrupt ? "CORRUPT"
                                                                : "unknown",
                             hex_id(alarm.member.raw())));
  for (const ClusterMember& member : state->members)
    if (std::ranges::find(state->removed_members, member.id) != state->removed_members.end())
      found(true, fmt::format("member {} is also among the removed", hex_id(member.id.raw())));
  return std::move(*state);
}

}  // namespace

bool RowReport::sound() const { return more_fatal == 0 && std::ranges::none_of(findings, &RowFinding::fatal); }

std::string RowReport::first_fault() const {
  const auto first = std::ranges::find_if(findings, &RowFinding::fatal);
  if (first != findings.end()) return first->text;
  return more_fatal == 0 ? "" : fmt::format("{} findings, none of them kept", more_fatal);
}

Result<RowReport> check_rows(const bolt::Reader& database, RowRules rules, std::size_t most_findings,
                             const EachRow& each) {
  std::vector<RowFinding> findings;
  const DatabaseState state = state_or_findings(database, findings);
  std::set<LeaseId> leases;
  for (const LeaseState& lease : state.leases) leases.insert(lease.id);

  RowCheck check(state.compacted(), std::move(leases), rules, most_findings, each);
  for (RowFinding& finding : findings) check.add(finding.fatal, std::move(finding.text));
  auto rows = database.bucket("key");
  if (rows) {
    TM_CHECK(database.for_each(*rows, [&](const Element& element) -> Status {
      check.take(element);
      return {};
    }));
  } else if (rows.error().code != Errc::not_found) {
    return std::unexpected(std::move(rows).error());
  }
  return check.finish();
}

}  // namespace tidemark::etcd
