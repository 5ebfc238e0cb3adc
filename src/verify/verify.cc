#include "verify/verify.h"

#include <algorithm>
#include <limits>
#include <map>

#include "catalog/chain.h"

namespace tidemark::verify {
namespace {

using catalog::Point;
using catalog::ProofLevel;

// What the catalogue writes about a hole that nobody recorded.
constexpr std::string_view kUnexplained = "no object covers it";

std::vector<Point> by_revision(const catalog::Timeline& timeline) {
  std::vector<Point> all = timeline.fulls;
  all.insert(all.end(), timeline.deltas.begin(), timeline.deltas.end());
  std::ranges::stable_sort(all, {}, [](const Point& p) {
    const bool full = p.name.kind == bucket::Kind::full;
    return full ? p.name.span.last : p.name.span.first;
  });
  return all;
}

std::vector<RevisionSpan> merged(std::vector<RevisionSpan> spans) {
  std::ranges::sort(spans, {}, &RevisionSpan::first);
  std::vector<RevisionSpan> out;
  for (const RevisionSpan& span : spans) {
    if (!out.empty() && span.first <= out.back().last.next()) {
      out.back().last = std::max(out.back().last, span.last);
    } else {
      out.push_back(span);
    }
  }
  return out;
}

using Samples = std::map<std::string, catalog::HashSample>;  // by object

class Verifier {
 public:
  Verifier(store::ObjectStore& store, const Wish& wish, const Clock& clock, const Progress& progress,
           const std::stop_token& stop)
      : store_(store), wish_(wish), clock_(clock), progress_(progress), stop_(stop) {
    done_.asked = wish.level;
  }

  Result<Verification> run() {
    TM_LET(timeline_, catalog::read_timeline(store_));
    if (timeline_.fulls.empty() && timeline_.deltas.empty()) {
      return fail(Errc::not_found, "{}: nothing to verify: it holds no snapshots", store_.url());
    }
    TM_CHECK(read_back(choose()));
    if (!wish_.point) {
      check_timeline();
      TM_CHECK(check_sidecars());
    }
    // From here on: every object has been read, and facts_ says which a restore can use.
    if (wish_.level == ProofLevel::replay) TM_CHECK(wish_.point ? replay_one() : replay_all());
    done_.restorable = merged(restore::reachable(timeline_, facts_));
    return std::move(done_);
  }

 private:
  std::vector<Point> choose() {
    if (!wish_.point) return by_revision(timeline_);
    std::vector<Point> chain;
    for (const Point* point : catalog::chain_to(timeline_, *wish_.point)) chain.push_back(*point);
    if (chain.empty()) {
      done_.findings.push_back({wish_.point->key, ProofLevel::digest, "no full leads to it: it cannot be restored"});
      chain.push_back(*wish_.point);
    }
    return chain;
  }

  Status read_back(const std::vector<Point>& points) {
    std::uint64_t all = 0, before = 0;
    for (const Point& point : points) all += point.size;
    Reading reading{.store = store_, .level = wish_.level, .scratch = wish_.scratch, .progress = {}, .stop = stop_};
    reading.progress = [&](std::uint64_t done) {
      if (progress_) progress_("read", before + done, all);
    };
    for (const Point& point : points) {
      TM_LET(ObjectCheck check, check_object(reading, point, facts_));
      before += point.size;
      const ProofLevel level = std::min(wish_.level, ProofLevel::structure);
      done_.objects.push_back({.point = point, .level = level, .sound = check.sound, .reach = {}, .samples = 0});
      std::ranges::move(check.findings, std::back_inserter(done_.findings));
      if (check.recorded) recorded_.emplace(point.key, *check.recorded);
      if (check.own_rows) own_rows_.emplace(point.key, *check.own_rows);
    }
    return {};
  }

