#include <algorithm>

#include "etcd/wal.h"

namespace tidemark::etcd {

namespace {

struct SegmentFile {
  WalFileName name;
  io::Path path;
};

Result<std::vector<SegmentFile>> segment_files(const io::Path& wal_dir) {
  std::vector<SegmentFile> files;
  std::error_code error;
  for (std::filesystem::directory_iterator it(wal_dir, error), end; !error && it != end; it.increment(error))
    if (const auto name = parse_wal_file_name(it->path().filename().native())) files.push_back({*name, it->path()});
  if (error) return sys_fail("list", wal_dir.native(), error.value());
  if (files.empty()) return fail(Errc::not_found, "{}: no log segment", wal_dir.native());

  std::ranges::sort(files, {}, [](const SegmentFile& f) { return f.name.sequence; });
  for (std::size_t i = 1; i < files.size(); i++) {
    const WalFileName &before = files[i - 1].name, &name = files[i].name;
    if (name.sequence != before.sequence + 1)
      return fail(Errc::corrupt, "{}: the segment before it, number {:x}, is missing", files[i].path.native(),
                  name.sequence - 1);
    if (name.first_index < before.first_index)
      return fail(Errc::corrupt, "{}: begins with index {:x}, before its predecessor", files[i].path.native(),
                  name.first_index);
  }
  return files;
}

// Puts the records of a log together: later entries replace earlier ones, the last state counts.
class Log {
 public:
  explicit Log(const std::function<Status(const RaftEntry&)>& each_entry) : each_entry_(each_entry) {}

  Status take(const WalRecord& record) {
    switch (record.type) {
      case WalRecordType::metadata: return take_metadata(record.payload);
      case WalRecordType::entry: return take_entry(record.payload);
      case WalRecordType::snapshot: return take_snapshot(record.payload);
      case WalRecordType::state: {
        TM_LET(contents_.state, decode_hard_state(record.payload));
        return {};
      }
      case WalRecordType::crc: return {};
    }
    return {};
  }

  Result<WalContents> finish() {
    if (!has_metadata_) return fail(Errc::corrupt, "no metadata record");
    if (!terms_.empty()) {
      contents_.last_term = terms_.back().term;
      contents_.entries = contents_.last_index - contents_.first_index + 1;
    }
    for (const WalSnapshot& snapshot : contents_.snapshots) {
      if (snapshot.index <= contents_.last_index) continue;
      contents_.last_index = snapshot.index;
      contents_.last_term = snapshot.term;
    }
    return std::move(contents_);
  }

 private:
  struct Run {
    std::uint64_t first_index, term;  // entries from there on have that term
  };

  Status take_metadata(Bytes payload) {
    TM_LET(const WalMetadata metadata, decode_wal_metadata(payload));
    if (has_metadata_ && metadata != contents_.metadata)
      return fail(Errc::corrupt, "metadata differs from that of the records before");
    contents_.metadata = metadata;
    has_metadata_ = true;
    return {};
  }

  Status take_snapshot(Bytes payload) {
    TM_LET(WalSnapshot snapshot, decode_wal_snapshot(payload));
    newest_snapshot_ = std::max(newest_snapshot_, snapshot.index);
    contents_.snapshots.push_back(std::move(snapshot));
    return {};
  }

  Status take_entry(Bytes payload) {
    TM_LET(const RaftEntry entry, decode_raft_entry(payload));
    if (entry.index == 0) return fail(Errc::corrupt, "entry without an index");
    // A member that was sent a snapshot goes on behind it, with a hole in its own log.
    const bool restarts =
        terms_.empty() || (entry.index > contents_.last_index + 1 && newest_snapshot_ + 1 >= entry.index);
    if (!restarts && entry.index > contents_.last_index + 1)
      return fail(Errc::corrupt, "entry {} follows entry {}", entry.index, contents_.last_index);
    if (restarts) terms_.clear();
    while (!terms_.empty() && terms_.back().first_index >= entry.index) terms_.pop_back();
    if (terms_.empty()) {
      contents_.first_index = entry.index;
    } else if (entry.term < terms_.back().term) {
      return fail(Errc::corrupt, "entry {} of term {} follows one of term {}", entry.index, entry.term,
                  terms_.back().term);
    }
    if (terms_.empty() || entry.term > terms_.back().term) terms_.push_back({entry.index, entry.term});
    contents_.last_index = entry.index;
    return each_entry_ ? each_entry_(entry) : Status{};
  }

  const std::function<Status(const RaftEntry&)>& each_entry_;
  WalContents contents_;
  std::vector<Run> terms_;
  std::uint64_t newest_snapshot_ = 0;
  bool has_metadata_ = false;
};

}  // namespace

std::vector<WalSnapshot> WalContents::valid_snapshots() const {
  std::vector<WalSnapshot> valid;
  std::ranges::copy_if(snapshots, std::back_inserter(valid),
                       [&](const WalSnapshot& s) { return s.index <= state.commit; });
  return valid;
}

Result<WalContents> read_wal(const io::Path& wal_dir, const std::function<Status(const RaftEntry&)>& each_entry) {
  TM_LET(const std::vector<SegmentFile> files, segment_files(wal_dir));
  Log log(each_entry);
  std::optional<std::uint32_t> crc;
  std::string torn;
  for (const SegmentFile& file : files) {
    TM_LET(const io::MappedFile mapped, io::MappedFile::open(file.path));
    WalSegmentReader reader(mapped.bytes(), file.path.native(), crc);
    for (;;) {
      auto record = reader.next();
      if (!record && record.error().code == Errc::torn) {
        if (&file != &files.back())
          return fail(Errc::corrupt, "{}, and it is not the last segment", record.error().what);
        torn = record.error().what;
        break;
      }
      if (!record) return std::unexpected(std::move(record).error());
      if (!*record) break;
      TM_CHECK(named(fmt::format("{} at {}", file.path.native(), (*record)->offset), log.take(**record)));
    }
    crc = reader.crc();
  }
  TM_LET(WalContents contents, named(wal_dir.native(), log.finish()));
  contents.segments = files.size();
  contents.torn = std::move(torn);
  return contents;
}

}  // namespace tidemark::etcd
