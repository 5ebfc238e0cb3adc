// The raft log and the .snap files of a data directory.
#include <algorithm>
#include <filesystem>

#include "etcd/cluster.h"
#include "etcd/raft_snap.h"
#include "inspect/parts.h"

namespace tidemark::inspect {
namespace {

constexpr std::uint64_t kLargestSnap = 256U << 20U;
constexpr std::string_view kSnapSuffix = ".snap";

std::vector<io::Path> files_in(const io::Path& folder) {
  std::vector<io::Path> files;
  std::error_code error;
  for (std::filesystem::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    files.push_back(it->path());
  }
  std::ranges::sort(files);
  return files;
}

std::vector<io::Path> segments_in(const io::Path& folder) {
  std::vector<io::Path> segments = files_in(folder);
  std::erase_if(segments, [](const io::Path& f) { return !etcd::parse_wal_file_name(f.filename().native()); });
  return segments;
}

struct Broken {
  io::Path file;
  std::uint64_t offset = 0;
  bool stricter_than_etcd = false;
};

// The first record that does not continue the chain of checksums; nullopt when the fault is in what the records say.
std::optional<Broken> first_broken(const std::vector<io::Path>& segments) {
  std::optional<std::uint32_t> crc;
  for (const io::Path& file : segments) {
    const auto mapped = io::MappedFile::open(file);
    if (!mapped) return Broken{file, 0};
    etcd::WalSegmentReader reader(mapped->bytes(), file.native(), crc);
    for (;;) {
      const auto record = reader.next();
      if (!record) return Broken{file, reader.offset(), reader.stricter_than_etcd()};
      if (!*record) break;
    }
    crc = reader.crc();
  }
  return std::nullopt;
}

void inspect_segments(Notebook& notebook, LogView& view) {
  const io::Path folder = notebook.dir().wal();
  const std::vector<io::Path> segments = segments_in(folder);
  view.there = !segments.empty();
  if (!view.there) return;
  auto log = etcd::read_wal(folder);
  const auto broken = first_broken(segments);
  const io::Path file = broken ? broken->file : folder;
  const std::optional<std::uint64_t> offset = broken ? std::optional(broken->offset) : std::nullopt;
  if (!log) {
    const std::string reason = notebook.without_path(notebook.without_path(log.error().what, file), folder);
    const bool passed_over = broken && broken->stricter_than_etcd;
    return notebook.corrupt(file, passed_over ? Starts::unknown : Starts::no, reason, offset);
  }
  if (!log->torn.empty()) {
    notebook.add({Verdict::repairable, Starts::yes, notebook.below(file), offset,
                  notebook.without_path(log->torn, file),
                  "start etcd: it cuts the log there and keeps the segment as .broken. The record was being written "
                  "when the machine stopped"});
  }
  DataDirFacts& facts = notebook.facts();
  facts.member = log->metadata.node;
  facts.cluster = log->metadata.cluster;
  facts.commit = log->state.commit;
  facts.last_index = log->last_index;
  facts.segments = log->segments;
  for (const etcd::WalSnapshot& snapshot : log->valid_snapshots()) {
    facts.snapshot_index = std::max(facts.snapshot_index, snapshot.index);
  }
  view.log = *std::move(log);
}

// The newest first, as etcd takes them: one counts if the log has a snapshot record of the same index and term.
void inspect_snaps(Notebook& notebook, LogView& view) {
  std::vector<io::Path> snaps = files_in(notebook.dir().snap());
  std::erase_if(snaps, [](const io::Path& f) { return !f.filename().native().ends_with(kSnapSuffix); });
  std::ranges::reverse(snaps);
  const std::vector<etcd::WalSnapshot> recorded =
      view.log ? view.log->valid_snapshots() : std::vector<etcd::WalSnapshot>{};
  for (const io::Path& file : snaps) {
    const auto bytes = io::read_file(file, kLargestSnap);
    const auto snap = bytes ? etcd::decode_raft_snapshot(*bytes) : std::unexpected(bytes.error());
    const bool as_named = snap && etcd::snap_file_name(snap->term, snap->index) == file.filename().native();
    if (!as_named) {
      view.damaged_snap = true;
      notebook.repairable(
          file,
          snap ? fmt::format("it is of term {}, index {}: not what its name says", snap->term, snap->index)
               : notebook.without_path(snap.error().what, file),
          "start etcd: it pushes the file aside as .broken and goes back to an older one or to the log");
      continue;
    }
    const bool known = std::ranges::any_of(
        recorded, [&](const etcd::WalSnapshot& s) { return s.index == snap->index && s.term == snap->term; });
    if (known && !view.snap_index) view.snap_index = snap->index;
    if (!known && view.log) notebook.note(file, "the log has no record of it: etcd passes over it");
  }
}

class Agreement {
 public:
  Agreement(Notebook& notebook, const LogView& log, const DatabaseView& database)
      : notebook_(notebook), view_(log), log_(*log.log), database_(database) {}

  void check() {
    const io::Path wal = notebook_.dir().wal();
    if (log_.state.commit > log_.last_index) {
      notebook_.corrupt(wal, Starts::no,
                        fmt::format("committed up to {}, but the log ends at {}: its end is lost", log_.state.commit,
                                    log_.last_index));
    }
    check_start();
    if (!database_.there) return check_missing_database();
    if (!database_.state) return;
    check_applied();
    check_term();
    check_members();
  }

