#include "verify/replay.h"

#include <algorithm>
#include <atomic>

#include "etcd/data_dir.h"
#include "restore/etcd.h"

namespace tidemark::verify {
namespace {

using catalog::Point;
using catalog::ProofLevel;

// Exactly one chain of a store, so that a restore cannot plan around it.
class ChainOrigin final : public restore::Origin {
 public:
  ChainOrigin(std::unique_ptr<restore::Origin> whole, const std::vector<Point>& chain) : whole_(std::move(whole)) {
    for (Point point : chain) {
      point.stray = false;
      (point.name.kind == bucket::Kind::full ? timeline_.fulls : timeline_.deltas).push_back(point);
    }
  }
  Result<catalog::Timeline> timeline() override { return timeline_; }
  Result<std::unique_ptr<io::Source>> body(const Point& point) override {
    auto body = whole_->body(point);
    if (!body) {
      failed_ = true;
      return body;
    }
    return std::make_unique<Body>(*std::move(body), failed_);
  }
  std::optional<catalog::State> sampled(const std::string&) override { return std::nullopt; }  // compared here, all
  std::string url() const override { return whole_->url(); }

  // The store, or the bytes of an object, made something fail: otherwise it is the place we work in.
  bool failed() const { return failed_; }

 private:
  class Body final : public io::Source {
   public:
    Body(std::unique_ptr<io::Source> from, std::atomic<bool>& failed) : from_(std::move(from)), failed_(failed) {}
    Result<std::size_t> read(MutableBytes into) override {
      auto read = from_->read(into);
      if (!read) failed_ = true;
      return read;
    }

   private:
    std::unique_ptr<io::Source> from_;
    std::atomic<bool>& failed_;
  };

  std::unique_ptr<restore::Origin> whole_;
  catalog::Timeline timeline_;
  std::atomic<bool> failed_ = false;  // bodies are read by several threads
};

class Silent final : public restore::Audience {
 public:
  explicit Silent(const Progress& progress) : progress_(progress) {}
  Result<bool> approve(const restore::Plan&, bool) override { return true; }
  void progress(std::string_view step, std::uint64_t done, std::uint64_t all) override {
    if (progress_) progress_(fmt::format("replay: {}", step), done, all);
  }

 private:
  const Progress& progress_;
};

// A restore that failed for a reason that lies in the objects.
bool is_finding(Errc code) { return code == Errc::corrupt || code == Errc::torn || code == Errc::not_found; }

// A restore that failed for a reason that lies in the directory it was to write into: the system refused something, and
// no object did. That a file is missing there says the same as that a revision is: only its name tells.
bool is_of_scratch(const Error& why, const io::Path& scratch, bool store_failed) {
  switch (why.code) {
    case Errc::no_space: return true;
    case Errc::io:
    case Errc::denied:
    case Errc::already_exists: return !store_failed;
    case Errc::not_found: return !store_failed && why.what.find(scratch.string()) != std::string::npos;
    default: return false;
  }
}

std::vector<std::string> holders_of(const std::vector<Point>& chain, Revision after, Revision upto) {
  std::vector<std::string> keys;
  for (const Point& point : chain) {
    const bool full = point.name.kind == bucket::Kind::full;
    // A full is to blame only when nothing after it was ever right.
    if (full ? after == Revision(0) : point.name.span.first <= upto && point.name.span.last > after) {
      keys.push_back(point.key);
    }
  }
  return keys;
}

class Comparison {
 public:
  explicit Comparison(Replay& replay) : replay_(replay) {}

  Status compare(const io::Path& path, std::vector<Witness> witnesses, const Progress& progress,
                 const std::stop_token& stop) {
    TM_LET(const auto database, bolt::Reader::open(path));
    TM_LET(const auto compaction, etcd::read_compaction(database));
    for (const std::string& fault : bolt::check_structure(database, 10)) blame(Revision(0), replay_.reach, fault);
    TM_LET(const auto rows, etcd::check_rows(database, etcd::RowRules::chains, 10));
    for (const etcd::RowFinding& finding : rows.findings) {
      if (finding.fatal) blame(Revision(0), replay_.reach, finding.text);
    }
    std::ranges::stable_sort(witnesses, {}, [](const Witness& w) { return w.sample.revision; });
    const Revision compacted = std::max(compaction.finished, compaction.scheduled);
    for (std::size_t i = 0; i < witnesses.size(); ++i) {
      if (stop.stop_requested()) return fail(Errc::cancelled, "stopped");
      if (progress) progress("compare", i, witnesses.size());
      Witness& witness = witnesses[i];
      if (witness.sample.revision > replay_.reach) continue;
      TM_LET(const auto answer, restore::compare_sample(database, compacted, witness.sample));
      replay_.witnesses.push_back({std::move(witness), answer});
      judge(replay_.witnesses.back());
    }
    return {};
  }