  void check_timeline() {
    for (const catalog::Gap& gap : timeline_.gaps) {
      const std::string what = fmt::format("revisions {} to {}: {}", gap.span.first, gap.span.last, gap.reason);
      if (gap.reason == kUnexplained) {
        done_.findings.push_back({"", ProofLevel::digest, what});
      } else {
        done_.notes.push_back("recorded gap: " + what);
      }
    }
    for (const std::string& damaged : timeline_.damaged) {
      done_.findings.push_back({"", ProofLevel::digest, "sidecar " + damaged});
    }
    for (const std::string& ignored : timeline_.ignored) done_.notes.push_back("not looked at: " + ignored);
  }

  // Those that are not beside one object. Gaps were read for the timeline, and of the claims those that were needed.
  Status check_sidecars() {
    TM_CHECK(check_sidecar(std::string(catalog::kLineageKey), catalog::parse_lineage));
    TM_CHECK(check_sidecars_below(catalog::kSuccessorPrefix, catalog::parse_successor));
    return check_sidecars_below(catalog::kClaimPrefix, catalog::parse_claim);
  }
  template <class T>
  Status check_sidecars_below(std::string_view prefix, Result<T> (*parse)(std::string_view)) {
    TM_LET(const auto objects, store_.list(prefix));
    for (const store::ObjectInfo& object : objects) {
      const auto told = [&](const std::string& damaged) { return damaged.starts_with(object.key + ": "); };
      if (std::ranges::none_of(timeline_.damaged, told)) TM_CHECK(check_sidecar(object.key, parse));
    }
    return {};
  }
  template <class T>
  Status check_sidecar(const std::string& key, Result<T> (*parse)(std::string_view)) {
    if (stop_.stop_requested()) return fail(Errc::cancelled, "stopped");
    const auto body = store_.get(key, catalog::kMaxSidecarBytes);
    const Errc code = body ? Errc::corrupt : body.error().code;
    if (code == Errc::not_found) return {};
    if (code != Errc::corrupt && code != Errc::torn && code != Errc::io) return std::unexpected(body.error());
    const auto parsed = body ? parse(as_text(*body)) : std::unexpected(body.error());
    if (!parsed) done_.findings.push_back({key, ProofLevel::digest, parsed.error().what});
    return {};
  }

  Status replay_one() {
    std::vector<Point> chain;
    for (const ObjectVerdict& object : done_.objects) {
      if (!facts_.bad.contains(object.point.key)) {
        chain.push_back(object.point);
        continue;
      }
      done_.notes.push_back(fmt::format("not rebuilt: {} cannot be used", object.point.key));
      return {};
    }
    if (chain.front().name.kind != bucket::Kind::full) return {};
    return replay(chain.front(), chain, std::max(end_of(chain.back()), end_of(chain.front())), nullptr);
  }

  Status replay_all() {
    for (std::size_t i = 0; i < timeline_.fulls.size(); ++i) {
      const Point& full = timeline_.fulls[i];
      if (facts_.bad.contains(full.key)) continue;
      const auto next =
          std::find_if(timeline_.fulls.begin() + static_cast<std::ptrdiff_t>(i) + 1, timeline_.fulls.end(),
                       [&](const Point& p) { return !facts_.bad.contains(p.key); });
      const bool last = next == timeline_.fulls.end();
      const Revision until = last ? restore::newest_claimed(timeline_, facts_) : end_of(*next);
      TM_CHECK(replay(full, timeline_.deltas, std::max(until, end_of(full)), last ? nullptr : &*next));
    }
    return {};
  }

  // The revision that an object really ends at.
  Revision end_of(const Point& point) const {
    if (const auto full = facts_.fulls.find(point.key); full != facts_.fulls.end()) return full->second.revision;
    if (const auto delta = facts_.deltas.find(point.key); delta != facts_.deltas.end()) return delta->second.last;
    return point.name.span.last;
  }

  // With the revisions that it holds instead of those that its name says: here a restore has nothing to choose from.
  Point as_found(Point point) const {
    if (const auto delta = facts_.deltas.find(point.key); delta != facts_.deltas.end()) {
      point.name.span = delta->second;
    } else {
      point.name.span.last = end_of(point);
    }
    return point;
  }