 private:
  // From which index on etcd needs entries, and whether they are there.
  void check_start() {
    const std::uint64_t newest = notebook_.facts().snapshot_index;
    const bool newer_etcd = ignores_snap_files(database_);
    start_ = newer_etcd ? newest : view_.snap_index.value_or(0);
    const bool reaches_start = log_.first_index <= 1;
    if (log_.first_index > start_ + 1) {
      notebook_.corrupt(
          notebook_.dir().wal(), view_.snap_index || newer_etcd ? Starts::no : Starts::unknown,
          fmt::format("the log begins with entry {}, and nothing holds what was before: no .snap of index "
                      "{} or later",
                      log_.first_index, log_.first_index - 1));
    } else if (newest > 0 && !view_.snap_index && !newer_etcd && reaches_start) {
      notebook_.repairable(notebook_.dir().snap(),
                           fmt::format("the .snap of index {} is missing or damaged; etcd goes through its whole log, "
                                       "and feeds members added later with log entries instead of the database",
                                       newest),
                           "start etcd and write until it snapshots again, before any member is added");
    }
  }

  void check_missing_database() {
    if (start_ == 0 && log_.first_index == 1) {
      return notebook_.add({Verdict::repairable,
                            Starts::yes,
                            notebook_.below(notebook_.dir().database()),
                            {},
                            "it is missing; the log holds everything since the member was made",
                            "start etcd: it applies its whole log again"});
    }
    notebook_.corrupt(notebook_.dir().database(), Starts::no,
                      "it is missing, and the log does not hold what was in it");
  }

  void check_applied() {
    const io::Path file = notebook_.dir().database();
    const std::uint64_t applied = database_.state->consistent_index.value_or(0);
    if (applied < start_ && !has_received_snapshot()) {
      return notebook_.corrupt(file, Starts::no,
                               fmt::format("it has applied the log up to {}, but the log was cut at {}: what was "
                                           "between is lost",
                                           applied, start_));
    }
    if (applied > log_.last_index) {
      return notebook_.corrupt(
          notebook_.dir().wal(), Starts::unknown,
          fmt::format("the database has applied entry {}, the log ends at {}: its end is lost, and "
                      "etcd would drop new writes without a word",
                      applied, log_.last_index));
    }
    if (applied > log_.state.commit) {
      notebook_.note(notebook_.dir().wal(), fmt::format("applied up to {}, committed up to {} as far as the log says: "
                                                        "a crash leaves this",
                                                        applied, log_.state.commit));
    }
    if (log_.state.commit > applied) {
      notebook_.facts().log_only = log_.state.commit - applied;
      notebook_.note(notebook_.dir().wal(),
                     fmt::format("{} committed entries are in the log only; etcd applies them at its start",
                                 log_.state.commit - applied));
    }
  }

  // A snapshot that another member sent and that was not moved into place yet.
  bool has_received_snapshot() const {
    std::error_code error;
    return std::filesystem::exists(notebook_.dir().snap() / fmt::format("{:016x}.snap.db", start_), error);
  }

  void check_term() {
    const std::uint64_t term = database_.state->term.value_or(0);
    if (term > log_.state.term) {
      notebook_.corrupt(notebook_.dir().wal(), Starts::unknown,
                        fmt::format("the database is of term {}, the log of term {}: they do not belong together", term,
                                    log_.state.term));
    }
  }

  void check_members() {
    const MemberId self = log_.metadata.node;
    const auto& members = database_.state->members;
    const auto& removed = database_.state->removed_members;
    const io::Path file = notebook_.dir().database();
    if (std::ranges::find(removed, self) != removed.end()) {
      notebook_.corrupt(file, Starts::no,
                        fmt::format("this member, {}, was removed from the cluster", etcd::hex_id(self.raw())));
      return;
    }
    const bool known = std::ranges::any_of(members, [&](const etcd::ClusterMember& m) { return m.id == self; });
    if (known || members.empty()) return;
    notebook_.corrupt(file, Starts::unknown,
                      fmt::format("the log is member {}'s, whom the database does not know (its members: {}): they do "
                                  "not belong together",
                                  etcd::hex_id(self.raw()), names(members)));
  }

  static std::string names(const std::vector<etcd::ClusterMember>& members) {
    std::string text;
    for (const etcd::ClusterMember& m : members) text += (text.empty() ? "" : ", ") + etcd::hex_id(m.id.raw());
    return text;
  }

  Notebook& notebook_;
  const LogView& view_;
  const etcd::WalContents& log_;
  const DatabaseView& database_;
  std::uint64_t start_ = 0;
};

}  // namespace

LogView inspect_log(Notebook& notebook) {
  LogView view;
  inspect_segments(notebook, view);
  inspect_snaps(notebook, view);
  return view;
}

void inspect_agreement(Notebook& notebook, const LogView& log, const DatabaseView& database) {
  if (!log.there) {
    notebook.corrupt(notebook.dir().wal(), Starts::unknown,
                     database.there ? "there is no log: etcd would begin a new cluster on top of the old rows"
                                    : "there is neither a log nor a database");
    return;
  }
  if (log.log) return Agreement(notebook, log, database).check();
  if (!database.there) notebook.corrupt(notebook.dir().database(), Starts::no, "it is missing");
}

}  // namespace tidemark::inspect