 private:
  void judge(const MetWitness& met) {
    const Revision at = met.witness.sample.revision;
    if (met.answer.likeness == restore::Likeness::same) right_ = at;
    // What comes after a wrong row is wrong as well: only the first tells where.
    if (met.answer.likeness != restore::Likeness::different || wrong_) return;
    wrong_ = true;
    blame(right_, at,
          fmt::format("HashKV at revision {} is {:08x}, etcd had {:08x} (recorded with {}); {}", at, met.answer.hash,
                      met.witness.sample.hash, met.witness.object,
                      right_ == Revision(0) ? std::string("nothing before it could be compared")
                                            : fmt::format("it was right at revision {}", right_)));
  }

  void blame(Revision after, Revision upto, std::string reason) {
    std::vector<std::string> suspects = holders_of(replay_.chain, after, upto);
    if (suspects.empty()) suspects.push_back(replay_.chain.back().key);
    if (suspects.size() > 1) reason += fmt::format("; it or one of the {} objects after it", suspects.size() - 1);
    replay_.findings.push_back({suspects.front(), ProofLevel::replay, std::move(reason)});
    replay_.suspects.insert(replay_.suspects.end(), suspects.begin(), suspects.end());
  }

  Replay& replay_;
  Revision right_{0};
  bool wrong_ = false;
};

}  // namespace

std::uint64_t Replay::met() const {
  return static_cast<std::uint64_t>(std::ranges::count_if(
      witnesses, [](const MetWitness& met) { return met.answer.likeness == restore::Likeness::same; }));
}

Result<Replay> replay_chain(store::ObjectStore& store, const ReplayWish& wish, const Clock& clock,
                            const Progress& progress, const std::stop_token& stop) {
  Replay replay{.chain = wish.chain, .reach = wish.reach, .rows = 0, .witnesses = {}, .findings = {}, .suspects = {}};
  restore::EtcdRestore restore;
  restore.target = restore::Target::at(wish.reach);
  restore.data_dir = wish.scratch / "replay";
  restore.keep_history = true;
  restore.bump.kind = restore::RevisionBump::Kind::none;
  restore.threads = wish.threads;
  if (auto cleared = io::remove_tree(restore.data_dir); !cleared) {
    return std::unexpected(scratch_failure(wish.scratch, cleared.error()));
  }

  ChainOrigin origin(restore::store_origin(store), wish.chain);
  Silent audience(progress);
  restore::Steps steps;
  auto restored = restore::restore_etcd(restore, origin, audience, clock, steps, stop);
  if (restored) {
    replay.rows = restored->rows;
    // From here on: etcd would start on it. Now whether its rows are those that etcd had.
    const etcd::DataDir dir{restore.data_dir};
    restored = [&]() -> Result<restore::Restored> {
      TM_CHECK(Comparison(replay).compare(dir.database(), wish.witnesses, progress, stop));
      return *std::move(restored);
    }();
  }
  auto removed = io::remove_tree(restore.data_dir);
  if (!restored && is_of_scratch(restored.error(), wish.scratch, origin.failed())) {
    return std::unexpected(scratch_failure(wish.scratch, restored.error()));
  }
  if (!restored) {
    if (!is_finding(restored.error().code)) return std::unexpected(restored.error());
    replay.findings.push_back({wish.chain.back().key, ProofLevel::replay, restored.error().what});
    for (const Point& point : wish.chain) replay.suspects.push_back(point.key);
  }
  if (!removed) return std::unexpected(scratch_failure(wish.scratch, removed.error()));
  return replay;
}

}  // namespace tidemark::verify