  // From `full` as far towards `until` as these deltas go.
  Status replay(const Point& full, const std::vector<Point>& deltas, Revision until, const Point* next_full) {
    catalog::Timeline mine;
    mine.fulls.push_back(full);
    for (const Point& point : deltas) {
      if (point.name.kind == bucket::Kind::delta) mine.deltas.push_back(point);
    }
    std::ranges::stable_sort(mine.deltas, {}, [](const Point& p) { return p.name.span.first; });
    TM_LET(const restore::Plan plan, restore::make_plan(mine, {.revision = until, .or_less = true}, facts_));
    ReplayWish wish{.chain = {as_found(full)},
                    .reach = plan.reach,
                    .witnesses = {},
                    .scratch = wish_.scratch,
                    .threads = wish_.threads};
    for (const restore::Step& step : plan.steps) wish.chain.push_back(as_found(step.point));
    for (const Point& point : wish.chain) call(point.key, recorded_, wish.witnesses);
    if (next_full != nullptr) {
      call(next_full->key, recorded_, wish.witnesses);
      call(next_full->key, own_rows_, wish.witnesses);
    }
    TM_LET(Replay made, replay_chain(store_, wish, clock_, progress_, stop_));
    settle(made);
    done_.replays.push_back(std::move(made));
    return {};
  }

  // Who says the same as somebody before is no further witness.
  static void call(const std::string& key, const Samples& samples, std::vector<Witness>& to) {
    const auto found = samples.find(key);
    if (found == samples.end()) return;
    const auto same = [&](const Witness& known) { return known.sample == found->second; };
    if (std::ranges::none_of(to, same)) to.push_back({key, found->second});
  }

  // What stands behind the first wrong row is neither right nor wrong for all we know, and an answer vouches only for
  // what was replayed before it.
  void settle(const Replay& made) {
    Revision wrong(std::numeric_limits<std::int64_t>::max());
    for (const MetWitness& met : made.witnesses) {
      if (met.answer.likeness == restore::Likeness::different) wrong = std::min(wrong, met.witness.sample.revision);
    }
    done_.findings.insert(done_.findings.end(), made.findings.begin(), made.findings.end());
    for (ObjectVerdict& object : done_.objects) {
      const auto same = [&](const Point& p) { return p.key == object.point.key; };
      if (std::ranges::none_of(made.chain, same)) continue;
      const bool suspect = std::ranges::find(made.suspects, object.point.key) != made.suspects.end();
      const Revision end = end_of(object.point);
      if (suspect) object.sound = false;
      if (!suspect && end > wrong) continue;
      object.level = ProofLevel::replay;
      object.reach = made.reach;
      object.samples = static_cast<std::size_t>(std::ranges::count_if(made.witnesses, [&](const MetWitness& met) {
        return met.answer.likeness == restore::Likeness::same && met.witness.sample.revision >= end;
      }));
    }
  }

  store::ObjectStore& store_;
  const Wish& wish_;
  const Clock& clock_;
  const Progress& progress_;
  const std::stop_token& stop_;
  catalog::Timeline timeline_;
  restore::Facts facts_;
  Samples recorded_, own_rows_;
  Verification done_;
};

}  // namespace

Result<Verification> verify(store::ObjectStore& store, const Wish& wish, const Clock& clock, const Progress& progress,
                            const std::stop_token& stop) {
  return Verifier(store, wish, clock, progress, stop).run();
}

Result<std::size_t> keep_proofs(store::ObjectStore& store, const Verification& done, Time now,
                                std::string_view program) {
  TM_LET(const auto known, catalog::Proofs::read(store));
  std::size_t kept = 0;
  for (const ObjectVerdict& object : done.objects) {
    catalog::Proof proof{.object = object.point.key,
                         .level = object.level,
                         .sound = object.sound,
                         .when = now,
                         .size = object.point.size,
                         .reach = object.reach,
                         .samples = object.samples,
                         .findings = {},
                         .program = std::string(program)};
    for (const Finding& finding : done.findings) {
      if (finding.object == object.point.key) proof.findings.push_back(finding.reason);
    }
    TM_CHECK(catalog::keep_proof(store, proof, known));
    ++kept;
  }
  return kept;
}

}  // namespace tidemark::verify
