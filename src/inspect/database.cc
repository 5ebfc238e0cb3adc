// The database of a data directory: both meta pages, trees, freelist, rows, small buckets.
#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>

#include "bolt/page.h"
#include "bolt/reader.h"
#include "inspect/parts.h"

namespace tidemark::inspect {
namespace {

constexpr std::size_t kMostFindings = 20;
constexpr std::uint64_t kDefaultQuota = 2UL << 30U;
constexpr std::array<std::string_view, 10> kBuckets{"alarm", "auth",  "authRoles", "authUsers",       "cluster",
                                                    "key",   "lease", "members",   "members_removed", "meta"};

// "page 17: …" is at a known place.
std::optional<std::uint64_t> offset_of(std::string_view finding, std::uint32_t page_size) {
  constexpr std::string_view kPage = "page ";
  if (!finding.starts_with(kPage)) return std::nullopt;
  std::uint64_t page = 0;
  const char* const end = finding.data() + finding.size();
  const auto [rest, error] = std::from_chars(finding.data() + kPage.size(), end, page);
  if (error != std::errc{} || rest == end || *rest != ':') return std::nullopt;
  return page * page_size;
}

// Two meta pages, written in turn; the older one is the state before the last commit.
void inspect_metas(Notebook& notebook, const bolt::Reader& database) {
  const std::uint32_t page_size = database.meta().page_size;
  for (const std::uint64_t page : {0U, 1U}) {
    Buffer head(bolt::kMetaEnd);
    const auto file = notebook.dir().database();
    auto source = io::FileSource::open(file, page * page_size, head.size());
    if (!source) continue;
    const auto got = io::read_full(*source, head);
    if (got && *got == head.size() && bolt::load_meta(head)) continue;
    notebook.add(
        {Verdict::repairable, Starts::yes, notebook.below(file), page * page_size,
         fmt::format("meta page {} is damaged; the other one holds transaction {}", page, database.meta().txid),
         "start etcd: it takes the other meta page and what the log has more. Keep a copy first"});
  }
}

// From 3.5 on etcd goes through all trees when it opens them, and dies of most faults; 3.4 with an older bbolt may not.
// Pages inside of pages are passed over then. Bits that no type of a page has are a fault to bbolt 1.4 alone
// (etcd 3.6).
Starts starts_with_fault(const bolt::Reader& database, std::string_view fault) {
  if (fault.find("inline page") != std::string_view::npos || fault.find("invalid type") != std::string_view::npos) {
    return Starts::unknown;
  }
  const auto cluster = database.bucket("cluster");
  if (!cluster) return Starts::unknown;
  const auto version = database.find(*cluster, as_bytes("clusterVersion"));
  if (!version || !*version) return Starts::unknown;
  return as_text((*version)->value).starts_with("3.4") ? Starts::unknown : Starts::no;
}

// 0: it does not say, or not in these words.
int minor_version(const etcd::DatabaseState& state) {
  int minor = 0;
  for (const std::string& version : {state.storage_version, state.cluster_version}) {
    int says = 0;
    if (version.starts_with("3.")) std::from_chars(version.data() + 2, version.data() + version.size(), says);
    minor = std::max(minor, says);
  }
  return minor;
}

// Up to 3.6 etcd dies of a row that is no message; the protobuf library of 3.7 takes a field of the wrong wire type for
// an unknown one.
Starts starts_with_row(std::string_view text, int minor) {
  if (text.find("not a well-formed message") == std::string_view::npos) return Starts::unknown;
  return minor > 0 && minor < 7 ? Starts::no : Starts::unknown;
}

void inspect_alarms(Notebook& notebook, const etcd::DatabaseState& state) {
  for (const etcd::Alarm& alarm : state.alarms) {
    const std::string member = etcd::hex_id(alarm.member.raw());
    if (alarm.kind == etcd::AlarmKind::no_space) {
      notebook.note(notebook.dir().database(), fmt::format("alarm NOSPACE of member {}: etcd takes no writes", member),
                    "etcdctl compact, etcdctl defrag, then etcdctl alarm disarm");
    } else if (alarm.kind == etcd::AlarmKind::corrupt) {
      notebook.corrupt(notebook.dir().database(), Starts::yes,
                       fmt::format("alarm CORRUPT of member {}: its rows differed from the other members'", member));
    }
  }
}

void inspect_state(Notebook& notebook, const etcd::DatabaseState& state, std::uint64_t bytes) {
  const io::Path file = notebook.dir().database();
  DataDirFacts& facts = notebook.facts();
  facts.revision = state.revision;
  facts.compacted = state.compacted();
  facts.cluster_version = state.cluster_version;
  facts.storage_version = state.storage_version;
  facts.applied = state.consistent_index;
  facts.members = state.members.size();
  inspect_alarms(notebook, state);
  if (state.scheduled_compaction > state.finished_compaction) {
    notebook.note(file, fmt::format("a compaction at revision {} was not finished; etcd finishes it at its start",
                                    state.scheduled_compaction));
  }
  if (bytes > kDefaultQuota) {
    notebook.note(file, fmt::format("{}: above etcd's default quota of 2 GiB", human_size(bytes)),
                  "start etcd with a larger --quota-backend-bytes, then compact and defragment");
  }
  if (state.downgrade.find("\"enabled\":true") != std::string::npos) {
    notebook.note(file, "a downgrade is under way: " + state.downgrade, "etcdctl downgrade cancel");
  }
}

void inspect_rows(Notebook& notebook, const bolt::Reader& database, int minor) {
  const io::Path file = notebook.dir().database();
  const auto rows = etcd::check_rows(database, etcd::RowRules::chains, kMostFindings);
  if (!rows) {
    return notebook.corrupt(file, Starts::unknown, notebook.without_path(rows.error().what, file));
  }
  notebook.facts().rows = rows->rows;
  notebook.facts().live_keys = rows->live_keys;
  for (const etcd::RowFinding& finding : rows->findings) {
    const std::string reason = notebook.without_path(finding.text, file);
    if (finding.fatal) {
      notebook.corrupt(file, starts_with_row(reason, minor), reason);
    } else if (reason.find("alarm ") != 0) {  // told with its remedy
      notebook.note(file, reason);
    }
  }
  if (rows->more_fatal > 0) {
    notebook.corrupt(file, Starts::unknown, fmt::format("and {} more rows that break a rule", rows->more_fatal));
  }
  if (rows->more_harmless > 0) {
    notebook.note(file, fmt::format("and {} more such notes on rows and leases", rows->more_harmless));
  }
}

void inspect_buckets(Notebook& notebook, const bolt::Reader& database) {
  const io::Path file = notebook.dir().database();
  const auto names = database.bucket_names();
  if (!names) return;  // the trees' check has told
  for (const std::string& name : *names) {
    if (std::ranges::find(kBuckets, name) == kBuckets.end())
      notebook.note(file, "a bucket that etcd does not know: " + name);
  }
  for (const std::string_view needed : {"key", "meta"}) {
    if (std::ranges::find(*names, needed) == names->end()) {
      notebook.corrupt(file, Starts::no, fmt::format("the bucket '{}' is missing", needed));
    }
  }
}

}  // namespace

bool ignores_snap_files(const DatabaseView& database) { return database.state && minor_version(*database.state) >= 7; }

DatabaseView inspect_database(Notebook& notebook) {
  DatabaseView view;
  const io::Path file = notebook.dir().database();
  std::error_code error;
  view.there = std::filesystem::exists(file, error);
  if (!view.there) return view;  // what that means depends on the log
  const auto database = bolt::Reader::open(file);
  if (!database) {
    notebook.corrupt(file, Starts::no, notebook.without_path(database.error().what, file));
    return view;
  }
  notebook.facts().database_bytes = database->meta().high_water * database->meta().page_size;
  inspect_metas(notebook, *database);
  const auto faults = bolt::check_structure(*database, kMostFindings);
  for (const std::string& fault : faults) {
    notebook.corrupt(file, starts_with_fault(*database, fault), fault, offset_of(fault, database->meta().page_size));
  }
  inspect_buckets(notebook, *database);
  auto state = etcd::read_state(*database);
  inspect_rows(notebook, *database, state ? minor_version(*state) : 0);
  for (const std::string& breach : bolt::check_writer_rules(*database, kMostFindings)) {
    notebook.add({Verdict::repairable, Starts::yes, notebook.below(file), offset_of(breach, database->meta().page_size),
                  breach + ": etcd starts with it, and its next compaction may kill it",
                  "tidemark restore etcd --store etcd:" + notebook.dir().root.native() +
                      " --data-dir ELSEWHERE writes the same rows into a new tree"});
  }
  if (!state) return view;  // the rows' check has told
  inspect_state(notebook, *state, notebook.facts().database_bytes);
  view.state = *std::move(state);
  return view;
}

}  // namespace tidemark::inspect
